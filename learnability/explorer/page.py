"""One HTML file with the means of all studies, drawn by plotly.js, which is part of the file."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from plotly.offline import get_plotlyjs

from ..figures.style import COLOURS, summarised
from ..tables.columns import EXPERIMENTS, MEASURES, NAMES

CHOICES = ["architecture", "target", "ridge", "noise_std"]  # one value of each is shown at a time
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
}


def page(tables: Mapping[str, pd.DataFrame]) -> str:
    """The page as text.

    Parameters
    ----------
    tables : dict of study to DataFrame from `learnability.tables.joined`
    """
    data = {
        "studies": {name: columns(table) for name, table in tables.items()},
        "choices": CHOICES,
        "measures": {measure: PLAIN[measure] for measure in MEASURES},
        "names": NAMES,
        "colours": COLOURS,
        "points": list(EXPERIMENTS),
    }
    text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    encoded = json.dumps(data, allow_nan=False).replace("</", "<\\/")
    return text.replace("/*PLOTLY*/", get_plotlyjs()).replace("/*DATA*/", encoded)


def columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Means over seeds, {column: values}: source, width, the choices, measure, train_size, mean, spread; nan is None."""
    means = summarised(table)
    means = means[means["mean"].notna()]
    names = ["source", "width", *CHOICES, "measure", "train_size", "mean", "spread"]
    return {name: [_plain(value) for value in means[name].tolist()] for name in names}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
