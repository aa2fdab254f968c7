"""Learning curves predicted from samples alone, on the exact theory and kernel regression; relative differences below."""

from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..tables.columns import LABELS, NAMES
from .style import MARKERS, SETTINGS, Colour, by_number, colours, panels

STYLE: dict[str, dict[str, Any]] = {
    "samples": {"fmt": "D", "markersize": 3.2},
    "kernel": {"fmt": MARKERS["kernel"], "markersize": 4.6},
}
TOLD_APART = ("target", "train_size")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """Curves: exact spectrum. Filled diamonds: predicted from samples. Open circles: kernel regression, standard errors."""
    with rc_context(SETTINGS):
        table = table[table["measure"] == "test_mse"]
        palette = colours(by_number(table["target"].unique()))
        figure, (above, below) = panels(1, 2, height=2.2, width=3.5, sharex=True, height_ratios=(3, 2))
        for name, colour in palette.items():
            rows = table[table["target"] == name]
            exact = rows[rows["source"] == "theory"]
            above.plot(exact["train_size"], exact["mean"], color=colour, label=name, zorder=1)
            for source in STYLE:
                _points(above, below, rows[rows["source"] == source], source, colour)
        below.axhspan(-2, 2, color="0.92", zorder=0)
        below.axhline(0, color="0.6", linewidth=0.6, zorder=0)
        below.set(xscale="log", xlabel=LABELS["train_size"], ylabel="difference to\nexact theory, %", ylim=(-10, 10))
        above.set(xscale="log", yscale="log", ylabel=LABELS["test_mse"], title=title)
        handles = above.get_legend_handles_labels()[0]
        handles += [
            Line2D(
                [], [], linestyle="", color="0.3", marker=style["fmt"], markersize=4, label=NAMES[source],
                markerfacecolor="0.3" if source == "samples" else "white",
            )
            for source, style in STYLE.items() if source in table["source"].to_numpy()
        ]  # fmt: skip
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
        return figure


def _points(above: Axes, below: Axes, rows: pd.DataFrame, source: str, colour: Colour) -> None:
    """Means with standard errors, and their relative differences to the exact theory."""
    face = {"color": colour, "markerfacecolor": colour if source == "samples" else "white"}
    look = {**STYLE[source], **face, "markeredgewidth": 0.8, "elinewidth": 0.7, "zorder": 3 - (source == "kernel")}
    above.errorbar(rows["train_size"], rows["mean"], rows["standard_error"], **look)
    relative = 100 * (rows["mean"] / rows["theory"] - 1)
    below.errorbar(rows["train_size"], relative, 100 * rows["standard_error"] / rows["theory"], **look)
