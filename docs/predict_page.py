"""A hook of MkDocs: the page "predict" becomes part of the site, as predict.html beside the home page."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from learnability.explorer.predict import page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    files.append(File.generated(config, "predict.html", content=page()))
    return files
