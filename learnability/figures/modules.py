"""Predicted against measured error of PyTorch modules, for every way of training, and how far kernels moved."""

from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from .style import LABEL_SIZE, SETTINGS, panels, scale_of

TOLD_APART = ("architecture", "training")
SMALLEST = 1e-3  # change of a kernel that has a colour of its own: that of a linear module does not change
ERROR, ACCURACY, CHANGE = "test_mse_off_train", "accuracy_off_train", "change of the kernel"
LABELS = {ERROR: "squared error", ACCURACY: "share of wrong classes"}
ROW, FRAME = 0.145, 0.75  # inches: of a module, and of what is around a panel
MAP = "viridis_r"  # light where the kernel stays, dark where it moves


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """A row per module in the order of its predicted error, a column per way of training: a bar is predicted, a dot measured.

    Above squared errors, below shares of wrong classes. Error bars are standard deviations over initialisations. The colour is
    the change of the tangent kernel during training; a hollow dot: not all networks converged. Titles have the rank
    correlation of predicted and measured errors. Networks trained by the cross-entropy have no squared errors.
    """
    with rc_context(SETTINGS):
        ways = list(dict.fromkeys(table["training"].dropna()))
        points = {(way, measure): _points(table, way, measure) for way in ways for measure in (ERROR, ACCURACY)}
        ways.sort(key=lambda way: _means_nothing(points[way, ERROR]))
        modules = points[ways[0], ERROR].sort_values("predicted", ascending=False, kind="stable").index
        figure, axes = panels(len(ways), 2, height=ROW * len(modules) + FRAME, sharex="row", sharey=True)
        changes = table.loc[table["measure"] == CHANGE, "mean"]
        low = max(changes.min(), SMALLEST)
        colour = ScalarMappable(LogNorm(low, max(changes.max(), 2 * low), clip=True), MAP)
        squared = pd.concat([points[way, ERROR] for way in ways if not _means_nothing(points[way, ERROR])])
        scale = scale_of(squared[["predicted", "measured"]])
        shown = []
        for axis, (measure, way) in zip(axes, ((m, w) for m in (ERROR, ACCURACY) for w in ways), strict=True):
            part = points[way, measure].loc[modules]
            if measure == ERROR and _means_nothing(part):
                axis.set_axis_off()
                continue
            _draw(axis, part, colour)
            rank = part[["predicted", "measured"]].corr("spearman").iloc[0, 1]
            axis.set(title=f"{way}\nrank correlation {rank:.2f}", xlabel=LABELS[measure])
            if measure == ERROR and scale == "log":
                axis.set_xscale("log")
                axis.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
                axis.xaxis.set_major_formatter("{x:g}")
                axis.xaxis.set_minor_locator(NullLocator())
            shown.append(axis)
        shown[0].set_yticks(range(len(modules)), modules, fontsize=LABEL_SIZE)
        bar = figure.colorbar(colour, ax=list(axes), label="change of the tangent kernel", shrink=0.5, pad=0.01)
        bar.ax.minorticks_off()
        figure.legend(handles=_handles(), loc="outside upper center", ncols=3, title=title)
        return figure


def _points(table: pd.DataFrame, way: str, measure: str) -> pd.DataFrame:
    """Predicted and measured errors of every module, their spreads, and the kernel's change."""
    rows = table[table["measure"] == measure].set_index("architecture")
    theory, network = rows[rows["source"] == "theory"], rows[rows["training"] == way]
    of_way = table[table["training"] == way].set_index("architecture")
    errors = pd.DataFrame({"predicted": theory["mean"], "measured": network["mean"]})
    if measure == ACCURACY:
        errors = 1 - errors
    return errors.assign(
        predicted_spread=theory["spread"], spread=network["spread"],
        change=of_way.loc[of_way["measure"] == CHANGE, "mean"],
        converged=of_way.loc[of_way["measure"] == "converged", "mean"] == 1,
    )  # fmt: skip


def _draw(axis: Axes, points: pd.DataFrame, colour: ScalarMappable) -> None:
    """One bar and one dot per module; they stand a little apart, so that neither's error bar covers the other."""
    for row, (_, point) in enumerate(points.iterrows()):
        shade = colour.to_rgba(point["change"])
        axis.errorbar(
            point["predicted"], row - 0.16, xerr=point["predicted_spread"], fmt="|", color="black", markersize=5,
            markeredgewidth=1.4, elinewidth=0.6,
        )  # fmt: skip
        axis.errorbar(
            point["measured"], row + 0.16, xerr=point["spread"], fmt="o", color=shade, ecolor="0.6", markersize=3.6,
            markerfacecolor=shade if point["converged"] else "white", markeredgewidth=0.9, elinewidth=0.6,
        )  # fmt: skip
    for row in range(len(points)):
        axis.axhline(row, color="0.92", linewidth=0.5, zorder=0)
    axis.set_ylim(len(points) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)


def _means_nothing(errors: pd.DataFrame) -> bool:
    """Whether the way of training has no squared errors, since its outputs are logits."""
    return bool(errors["measured"].isna().all())


def _handles() -> list[Line2D]:
    """Legend entries of the marks."""
    mark: dict[str, Any] = {"linestyle": "", "color": "0.2"}
    return [
        Line2D([], [], marker="|", markersize=6, markeredgewidth=1.4, label="predicted before training", **mark),
        Line2D([], [], marker="o", markersize=4, label="measured after it", **mark),
        Line2D([], [], marker="o", markersize=4, markerfacecolor="white", label="not all converged", **mark),
    ]
