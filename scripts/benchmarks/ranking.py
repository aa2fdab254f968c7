"""What a ranking costs: the command `select` on tables of 500 to a million rows, and its distance from the full computation.

    python scripts/benchmark.py --ranking FOLDER

Nine candidates at four sizes, a synthetic table of ten columns with a number as label, and one with ten classes. Each is a
process of its own. Seconds are of the processor, which other work on the machine hardly changes; memory is the process's peak.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from .measured import Row

ROWS = (500, 5_000, 50_000, 1_000_000)
COLUMNS, CLASSES = 10, 10
COMPARED = ["--depth", "1", "--activation", "relu", "--ridge", "0.1"]  # one candidate of the full computation


def table(rows: int, classes: bool) -> pd.DataFrame:
    """Standard normal columns, and a label that is a smooth function of them with noise, as a number or as one of ten texts."""
    rng, weights = np.random.default_rng(0), np.random.default_rng(1).standard_normal((2, COLUMNS, CLASSES))
    x = rng.standard_normal((rows, COLUMNS)).round(4)
    if classes:
        scores = np.tanh(x @ weights[0]) @ weights[1] + 0.5 * rng.standard_normal((rows, CLASSES))
        y = np.array([f"class {number}" for number in range(CLASSES)])[scores.argmax(1)]
    else:
        y = (np.sin(1.5 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3] + 0.3 * rng.standard_normal(rows)).round(4)
    return pd.DataFrame(x, columns=[f"x{number}" for number in range(COLUMNS)]).assign(label=y)


def ranking(folder: Path, row_numbers: Sequence[int] = ROWS) -> list[Row]:
    """A row per table: processor seconds and memory of `select`, and the largest difference to `select --full` in per cent."""
    rows: list[Row] = []
    for number in row_numbers:
        for classes in (False, True):
            path = folder / f"{number}{'-classes' if classes else ''}.csv"
            table(number, classes).to_csv(path, index=False)
            seconds, memory, _ = cost(path, [])
            fast, full = (cost(path, [*COMPARED, option])[2]["nmse"] for option in ("--fast", "--full"))
            off = 100 * (fast / full - 1).abs().max()
            rows.append({"rows": number, "label": "ten classes" if classes else "a number", "seconds": seconds,
                         "memory, MiB": memory, "largest difference, %": off})  # fmt: skip
            path.unlink()
    return rows


def cost(path: Path, options: Sequence[str]) -> tuple[float, float, pd.DataFrame]:
    """Processor seconds, peak memory in MiB and the ranking of one process."""
    csv = path.with_suffix(".ranking")
    command = [sys.executable, "-m", "learnability", "select", str(path), *options, "--csv", str(csv)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed")
    sorted_rows = pd.read_csv(csv).sort_values(["architecture", "train_size"], kind="stable", ignore_index=True)
    csv.unlink()
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, sorted_rows
