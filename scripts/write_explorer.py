"""All studies on one page for a browser."""

from collections.abc import Mapping, Sequence
from typing import Any

from job import run
from learnability.common.store import read_frame, write_text
from learnability.explorer.page import page


def main(parameters: Mapping[str, Any], tables: Sequence[str], html: str) -> None:
    """Read the joined table of every study, write the page."""
    studies = zip(parameters["studies"], tables, strict=True)
    write_text(html, page({study: read_frame(table) for study, table in studies}))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
