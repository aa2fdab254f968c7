"""Learning curves beyond the data: predicted against measured falls, and how often the intervals hold."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from .style import SETTINGS, colours, panels

LABELS = {"none": "no ridge", "tuned": "ridge tuned once", "best": "ridge retuned at each size"}


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """A panel per ridge: measured falls against predicted ones with their intervals; then the coverage of every table.

    Filled points are trusted, open ones have a remark.
    """
    falls = table[table["measure"] == "fall"]
    ridges = [ridge for ridge in LABELS if ridge in set(falls["ridge"])]
    with rc_context(SETTINGS):
        figure, axes = panels(len(ridges) + 1, height=2.9)
        palette = colours(sorted(falls["multiple"].unique()))
        for axis, ridge in zip(axes, ridges, strict=False):
            _falls(axis, falls[falls["ridge"] == ridge], palette)
            axis.set_title(LABELS[ridge])
        axes[0].set_ylabel("measured fall of the error")
        _coverage(axes[-1], table[~table["doubtful"]])
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(palette), title=title)
        return figure


def _falls(axis, rows: pd.DataFrame, palette: dict) -> None:
    ends = np.array([0.8 * min(rows["mean"].min(), rows["theory"].min()), 1.1 * max(rows["mean"].max(), 1.0)])
    axis.plot(ends, ends, color="0.2", linewidth=0.8)
    for multiple, part in rows.groupby("multiple"):
        for doubtful, points in part.groupby("doubtful"):
            axis.errorbar(
                points["theory"], points["mean"], xerr=[points["theory"] - points["low"], points["high"] - points["theory"]],
                fmt="o", color=palette[multiple], markersize=2.4, elinewidth=0.3, alpha=0.7, markeredgewidth=0.5,
                markerfacecolor="white" if doubtful else palette[multiple], rasterized=True,
            )  # fmt: skip
        axis.plot([], [], "o", color=palette[multiple], markersize=3, label=f"{multiple} times the samples")
    axis.set(xscale="log", yscale="log", xlabel="predicted fall, 90 % interval", xlim=ends, ylim=ends)


def _coverage(axis, trusted: pd.DataFrame) -> None:
    """Shares of trusted intervals that hold, by table; crosses: errors, points: falls."""
    inside = trusted.assign(inside=trusted["mean"].between(trusted["low"], trusted["high"]))
    shares = inside.groupby(["table", "measure"])["inside"].mean().unstack()
    places = np.arange(len(shares))
    for measure, marker in (("error", "x"), ("fall", "o")):
        if measure in shares:
            axis.plot(shares[measure], places, marker, color="0.3", markersize=4, label=measure)
    axis.axvline(0.9, color="0.2", linewidth=0.8)
    axis.set_yticks(places, [name.replace("_", " ") for name in shares.index])
    axis.set(xlabel="intervals that hold", xlim=(0, 1.05))
    axis.legend(loc="lower left")
