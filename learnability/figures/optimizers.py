"""Test error of networks by training method against the prediction, and how far each method's mean is from it."""

from collections.abc import Mapping

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ..tables.columns import LABELS
from .style import MARKERS, POINT, SETTINGS, Colour, colours, finite, log_errors, panels

NAMES = {"gradient_flow": "gradient flow", "gradient_descent": "gradient descent", "sgd": "SGD", "adam": "Adam"}
ERROR = "test_mse_off_train"
TOLD_APART = ("method", "train_size")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """Left: test error against n; middle: learnability; right: measured over predicted error, with its standard error.

    Curves are theory, circles kernel regression, triangles networks; bars left and in the middle are standard deviations over
    training sets.
    """
    with rc_context(SETTINGS):
        figure, axes = panels(3, height=2.7)
        methods = list(dict.fromkeys(table["method"].dropna()))
        wide = table[table["source"] != "network"].drop_duplicates(["source", "measure", "train_size"])
        series = {"kernel": wide[wide["source"] == "kernel"]}
        series |= {m: table[(table["source"] == "network") & (table["method"] == m)] for m in methods}
        palette = {"kernel": "0.35", **colours(methods)}
        for axis, measure in zip(axes, (ERROR, "learnability"), strict=False):
            curve = wide[(wide["source"] == "theory") & (wide["measure"] == measure)]
            curve = curve.sort_values("train_size", kind="stable")
            axis.plot(curve["train_size"], finite(curve["mean"]), color="0.1", zorder=1)
            for number, (name, rows) in enumerate(series.items()):
                _points(axis, rows[rows["measure"] == measure], number, len(series), palette[name], "spread")
            axis.set(ylabel=LABELS[measure])
        for number, (name, rows) in enumerate(series.items()):
            ratio = rows[rows["measure"] == ERROR].copy()
            for column in ("mean", "standard_error"):
                ratio[column] = ratio[column] / ratio["theory"]
            _points(axes[2], ratio, number, len(series), palette[name], "standard_error")
        axes[2].axhline(1, color="0.1", zorder=0)
        axes[2].set(ylabel="measured / predicted test error")
        log_errors(axes[0])
        sizes = sorted(table.loc[table["source"] == "network", "train_size"].unique())
        for axis in axes:
            axis.set(xscale="log", xlabel=LABELS["train_size"])
            axis.set_xticks(sizes, [f"{size:g}" for size in sizes])
            axis.xaxis.set_minor_locator(NullLocator())
        figure.legend(handles=_handles(table, palette), loc="outside upper center", ncols=len(palette) + 2, title=title)
        return figure


def _points(axis: Axes, rows: pd.DataFrame, number: int, of: int, colour: Colour, bars: str) -> None:
    """Means with bars, each series beside the others."""
    beside = 1.05 ** (number - (of - 1) / 2)
    kernel = (rows["source"] == "kernel").all()
    axis.errorbar(
        rows["train_size"] * beside, rows["mean"], rows[bars].fillna(0), fmt=MARKERS["kernel" if kernel else "network"],
        color=colour, markerfacecolor="white" if kernel else colour, markeredgewidth=0.8, zorder=3, **POINT,
    )  # fmt: skip


def _handles(table: pd.DataFrame, palette: Mapping[str, Colour]) -> list[Line2D]:
    """Legend entries of the theory, of every series, and of how many networks are left out."""
    handles = [Line2D([], [], color="0.1", label="theory")]
    for name, colour in palette.items():
        mark, face = ("o", "white") if name == "kernel" else ("^", colour)
        label = "kernel regression" if name == "kernel" else NAMES.get(name, name)
        handles.append(
            Line2D([], [], color=colour, marker=mark, markerfacecolor=face, markersize=4, linestyle="", label=label)
        )
    share = table.loc[table["measure"] == "converged", ["mean", "functions"]]
    missing = int(round(((1 - share["mean"]) * share["functions"]).sum()))
    if missing:
        label = f"{missing} of {int(share['functions'].sum())} did not converge: not shown"
        handles.append(Line2D([], [], linestyle="", label=label))
    return handles
