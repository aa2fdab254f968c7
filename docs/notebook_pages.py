"""Shows notebooks as pages of the site: nbconvert writes them as Markdown, with their outputs."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter
from traitlets.config import Config

SHOWN = Config(NbConvertBase={"display_data_priority": ["image/png", "text/markdown", "text/plain"]})  # of each output


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """A page for each notebook, beside its file."""
    for path in sorted(Path(config.docs_dir, "notebooks").glob("*.ipynb")):
        text, resources = MarkdownExporter(config=SHOWN).from_filename(path, {"unique_key": path.stem})
        pictures = resources["outputs"].items()
        for name, content in [(f"{path.stem}.md", text), *pictures]:
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Links to notebooks, which GitHub shows, lead to their pages."""
    return markdown.replace(".ipynb)", ".md)")
