"""One HTML file with the means of all studies, drawn by plotly.js, which is part of the file; it links to their tables."""

import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from plotly.offline import get_plotlyjs

from ..figures.style import COLOURS, summarised
from ..tables.columns import EXPERIMENTS, MEASURES, NAMES

CHOICES = ["architecture", "target", "ridge", "noise_std"]  # one value of each is shown at a time
MOST_SIZES = 64  # of a curve, besides the measured ones
PLAIN = {
    "train_size": "training-set size n",
    "learnability": "learnability",
    "train_mse": "train error",
    "test_mse": "test error",
    "test_mse_off_train": "test error off the training set",
    "nmse": "normalised error (1: that of the mean)",
    "r2": "R² off the training set",
    "accuracy": "accuracy",
    "accuracy_off_train": "accuracy off the training set",
    "balanced_accuracy_off_train": "balanced accuracy off the training set",
    "log_loss_off_train": "log-loss off the training set",
}


def page(tables: Mapping[str, pd.DataFrame]) -> str:
    """The page as text.

    Parameters
    ----------
    tables : dict of study to DataFrame from `learnability.tables.joined`
    """
    data = {
        "studies": {name: curves(table) for name, table in tables.items()},
        "choices": CHOICES,
        "measures": {measure: PLAIN[measure] for measure in MEASURES},
        "names": NAMES,
        "colours": COLOURS,
        "points": list(EXPERIMENTS),
    }
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    encoded = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
    return text.replace("/*PLOTLY*/", get_plotlyjs()).replace("/*DATA*/", encoded)


def curves(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Means over seeds, {"sizes": lists of training-set sizes, "curves": one dict each}.

    A curve has source, width, the choices and measure (what is missing is None), `at`, the number of its sizes, and mean and
    spread with five digits. A fine curve of the theory is drawn through its measured sizes and at most 64 others.
    """
    means = summarised(table)
    means = means[means["mean"].notna()].sort_values("train_size", kind="stable")
    measured = set(means["train_size"][means["source"].isin(EXPERIMENTS)])
    names = ["source", "width", *CHOICES, "measure"]
    sizes: dict[tuple[float | None, ...], int] = {}
    drawn = []
    for key, part in means.groupby(names, dropna=False, sort=False):
        part = part[thinned(part["train_size"].to_numpy(float), measured)]
        at = sizes.setdefault(tuple(_short(size) for size in part["train_size"]), len(sizes))
        values = {name: [*map(_short, part[name])] for name in ("mean", "spread")}
        if all(spread is None for spread in values["spread"]):
            del values["spread"]
        drawn.append({**dict(zip(names, map(_plain, key), strict=True)), "at": at, **values})
    return {"sizes": [[*each] for each in sizes], "curves": drawn}


def thinned(sizes: Float[np.ndarray, " sizes"], measured: Collection[float]) -> Bool[np.ndarray, " sizes"]:
    """Which of the ascending sizes of a curve are drawn: the measured ones, and one in each of 64 steps of log(size)."""
    if len(sizes) <= MOST_SIZES:
        return np.ones(len(sizes), dtype=bool)
    positive = np.flatnonzero(sizes > 0)
    steps = np.geomspace(sizes[positive[0]], sizes[-1], MOST_SIZES)
    drawn = np.isin(sizes, [*measured])
    drawn[np.minimum(np.searchsorted(sizes, steps), len(sizes) - 1)] = True
    return drawn


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _short(value: float) -> float | None:
    """Five digits of a number: less than a pixel."""
    return float(f"{value:.5g}") if np.isfinite(value) else None
