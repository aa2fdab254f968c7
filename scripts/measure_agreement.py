"""How far theory is from experiment, for all studies."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from job import run
from learnability.common.store import read_frame, write_csv
from learnability.tables.agreement import agreement


def main(parameters: Mapping[str, Any], tables: Sequence[str], agreements: str) -> None:
    """Read the joined table of every study, write one agreement table."""
    parts = [agreement(read_frame(path)) for path in tables]
    for part, study in zip(parts, parameters["studies"], strict=True):
        part.insert(0, "study", study)
    write_csv(agreements, pd.concat(parts, ignore_index=True))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
