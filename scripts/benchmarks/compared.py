"""Times of `make benchmark` beside those committed for the same kind of processor, docs/benchmarks/PROCESSOR.csv."""

import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from .measured import Row

COMMITTED = Path(__file__).parents[2] / "docs" / "benchmarks"
SLOWER = 1.1  # times as long, which is shown


def processor() -> str:
    """The kind of this machine's processor, as a file may be called."""
    try:
        described = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not on Linux
        described = ""
    named = re.search(r"^model name\s*:\s*(.+)$", described, re.MULTILINE)
    name = named[1] if named else platform.processor() or platform.machine()
    return re.sub(r"\W+", "-", name).strip("-").lower()


def times(tables: Mapping[str, Sequence[Row]]) -> list[Row]:
    """All seconds of the tables of `make benchmark`, rows {what, seconds}."""
    rows = [row for name in ("starts", "kernels", "several_outputs") for row in tables[name]]
    figures = {"what": "make figures, all cores' time", "seconds": sum(row["seconds"] for row in tables["figures"])}
    flow = [
        {
            "what": f"gradient flow of a network, n = {row['train_size']}, k = {row['degree']}",
            "seconds": row["gradient_flow_seconds"],
        }
        for row in tables["trainers"]
    ]
    return [{"what": row["what"], "seconds": row["seconds"]} for row in [figures, *rows, *flow]]


def compared(rows: Sequence[Row], committed: Path) -> list[Row]:
    """The rows with the seconds of the committed file and the ratio to them; `nan` and no verdict for what it lacks.

    Examples
    --------
    >>> compared([{"what": "a start", "seconds": 1.0}], Path("missing.csv"))
    [{'what': 'a start', 'seconds': 1.0, 'before': nan, 'ratio': nan, 'verdict': ''}]
    """
    before = pd.read_csv(committed).set_index("what")["seconds"].to_dict() if committed.exists() else {}
    beside = []
    for row in rows:
        old = before.get(row["what"], float("nan"))
        ratio = row["seconds"] / old
        verdict = "slower" if ratio > SLOWER else "faster" if ratio < 1 / SLOWER else ""
        beside.append({**row, "before": old, "ratio": ratio, "verdict": verdict})
    return beside
