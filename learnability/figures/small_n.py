"""Small training sets: the error of hard modes rises with n, and its slope at n = 0 is known in closed form."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..common.errors import require
from ..tables.columns import EXPERIMENTS
from .study import Study
from .style import SETTINGS, Colour, colours, converged, panels, points, source_handles

TOLD_APART = ("target", "train_size")


def check(study: Study) -> None:
    """ValueError unless the theory is known at less than one sample, where the tangents are taken."""
    require(
        not study.per_sample,
        "figure small_n draws the theory from 0 samples on, and that of a data set's samples begins at 1; write population: "
        "infinite, or another figure",
    )
    require(max(study.train_sizes) > 0, "figure small_n needs a training-set size above 0; add one to train_sizes")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """MSE against n; dotted lines are its tangents at n = 0, from a parabola through the theory's curve at n <= 0.2."""
    with rc_context(SETTINGS):
        palette = colours(table["target"].unique())
        figure, (axis,) = panels(1, height=3.0, width=4.6)
        rows = converged(table)
        for target, colour in palette.items():
            part = rows[rows["target"] == target]
            _theory(axis, part[part["source"] == "theory"].sort_values("train_size", kind="stable"), colour)
            for source in EXPERIMENTS:
                measured = part[part["source"] == source]
                if len(measured):
                    points(axis, measured, "test_mse", source, colour)
        axis.set(xlabel="training-set size $n$", ylabel=r"test error $\mathcal{E}_{\mathrm{test}}$")
        handles = [Line2D([], [], color=colour, label=target) for target, colour in palette.items()]
        handles += [
            *source_handles(set(table["source"])),
            Line2D([], [], color="0.3", linestyle=":", label="slope at $n=0$"),
        ]
        figure.legend(handles=handles, loc="outside right center", title=title)
        return figure


def _theory(axis: Axes, curve: pd.DataFrame, colour: Colour) -> None:
    """The theory's curve and its tangent at n = 0."""
    axis.plot(curve["train_size"], curve["test_mse"], color=colour)
    start = curve[curve["train_size"] <= 0.2]
    slope = np.polyfit(start["train_size"], start["test_mse"], 2)[1]
    ends = np.array([0, 1.2])
    axis.plot(ends, curve["test_mse"].iloc[0] + slope * ends, color=colour, linestyle=":", linewidth=0.9)
