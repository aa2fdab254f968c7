"""Estimators from training data alone beside the error that they estimate, and kappa beside its theory."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import POINT, SETTINGS, Colour, colours, panels

ESTIMATES = {
    "test_mse_off_train": ("measured off the training set", "o", 1.0),
    "leave-one-out": ("leave-one-out", "s", 0.96),
    "gcv": ("GCV (KARE)", "D", 1.04),
}
TOLD_APART = ("ridge", "train_size")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """Two panels against n: the error by each estimator, and kappa; one colour per ridge, means and standard errors.

    The standard error of an estimator is that of its difference to the measured error.
    """
    with rc_context(SETTINGS):
        palette = colours(sorted(table["ridge"].unique()))
        figure, axes = panels(2, height=2.7)
        for ridge, colour in palette.items():
            rows = table[table["ridge"] == ridge]
            _errors(axes[0], rows, colour)
            _kappa(axes[1], rows, colour)
        axes[0].set(xscale="log", yscale="log", xlabel="training samples $n$", ylabel=r"test error $\mathcal{E}$")
        axes[1].set(xscale="log", yscale="log", xlabel="training samples $n$", ylabel=r"1/Tr $A^{-1}$")
        sizes = sorted(table["train_size"].unique().astype(int))
        for axis in axes:
            axis.set_xticks(sizes, [str(n) for n in sizes])
            axis.xaxis.minorticks_off()
        handles = [
            Line2D([], [], color="0.3", linestyle="", marker=marker, markerfacecolor="white", markersize=4, label=name)
            for name, marker, _ in ESTIMATES.values()
        ]
        handles.append(Line2D([], [], color="0.3", label="theory"))
        handles += [Line2D([], [], color=colour, label=f"ridge δ = {ridge:g}") for ridge, colour in palette.items()]
        figure.legend(handles=handles, loc="outside upper center", ncols=3, title=title)
        return figure


def _errors(axis: Axes, rows: pd.DataFrame, colour: Colour) -> None:
    """The theory as a line, the measured error and its estimates as points."""
    error = rows[rows["measure"] == "test_mse_off_train"].sort_values("train_size", kind="stable")
    axis.plot(error["train_size"], error["theory"], color=colour, linewidth=0.9)
    for measure, (_, marker, shift) in ESTIMATES.items():
        _points(axis, rows[rows["measure"] == measure], marker, colour, shift)


def _kappa(axis: Axes, rows: pd.DataFrame, colour: Colour) -> None:
    """The theory's kappa as a line, 1 / Tr A^-1 as points."""
    kappa = rows[rows["measure"] == "kappa"].sort_values("train_size", kind="stable")
    axis.plot(kappa["train_size"], kappa["theory"], color=colour)
    _points(axis, kappa, "o", colour, 1.0)


def _points(axis: Axes, rows: pd.DataFrame, marker: str, colour: Colour, shift: float) -> None:
    """Means with their standard errors; `shift` keeps estimators apart."""
    axis.errorbar(
        rows["train_size"] * shift, rows["mean"], rows["standard_error"], fmt=marker, color=colour,
        markerfacecolor="white", markeredgewidth=0.8, **POINT,
    )  # fmt: skip
