"""The cells of an experiment in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from job import run
from learnability.common.store import read_frame, write_table


def main(parameters: Mapping[str, Any], cells: Sequence[str], csv: str, h5: str) -> None:
    """Join the cells in the order of the configuration."""
    write_table(csv, h5, pd.concat([read_frame(cell) for cell in cells], ignore_index=True), parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
