"""The figure of one study."""

from job import run
from learnability.common.store import read_frame
from learnability.figures import drawing, save


def main(figure, options, table, pdf, svg, png):
    """Read the joined table, draw, write PDF, SVG and PNG."""
    save(drawing(figure)(read_frame(table), **options), pdf, svg, png)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
