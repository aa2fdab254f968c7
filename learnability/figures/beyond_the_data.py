"""Learning curves beyond the data: predicted against measured falls, and how often the intervals hold."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from .style import COLOURS, SETTINGS, colours, panels

TOLD_APART = ("table", "ridge", "multiple", "architecture")  # every case is a point of its own
LABELS = {"none": "no ridge", "tuned": "ridge tuned once", "best": "ridge retuned at each size"}


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """A panel per ridge: measured falls against predicted ones with their intervals; then the coverage of every table.

    Filled points are trusted, open ones have a remark. Coverage is that of trusted intervals, their number in brackets.
    """
    falls = table[table["measure"] == "fall"]
    ridges = [ridge for ridge in LABELS if ridge in set(falls["ridge"])]
    lowest = 0.8 * min(falls["mean"].min(), falls["theory"].min())
    ends = np.array([lowest, 1.2 * max(falls["mean"].max(), 1.0)])
    with rc_context(SETTINGS):
        figure, axes = panels(2, rows=-(-(len(ridges) + 1) // 2), height=3.0)
        palette = colours(sorted(falls["multiple"].unique()))
        for axis, ridge in zip(axes, ridges, strict=False):
            _falls(axis, falls[falls["ridge"] == ridge], palette, ends)
            axis.set_title(LABELS[ridge])
        _coverage(axes[len(ridges)], table[~table["doubtful"].astype(bool)])
        for axis in axes[len(ridges) + 1 :]:
            axis.set_axis_off()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(palette), title=title)
        return figure


def _falls(axis: Axes, rows: pd.DataFrame, palette: dict, ends: np.ndarray) -> None:
    axis.plot(ends, ends, color="0.2", linewidth=0.8)
    for multiple, part in rows.groupby("multiple"):
        for doubtful, points in part.groupby("doubtful"):
            axis.errorbar(
                points["theory"], points["mean"], xerr=[points["theory"] - points["low"], points["high"] - points["theory"]],
                fmt="o", color=palette[multiple], markersize=2.6, elinewidth=0.3, alpha=0.8, markeredgewidth=0.5,
                markerfacecolor="white" if doubtful else palette[multiple], rasterized=True,
            )  # fmt: skip
        axis.plot([], [], "o", color=palette[multiple], markersize=3, label=f"{multiple} times the samples")
    axis.set(xlabel="predicted fall of the error", ylabel="measured fall of the error", xlim=ends, ylim=ends)
    for scale, one in ((axis.set_xscale, axis.xaxis), (axis.set_yscale, axis.yaxis)):
        scale("log")
        one.set_major_locator(LogLocator(subs=(1, 2, 5)))
        one.set_major_formatter("{x:g}")
        one.set_minor_locator(NullLocator())


def _coverage(axis: Axes, trusted: pd.DataFrame) -> None:
    inside = trusted.assign(inside=trusted["mean"].between(trusted["low"], trusted["high"]))
    groups = inside.groupby(["table", "measure"])["inside"]
    shares, numbers = groups.mean().unstack(), groups.size().unstack().max(axis=1).astype(int)
    places = np.arange(len(shares))
    for measure, marker in (("error", "x"), ("fall", "o")):
        if measure in shares:
            axis.plot(shares[measure], places, marker, color=COLOURS["kernel"], markersize=4.5, label=measure)
    axis.axvline(0.9, color="0.2", linewidth=0.8)
    axis.set_yticks(places, [f"{name.replace('_', ' ')} ({numbers[name]})" for name in shares.index])
    axis.set(xlabel="share of the 90 % intervals that hold", xlim=(0.5, 1.02), title="trusted intervals")
    axis.legend(loc="lower left")
