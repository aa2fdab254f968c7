// Typesets what pymdownx.arithmatex has marked: \(...\) in a line, \[...\] on lines of their own.
for (const element of document.querySelectorAll(".arithmatex")) {
  const text = element.textContent;
  katex.render(text.slice(2, -2), element, { displayMode: text.startsWith("\\["), throwOnError: false });
}
