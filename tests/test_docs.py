"""Pages and notebooks: their code runs, their studies are valid, their links lead somewhere, their equations are typeset."""

import ast
import inspect
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

import learnability as lb
from describe_gallery import PLACE, with_configurations
from learnability.studies.schema import load_schema
from learnability.studies.validation import check_meaning, checked

ROOT = Path(__file__).parent.parent
ENTRIES = (  # of the reference: members, inherited ones, and fields that only a comment describes
    "Hypercube.parity",
    "Hypercube.spectrum",
    "Circle.sample",
    "Samples.all",
    "Samples.evaluation",
    "FullyConnected.kernel",
    "Residual.kernel",
    "LearningCurve.test_mse_off_train",
    "LearningCurve.plot",
    "Prediction.coefficient_mean",
    "Selection.best",
    "NTKRegressor.predict",
    "predict_samples",
)
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "config" / "README.md", *DOCS]
WITH_CODE = [page for page in PAGES if "\n```python\n" in page.read_text(encoding="utf-8")]
GALLERY = ROOT / "docs" / "gallery.md"

FENCE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
CODE = re.compile(r"`[^`\n]*`")
TEXTS = """() => [...document.querySelectorAll("article :is(p, td, li)")].map(
  element => [...element.childNodes].filter(node => node.nodeType === 3).map(node => node.textContent).join(" "))"""


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs_from_top_to_bottom_and_its_studies_are_valid(page, tmp_path, monkeypatch, capsys):
    """In one folder: a study may name a file that the code above it writes. Blocks of text are what the code prints."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)
    printed = capsys.readouterr().out
    assert all(block in printed for block in blocks(page, "text"))
    schema = load_schema(ROOT / "config" / "schema.yaml")
    for block in blocks(page, "yaml"):
        check_meaning(checked(yaml.safe_load(block), schema))


def printed(notebook):
    """What its cells print and show, but for pictures."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [
        output.get("text") or output["data"]["text/plain"]
        for output in outputs
        if "image/png" not in output.get("data", {})
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_and_prints_what_it_shows(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    shown = printed(notebook)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "IPYTHONDIR": str(tmp_path)}
    with ThreadPoolExecutor(1) as apart:  # a loop of events that stays behind would be in the way of the browser
        apart.submit(client.execute, env=environment).result()
    assert shown and printed(notebook) == shown


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.xdist_group("browser")  # one worker builds the site and starts the browser
def test_the_site_has_all_members_and_names_no_other_host_to_load_from(site):
    page = (site / "reference" / "index.html").read_text(encoding="utf-8")
    missing = [entry for entry in ENTRIES if not re.search(rf'id="learnability\.[\w.]+\.{re.escape(entry)}"', page)]
    assert not missing and not re.search(r'id="learnability\.[\w.]+\._', page)
    for built in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|link|img)\b[^>]*\b(?:src|href)=.?(https?:[^ >]*)", built.read_text(encoding="utf-8")
        )
        assert not loaded, built


@pytest.mark.slow
@pytest.mark.xdist_group("browser")  # one worker builds the site and starts the browser
def test_every_equation_of_the_site_is_typeset_without_a_network(site, browser):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    pages = [page for page in site.rglob("index.html") if 'class="arithmatex"' in page.read_text(encoding="utf-8")]
    assert len(pages) > 10
    # with the page that predicts, and with a graph, which the theme would draw by a CDN
    others = [site / "index.html", site / "architecture" / "index.html"]
    tab = browser.new_page()
    said, asked = [], []
    tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    for page in [*others, *pages]:
        tab.goto(home + page.relative_to(site).parent.as_posix() + "/")
        typeset = tab.locator(".arithmatex .katex").count()
        assert typeset == tab.locator(".arithmatex").count() and (typeset or page not in pages), page
        assert tab.locator(".katex-error, .katex [mathcolor]").count() == 0, page  # what KaTeX does not know
        left = [text for text in tab.evaluate(TEXTS) if re.search(r"\$|\\\w", text)]
        assert not left and not said and all(url.startswith(home) for url in asked), (page, left, said, asked)
    tab.close()
    server.shutdown()


def prose(page):
    """Lines outside of blocks of code."""
    return FENCE.sub(lambda block: "\n" * block.group().count("\n"), page.read_text(encoding="utf-8")).split("\n")


def sentences(cell):
    """How many there are in a cell of a table; what is in brackets, code or an equation ends none."""
    text = re.sub(r"`[^`]*`|\$[^$]*\$|\([^()]*\)|\b(e\.g|et al|sec|eq|eqs)\.", "X", cell.strip())
    return len(re.findall(r"(?<=[\w)\"'%])[.!?](?=\s)", text)) + 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines_are_short_and_cells_hold_two_sentences_at_most(page):
    for line in prose(page):
        if line.startswith("|"):
            assert all(sentences(cell) <= 2 for cell in re.split(r"(?<!\\)\|", line)), line
        else:
            assert len(line) <= 120, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_equations_are_written_as_github_reads_them(page):
    """In a line Markdown takes a backslash before a sign for its own; other equations are blocks of ```math."""
    for line in prose(page):
        if line.startswith("    ") or "$" not in line:
            continue
        for part in re.split(r"(?<!\\)\|", line) if line.startswith("|") else [line]:
            text = CODE.sub("", part)
            assert text.count("$") % 2 == 0 and "$$" not in text, line
            for equation in re.findall(r"\$([^$]*)\$", text):
                assert equation == equation.strip() and not re.search(r"\\[^a-zA-Z]", equation), line


