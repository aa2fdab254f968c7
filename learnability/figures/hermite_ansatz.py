"""The ansatz from data statistics: eigenvalues against rank, and learning curves, one colour for each data set or kernel."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import MARKERS, SETTINGS, Colour, colours, panels

PANELS = {
    "eigenvalue": ("rank", "rank of the mode", r"eigenvalue $\lambda$"),
    "test_mse": ("train_size", "training-set size $n$", r"test error / power"),
}
CURVES: dict[str, dict[str, Any]] = {"theory": {"linestyle": "-"}, "paper": {"linestyle": "--", "linewidth": 0.7}}


def told_apart(group: str = "architecture", panel: str = "domain", **_: Any) -> set[str]:
    """Columns of which the figure shows several values without mixing them."""
    return {"train_size", group, panel}


def draw(table: pd.DataFrame, group: str = "architecture", panel: str = "domain", title: str | None = None) -> Figure:
    """One row for each value of `panel`, with eigenvalues on the left and test errors on the right.

    Parameters
    ----------
    table : DataFrame of `learnability.experiments.hermite_ansatz`
    group : str
        Column whose values get colours.
    panel : str
        Column whose values get rows.
    """
    with rc_context(SETTINGS):
        table = table.assign(**{name: "" for name in (group, panel) if name not in table})
        palette, rows = colours(table[group].unique()), table[panel].unique()
        figure, axes = panels(2, len(rows), height=2.3)
        for number, row in enumerate(rows):
            for axis, (measure, (x, xlabel, ylabel)) in zip(axes[2 * number :], PANELS.items(), strict=False):
                shown = table[(table["measure"] == measure) & (table[panel] == row)]
                for value, colour in palette.items():
                    _curves(axis, shown[shown[group] == value], x, colour)
                axis.set(ylabel=ylabel, title=row)
                _scale(axis, shown[shown["source"] == "kernel"], x)
                if number == len(rows) - 1:
                    axis.set_xlabel(xlabel)
        handles = _handles(palette)
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 4), title=title)
        return figure


def _scale(axis: Axes, measured: pd.DataFrame, x: str) -> None:
    """Logarithmic axes about what was measured, with a tick at each training-set size."""
    axis.set(xscale="log", yscale="log")
    axis.set_ylim(measured["mean"].min() / 2, measured["mean"].max() * 2)
    if x == "train_size":
        sizes = sorted(measured[x].unique())
        axis.set_xticks(sizes, [f"{n:g}" for n in sizes])
        axis.xaxis.minorticks_off()


def _handles(palette: Mapping[str, Colour]) -> list[Line2D]:
    """Legend entries of the groups' colours, kernel regression and both versions of the ansatz."""
    circle: dict[str, Any] = {"linestyle": "", "marker": "o", "markerfacecolor": "white", "markersize": 4}
    return [
        *(Line2D([], [], color=colour, label=value) for value, colour in palette.items() if value),
        Line2D([], [], color="0.3", label="kernel", **circle),
        Line2D([], [], color="0.3", label="from statistics, modes mixed", **CURVES["theory"]),
        Line2D([], [], color="0.3", label="as published", **CURVES["paper"]),
    ]


def _curves(axis: Axes, rows: pd.DataFrame, x: str, colour: Colour) -> None:
    """Both versions of the ansatz as curves, what was measured as points."""
    for source, style in CURVES.items():
        part = rows[rows["source"] == source].sort_values(x, kind="stable")
        axis.plot(part[x], part["mean"], color=colour, **style)
    measured = rows[rows["source"] == "kernel"]
    axis.errorbar(
        measured[x], measured["mean"], measured.get("standard_error"), fmt=MARKERS["kernel"], color=colour,
        markerfacecolor="white", markersize=3, markeredgewidth=0.7, elinewidth=0.7, capsize=1.5, zorder=3,
    )  # fmt: skip
