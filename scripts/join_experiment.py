"""The cells of an experiment in one table."""

import pandas as pd

from job import run
from learnability.common.store import read_frame, write_table


def main(name, cells, csv, h5):
    """Join the cells in the order of the configuration."""
    write_table(csv, h5, pd.concat([read_frame(cell) for cell in cells], ignore_index=True), {"experiment": name})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
