"""All studies on one page for a browser."""

from job import run
from learnability.common.store import read_frame, write_text
from learnability.explorer.page import page


def main(studies, tables, html):
    """Read the joined table of every study, write the page."""
    write_text(html, page({study: read_frame(table) for study, table in zip(studies, tables, strict=True)}))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
