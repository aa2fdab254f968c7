"""All studies on one page for a browser, and the page on which the theory answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from job import run
from learnability.common.store import read_frame, write_text
from learnability.explorer import page as results
from learnability.explorer import predict as prediction


def main(parameters: Mapping[str, Any], tables: Sequence[str], html: str, predict: str) -> None:
    """Read the joined table of every study, write the pages."""
    studies = zip(parameters["studies"], tables, strict=True)
    write_text(html, results.page({study: read_frame(table) for study, table in studies}))
    write_text(predict, prediction.page())


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
