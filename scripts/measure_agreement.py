"""How far theory is from experiment, for all studies."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from job import run
from learnability.common.store import read_frame, write_csv, write_text
from learnability.tables.agreement import agreement, headlines


def main(parameters: Mapping[str, Any], tables: Sequence[str], agreements: str, summary: str) -> None:
    """Read the joined table of every study, write one agreement table and the headlines of each study."""
    parts = [agreement(read_frame(path)) for path in tables]
    for part, study in zip(parts, parameters["studies"], strict=True):
        part.insert(0, "study", study)
    write_csv(agreements, pd.concat(parts, ignore_index=True))
    lines = [
        f"- {study}: {line}"
        for part, study in zip(parts, parameters["studies"], strict=True)
        for line in headlines(part)
    ]
    write_text(summary, "\n".join(["How far experiment is from theory:", "", *lines] if lines else []) + "\n")


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
