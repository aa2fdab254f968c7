"""Corrected equations beside the paper's: measured errors with both curves, and the relative errors of both below."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..tables.columns import LABELS
from .style import POINT, SETTINGS, Colour, colours, finite, legend_columns, panels

GROUPS = {"ridge": r"ridge $\delta=$", "noise_std": r"$\sigma=$"}
MOST_TICKS = 7
SMALLEST = 1e-4  # measured values below it are not compared


def told_apart(group: str = "target", select: Mapping[str, Any] | None = None, **_: Any) -> set[str]:
    """Columns of which the figure shows several values without mixing them."""
    return {"train_size", group, *(select or {})}


def draw(
    table: pd.DataFrame, group: str = "target", select: Mapping[str, Any] | None = None, title: str | None = None
) -> Figure:
    """One column per measure; above, means and standard errors with both theories, below, theory / measured - 1.

    Parameters
    ----------
    table : DataFrame of `learnability.experiments.corrections`
    group : str
        Column whose values get colours.
    select : dict of column to value, optional
    """
    with rc_context(SETTINGS):
        for name, value in (select or {}).items():
            table = table[table[name] == value]
        measures, palette = list(dict.fromkeys(table["measure"])), colours(table[group].unique())
        figure, axes = panels(len(measures), 2, height=2.0, sharex=True, height_ratios=(2, 1.3))
        for column, measure in enumerate(measures):
            above, below = axes[column], axes[column + len(measures)]
            for value, colour in palette.items():
                rows = table[(table["measure"] == measure) & (table[group] == value)]
                _values(above, rows, colour)
                compared = rows[(rows["source"] == "kernel") & (rows["mean"] > SMALLEST)]
                if len(compared):  # an empty line would take room at the figure's corner
                    _errors(below, compared, colour)
            measured = table[table["source"] == "kernel"]
            _label_values(above, measure, measured.loc[measured["measure"] == measure, "mean"].min())
            _label_errors(below, measure, sorted(measured["train_size"].unique().tolist()))
        symbol = GROUPS.get(group, "")
        handles = [Line2D([], [], color=c, label=f"{symbol}{v:g}" if symbol else v) for v, c in palette.items()]
        handles += [
            Line2D(
                [], [], color="0.3", linestyle="", marker="o", markerfacecolor="white", markersize=4, label="kernel"
            ),
            Line2D([], [], color="0.3", marker="o", markersize=3, label="corrected"),
            Line2D([], [], color="0.3", linestyle="--", marker="x", markersize=4, linewidth=0.7, label="paper"),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=legend_columns(handles, 8), title=title)
        return figure


def _label_values(axis: Axes, measure: str, least: float) -> None:
    """Scale and name of the upper axis."""
    if measure == "learnability":
        axis.set(xscale="log", yscale="linear", ylabel=LABELS[measure])
    else:
        axis.set(xscale="log", yscale="log", ylabel=LABELS[measure])
        axis.set_ylim(bottom=max(SMALLEST, least) / 3)


def _label_errors(axis: Axes, measure: str, sizes: list[float]) -> None:
    """Scales, ticks and names of the lower axis."""
    axis.axhline(0, color="0.5", linewidth=0.6)
    name = r"error of $1-\mathcal{L}$ (%)" if measure == "learnability" else "error of theory (%)"
    axis.set(xlabel=LABELS["train_size"], ylabel=name)
    axis.set_yscale("symlog", linthresh=10)
    axis.set_yticks([-100, -10, 0, 10, 100], ["-100", "-10", "0", "10", "100"])
    ticks = sizes[:: -(-len(sizes) // MOST_TICKS)]
    axis.set_xticks(ticks, [f"{n:g}" for n in ticks])
    axis.xaxis.minorticks_off()


def _values(axis: Axes, rows: pd.DataFrame, colour: Colour) -> None:
    """Both theories as curves, kernel regression as points."""
    styles: dict[str, dict[str, Any]] = {
        "theory": {"linestyle": "-"},
        "paper": {"linestyle": "--", "linewidth": 0.7},
    }
    for source, style in styles.items():
        part = rows[rows["source"] == source].sort_values("train_size", kind="stable")
        axis.plot(part["train_size"], finite(part["mean"]), color=colour, **style)
    measured = rows[rows["source"] == "kernel"]
    axis.errorbar(
        measured["train_size"], measured["mean"], measured["standard_error"], fmt="o", color=colour, markerfacecolor="white",
        markeredgewidth=0.8, zorder=3, **POINT,
    )  # fmt: skip


def _errors(axis: Axes, rows: pd.DataFrame, colour: Colour) -> None:
    """theory / measured - 1 in per cent; of what is missed, 1 - L, for a learnability."""
    missing = (rows["measure"] == "learnability").to_numpy()
    measured = np.where(missing, 1 - rows["mean"], rows["mean"])
    for column, marker in (("paper", "x"), ("theory", "o")):
        predicted = np.where(missing, 1 - rows[column], rows[column])
        error = 100 * (predicted / np.where(measured > 0, measured, np.nan) - 1)
        axis.plot(rows["train_size"], error, linestyle="", marker=marker, color=colour, markersize=3, clip_on=False)
