"""What the spectrum of many samples costs, with fitted exponents, and how far predictions from it are from the dense ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..tables.columns import LABELS, NAMES
from .style import SETTINGS, Colour, colours, panels

ORDER = ("dense", "quadrature", "nystrom", "subsample")
MARKS = dict(zip(ORDER, "soD^", strict=True))
FITTED = 3  # largest sizes, to which the exponent is fitted
TOLD_APART = ("method", "samples", "train_size")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """Left: error of predictions relative to the dense ones (test error filled, kappa open). Right: time and memory."""
    with rc_context(SETTINGS):
        palette = colours(ORDER)
        figure, (error, time, memory) = panels(3, height=2.6)
        _errors(error, table, palette)
        for axis, measure, label in (
            (time, "cpu seconds", "processor time, seconds"),
            (memory, "megabytes", "peak memory, MB"),
        ):
            rows = table[table["measure"] == measure].sort_values("samples", kind="stable")
            for method, colour in palette.items():
                _cost(axis, rows[rows["source"] == method], MARKS[method], colour, fitted=measure == "cpu seconds")
            axis.set(xscale="log", yscale="log", xlabel="samples $M$", ylabel=label)
            axis.margins(x=0.12)
        present = [method for method in ORDER if method in table["source"].to_numpy()]
        handles = [
            Line2D([], [], linestyle="", marker=MARKS[m], color=palette[m], markersize=4, label=NAMES[m])
            for m in present
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), title=title)
        return figure


def _cost(axis: Axes, rows: pd.DataFrame, mark: str, colour: Colour, fitted: bool) -> None:
    """A cost against the number of samples, with a power of it if `fitted`, through the points if not."""
    if rows.empty:
        return
    x, y = rows["samples"].to_numpy(float), rows["mean"].to_numpy()
    axis.plot(x, y, mark, color=colour, markersize=3.4)
    if not fitted or len(x) < FITTED:
        axis.plot(x, y, color=colour, linewidth=0.8)
        return
    slope, level = np.polyfit(np.log(x[-FITTED:]), np.log(y[-FITTED:]), 1)
    axis.plot(x, np.exp(level) * x**slope, color=colour, linewidth=0.8)
    axis.annotate(
        f"$M^{{{slope:.1f}}}$", (x[-1], y[-1]), (4, 0), textcoords="offset points",
        fontsize=7, color=colour, va="center",
    )  # fmt: skip


def _errors(axis: Axes, table: pd.DataFrame, palette: Mapping[str, Colour]) -> None:
    """Relative difference of predictions to the dense ones, of the largest data set for which there are any."""
    compared = table[table["theory"].notna()]
    largest = compared["samples"].max()
    compared = compared[compared["samples"] == largest]
    for (method, measure), rows in compared.groupby(["source", "measure"]):
        rows, colour = rows.sort_values("train_size", kind="stable"), palette[method]
        face = colour if measure == "test_mse" else "white"
        relative = np.maximum((rows["mean"] / rows["theory"] - 1).abs(), 1e-6)
        axis.plot(
            rows["train_size"], relative, color=colour, linewidth=0.6, marker=MARKS[method], markersize=3.4,
            markerfacecolor=face,
        )  # fmt: skip
    axis.axhline(0.01, color="0.6", linewidth=0.6, linestyle=":")
    axis.set(
        xscale="log", yscale="log", xlabel=LABELS["train_size"], ylabel="relative difference to dense",
        title=rf"$M={largest:g}$; test error (filled), $\kappa$ (open)",
    )  # fmt: skip
