"""How far theory is from experiment, for all studies."""

import pandas as pd

from job import run
from learnability.common.store import read_frame, write_csv
from learnability.tables.agreement import agreement


def main(studies, tables, agreements):
    """Read the joined table of every study, write one agreement table."""
    parts = [agreement(read_frame(path)) for path in tables]
    for part, study in zip(parts, studies, strict=True):
        part.insert(0, "study", study)
    write_csv(agreements, pd.concat(parts, ignore_index=True))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
