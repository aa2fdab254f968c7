"""Which architecture to take, in words: the best per training size with its margin, and the samples that reach an error."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

TIE = 2  # standard errors of the margin
SHOWN = 3  # candidates whose samples are listed


def best_lines(best: pd.DataFrame, by: str = "error") -> list[str]:
    """A line per training size.

    Parameters
    ----------
    best : DataFrame as `learnability.selection.selection.Selection.best`
    by : what the candidates are ranked by, as in `learnability.select`
    """
    lines = []
    for row in best.to_dict("records"):
        error = "no normalised error, for the target is constant"
        if np.isfinite(row["nmse"]):
            error = f"normalised error {row['nmse']:.3g} predicted"
            if np.isfinite(row.get("test_mse_std", np.nan)):
                error += (
                    f", ± {row['test_mse_std'] * row['nmse'] / row['test_mse']:.2g} from one training set to the next"
                )
        if np.isfinite(row.get("accuracy", np.nan)):
            error += f", accuracy {row['accuracy']:.3g}"
        if np.isfinite(row.get("log_loss", np.nan)):
            error += f" (balanced {row['balanced_accuracy']:.3g}), log-loss {row['log_loss']:.3g}"
        line = f"n = {row['train_size']:g}: {named(row)}, {error}"
        if isinstance(row["runner_up"], str):
            line += f"; {row['runner_up']} {_compared(row['margin'], row['margin_error'], by)}"
        lines.append(line)
    return lines


def samples_lines(needed: pd.DataFrame, nmse: float, smallest: float) -> list[str]:
    """Lines on the samples that reach a normalised error.

    Parameters
    ----------
    needed : DataFrame as `learnability.selection.selection.Selection.samples_needed`
    nmse : the normalised error
    smallest : the smallest ranked training size, at which a candidate may be below the error already
    """
    reached = needed[needed["samples"].notna()].sort_values("samples", kind="stable")
    first = [f"{_samples(row, smallest)} with {named(row)}" for row in reached.head(SHOWN).to_dict("records")]
    line = f"R2 of {1 - nmse:g}, samples for a normalised error of {nmse:g}: "
    if first:
        line += "; ".join(first) + "; "
    return [line + f"{len(reached)} of {len(needed)} candidates reach it"]


def recommendation(table: pd.DataFrame) -> list[str]:
    """Lines from the table of an experiment of kind select (`learnability.experiments.select`); none from another table."""
    if "measure" not in table or not (table["measure"] == "best").any():
        return []
    table = table.rename(columns={"candidate": "architecture", "kernel_kind": "kernel"})
    if "domain" not in table:
        table = table.assign(domain=None)
    lines = []
    for domain, rows in table.groupby("domain", dropna=False, sort=False):
        best = rows[rows["measure"] == "best"]
        ranked = best["train_size"][best["train_size"] > 0]
        needed = rows[rows["measure"] == "samples needed"].rename(columns={"mean": "samples"})
        sentences = best_lines(best)
        for nmse, part in needed.groupby("nmse"):
            sentences += samples_lines(part, nmse, ranked.min())
        lines += [f"{domain}, {line}" if isinstance(domain, str) else line for line in sentences]
    return lines


def named(row: Mapping[Any, Any]) -> str:
    """A candidate: its name, kernel and ridge."""
    ridge = f", ridge {row['ridge']:.3g}" if row.get("ridge", 0) > 0 else ""
    return f"{row['architecture']} ({row['kernel']}{ridge})"


def _compared(margin: float, error: float, by: str) -> str:
    """How the runner-up stands to the best, whose error may be zero."""
    if margin == 0:
        return "is as good: a tie"
    if np.isposinf(margin):
        return "does not reach zero"
    if by.endswith("accuracy"):
        return f"is wrong {_percent(margin)} % more often"
    if not np.isfinite(error):
        return f"is {_percent(margin)} % worse"
    return f"is {_percent(margin)} ± {_percent(error)} % worse" + (": a tie" if margin < TIE * error else "")


def _percent(share: float) -> str:
    return f"{100 * share:.2g}" if share < 0.1 else f"{100 * share:.0f}"


def _samples(row: Mapping[str, Any], smallest: float) -> str:
    if row["samples"] == smallest:
        return f"{smallest:g} or fewer"
    error = f" ± {row['standard_error']:.2g}" if np.isfinite(row["standard_error"]) else ""
    return f"{row['samples']:.3g}{error}"
