"""The figure of one study."""

from job import run
from learnability.figures import drawing, save
from learnability.store import read_table


def main(figure, options, table, pdf, svg, png):
    """Read the joined table, draw, write PDF, SVG and PNG."""
    save(drawing(figure)(read_table(table), **options), pdf, svg, png)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
