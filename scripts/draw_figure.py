"""The figure of one study."""

from job import run
from learnability.common.store import read_frame, write_text
from learnability.figures import drawing, save
from learnability.tables.captions import caption as written


def main(name, figure, options, settings, table, pdf, svg, png, caption):
    """Read the joined table, draw, write PDF, SVG, PNG and the caption."""
    rows = read_frame(table)
    save(drawing(figure)(rows, **options), pdf, svg, png)
    write_text(caption, written(name, settings, rows))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
