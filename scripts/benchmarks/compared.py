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
    """All seconds of the tables of `make benchmark`, rows {what, seconds}, each `what` once."""
    parts = tables["figures"]
    rows = [{"what": "make figures, all cores' time", "seconds": sum(row["seconds"] for row in parts)}]
    rows += [{"what": f"make figures, {row['part']}", "seconds": row["seconds"]} for row in parts]
    rows += [
        {"what": f"{method.replace('_', ' ')} of a network, n = {row['train_size']}, k = {row['degree']}",
         "seconds": row[f"{method}_seconds"]}
        for method in ("gradient_flow", "gradient_descent")
        for row in tables["trainers"]
    ]  # fmt: skip
    rows += [row for name in ("several_outputs", "starts", "kernels") for row in tables[name]]
    rows += [{"what": _ensemble(row), "seconds": row["seconds"]} for row in tables["costs"]]
    return [{"what": row["what"], "seconds": row["seconds"]} for row in rows]


def compared(rows: Sequence[Row], committed: Path) -> list[Row]:
    """The rows with the seconds of the committed file and the ratio to them.

    Rows that only one of the two has are `new` or `missing`, with `nan` for what the other would say. Without a file there is
    no verdict.

    Examples
    --------
    >>> compared([{"what": "a start", "seconds": 1.0}], Path("missing.csv"))
    [{'what': 'a start', 'seconds': 1.0, 'before': nan, 'ratio': nan, 'verdict': ''}]
    """
    before = pd.read_csv(committed).set_index("what")["seconds"].to_dict() if committed.exists() else {}
    now = {row["what"]: row["seconds"] for row in rows}
    beside = []
    for what in [*now, *(what for what in before if what not in now)]:
        new, old = now.get(what, float("nan")), before.get(what, float("nan"))
        verdict = _verdict(new / old, what in now, what in before) if before else ""
        beside.append({"what": what, "seconds": new, "before": old, "ratio": new / old, "verdict": verdict})
    return beside


def _verdict(ratio: float, measured: bool, committed: bool) -> str:
    if not measured:
        return "missing"
    if not committed:
        return "new"
    return "slower" if ratio > SLOWER else "faster" if ratio < 1 / SLOWER else ""


def _ensemble(row: Row) -> str:
    """An ensemble of the table `costs`."""
    outputs = f"{row['outputs']} outputs" if row["outputs"] > 1 else f"k = {row['degree']}"
    return f"training, {row['depth']} layers, width {row['width']}, n = {row['train_size']}, {outputs}"
