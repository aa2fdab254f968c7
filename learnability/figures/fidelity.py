"""What a trainer's accuracy costs: difference to the reference in function space against time per network."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import SETTINGS, Colour, colours, panels

MARKS = {"gradient_flow": "o", "gradient_descent": "s"}
TOLD_APART = ("architecture", "width", "train_size", "degree")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """One panel per architecture; each line is one width, each point one accuracy (mean over cells and seeds).

    The vertical axis is the difference as a share of the network's own distance from its infinite-width prediction.
    """
    with rc_context(SETTINGS):
        names = list(dict.fromkeys(table["architecture"]))
        palette = colours([str(width) for width in sorted(table["width"].unique())])
        figure, axes = panels(len(names), height=2.7, sharey=True)
        for axis, name in zip(axes, names, strict=True):
            for width, colour in palette.items():
                rows = table[(table["architecture"] == name) & (table["width"] == int(width))]
                _methods(axis, rows, colour)
            axis.axhline(0.1, color="0.7", linewidth=0.6, linestyle="--")
            axis.set(xscale="log", yscale="log", xlabel="seconds per network", title=name)
        axes[0].set_ylabel("difference / distance to\ninfinite width (rms)")
        handles = [Line2D([], [], color=colour, label=f"width {width}") for width, colour in palette.items()]
        handles += [
            Line2D([], [], color="0.3", marker="o", markersize=4, label="gradient flow"),
            Line2D([], [], color="0.3", marker="s", markersize=4, linestyle=":", label="gradient descent"),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), columnspacing=1.2, title=title)
        return figure


def _methods(axis: Axes, rows: pd.DataFrame, colour: Colour) -> None:
    """A line for each trainer, from its least accurate setting to its most accurate one."""
    for method, group in rows.groupby("method"):
        summary = group.groupby("accuracy").apply(_summary, include_groups=False)
        summary = summary[summary["share"] > 0]
        axis.plot(
            summary["seconds"], summary["share"], marker=MARKS[method], color=colour, markersize=3.4,
            linestyle="-" if method == "gradient_flow" else ":",
        )  # fmt: skip


def _summary(rows: pd.DataFrame) -> pd.Series:
    """Root mean square share over the cells, geometric mean of the time."""
    share = np.sqrt((rows["difference"] ** 2).mean() / (rows["distance"] ** 2).mean())
    seconds = np.exp(np.log(rows["seconds"]).mean())
    return rows.iloc[0][[]].reindex(["share", "seconds"]).astype(float).fillna({"share": share, "seconds": seconds})