def anchors(page):
    """Of headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", "\n".join(prose(page)), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.stem)
def test_links_lead_to_a_file_and_a_heading_and_pictures_have_a_text(page):
    text = "\n".join(CODE.sub("", line) for line in prose(page))
    for name, target in re.findall(r"\[([^\]]*)\]\(([^)\s]*)\)", text):
        if ":" in target:
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]+(/[\w./#=?&%~-]*)?", target), target
            continue
        path, _, anchor = target.partition("#")
        leads_to = (page.parent / path).resolve() if path else page
        assert name and leads_to.is_file(), target
        assert not anchor or anchor in anchors(leads_to), target


def test_links_in_docstrings_lead_to_a_file():
    for path in [*(ROOT / "learnability").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]:
        for target in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8")):
            assert (ROOT / target).is_file(), (path, target)


def test_the_gallery_shows_every_figure_with_the_configuration_that_makes_it():
    page = GALLERY.read_text(encoding="utf-8")
    assert with_configurations(page) == page, "run `make docs`"
    shown = {(file, name) for file, name in PLACE.findall(page)}
    for path in sorted((ROOT / "config").rglob("*.yaml")):
        config = yaml.safe_load(path.read_text(encoding="utf-8")) if path.stem not in ("schema", "test") else {}
        file = path.relative_to(ROOT).as_posix()
        made = {(file, name) for part in ("studies", "experiments") for name in config.get(part, {})}
        assert made <= shown, path
    pictures = {
        f"![{path.stem}]({path.relative_to(GALLERY.parent).as_posix()})"
        for path in (ROOT / "docs/figures").rglob("*.png")
    }
    assert pictures == set(re.findall(r"!\[.*\]\(.*\)", page))
    schema = load_schema(ROOT / "config" / "schema.yaml")
    for block in blocks(GALLERY, "yaml"):
        checked(yaml.safe_load(block), schema)


def test_every_configuration_file_is_listed():
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    paths = [path.relative_to(ROOT / "config").as_posix() for path in (ROOT / "config").rglob("*.yaml")]
    assert all(f"| `{path}` | " in text for path in paths)


def test_the_notation_is_that_of_docstrings_and_code():
    text = (ROOT / "docs" / "quantities.md").read_text(encoding="utf-8").split("## Notation")[1]
    written = {name for row in text.split("\n| ")[2:] for name in re.findall(r"`([^`]*)`", row.split(" | ")[1])}
    paths = (ROOT / "learnability").rglob("*.py")
    used = {word for path in paths for word in re.findall(r"[\w^]+", path.read_text(encoding="utf-8"))}
    assert len(written) > 30 and written <= used


def test_the_reference_has_every_public_name():
    text = (ROOT / "docs" / "reference.md").read_text()
    assert all(f"::: learnability.{home}.{name}\n" in text for name, home in lb._HOME.items())


SHAPE = r"\((\w+|\.\.\.)?(, ?(\w+|\.\.\.))*,?\)"  # (n, dim), (grid), (...)
SOURCE = r"arXiv|et al\.|[\w)] = \w|& \w+ \d{4}|`learnability\.theory"


@pytest.mark.parametrize("name", lb.__all__)
def test_every_public_name_says_what_it_takes_returns_refuses_and_where_it_is_from(name):
    thing = getattr(lb, name)
    text = inspect.getdoc(thing)
    assert text and text != inspect.getdoc(object)
    if inspect.isfunction(thing):
        assert all(section in text for section in ("Parameters\n---", "Returns\n---", "Raises\n---"))
        taken = text.split("Parameters\n---")[1].split("Returns\n---")[0]
        undocumented = [p for p in inspect.signature(thing).parameters if not re.search(rf"^(.*, )?{p}\b", taken, re.M)]
        assert not undocumented
        assert re.search(SHAPE, text), "no shape"
        assert re.search(SOURCE, text + (sys.modules[thing.__module__].__doc__ or "")), "no equation, paper or module"
    else:
        makers = [vars(kind).get(maker) for kind in thing.__mro__ for maker in ("__init__", "__post_init__")]
        makers = [inspect.unwrap(maker) for maker in makers if inspect.isfunction(maker)]
        written = [maker for maker in makers if maker.__code__.co_filename != "<string>"]
        if any(re.search(r"\b(require|whole)\(", inspect.getsource(maker)) for maker in written):
            assert "Raises\n---" in text and ("Parameters\n---" in text or "Attributes\n---" in text)


def undocumented(body, inherits=False):
    """Public functions, methods and classes without a docstring; a method of a class with bases may have its base's."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node) and not inherits:
                yield node.name
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body, bool(node.bases))


def test_every_public_function_of_the_library_has_a_docstring():
    for path in (ROOT / "learnability").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
        assert [*undocumented(tree.body)] == [], path
