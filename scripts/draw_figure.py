"""The figure of one study."""

from collections.abc import Mapping
from typing import Any

from job import run
from learnability.common.store import read_frame, write_text
from learnability.figures import drawing, save
from learnability.tables.captions import caption as written


def main(parameters: Mapping[str, Any], table: str, pdf: str, svg: str, png: str, caption: str) -> None:
    """Read the joined table, draw, write PDF, SVG, PNG and the caption."""
    rows = read_frame(table)
    save(drawing(parameters["figure"])(rows, **parameters["options"]), pdf, svg, png)
    write_text(caption, written(parameters["name"], parameters["settings"], rows))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
