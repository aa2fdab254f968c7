"""Finite width, last layer trained: test error against features, and the plane of samples and features."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import MARKERS, POINT, SETTINGS, Colour, colours, finite, panels, source_handles

CURVES = 5  # at most, on the left
TOLD_APART = ("ridge", "train_size", "features")


def draw(table: pd.DataFrame, ridge: float | None = None, title: str | None = None) -> Figure:
    """Left: test error against features for a few training sizes. Right: (n, k) plane, contours theory, points experiment.

    Parameters
    ----------
    table : DataFrame from `learnability.experiments.random_features`
    ridge : float, optional
        Missing: the first one.
    """
    with rc_context(SETTINGS):
        rows = table[table["ridge"] == (table["ridge"].iloc[0] if ridge is None else ridge)]
        figure, (left, right) = panels(2, height=2.9)
        theory, measured = rows[rows["source"] == "theory"], rows[rows["source"] != "theory"]
        sizes = sorted(measured["train_size"].unique())
        palette = colours(sizes[:: -(-len(sizes) // CURVES)])
        for size, colour in palette.items():
            _against_features(
                left, theory[theory["train_size"] == size], measured[measured["train_size"] == size], colour
            )
        span = measured["mean"]
        left.set(xscale="log", yscale="log", ylim=(span.min() / 1.5, span.max() * 1.5))
        left.set(xlabel="features $k$ (width)", ylabel=r"test error $\mathcal{E}_{\mathrm{test}}$")
        _plane(figure, right, theory, measured)
        handles = [Line2D([], [], color=colour, label=f"$n=${size:g}") for size, colour in palette.items()]
        handles += source_handles({"theory"})
        handles.append(Line2D([], [], color="0.3", linestyle="", marker="o", markerfacecolor="white", markersize=4,
                              label="last layer trained"))  # fmt: skip
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), title=title, columnspacing=1.2)
        return figure


def _against_features(axis: Axes, theory: pd.DataFrame, measured: pd.DataFrame, colour: Colour) -> None:
    """The test error at one training size: theory as a curve, the measured means as points."""
    theory, measured = (rows.sort_values("features", kind="stable") for rows in (theory, measured))
    axis.plot(theory["features"], finite(theory["mean"]), color=colour)
    axis.errorbar(
        measured["features"], measured["mean"], measured["standard_error"], fmt=MARKERS["kernel"], color=colour,
        markerfacecolor="white", markeredgewidth=0.8, zorder=3, **POINT,
    )  # fmt: skip


def _plane(figure: Figure, axis: Axes, theory: pd.DataFrame, measured: pd.DataFrame) -> None:
    """Theory as filled contours, the measured means as points in the same colours; dotted: n = k."""
    plane = theory.pivot_table(index="features", columns="train_size", values="mean", dropna=False)
    values = np.where(np.isfinite(plane), plane, measured["mean"].max())
    least, largest = measured["mean"].min(), measured["mean"].max()
    norm, levels = LogNorm(least, largest), np.geomspace(least, largest, 15)
    filled = axis.contourf(plane.columns, plane.index, values, extend="both", levels=levels, norm=norm, cmap="viridis")
    axis.scatter(
        measured["train_size"], measured["features"], c=measured["mean"], norm=norm, cmap="viridis",
        edgecolor="white", linewidth=0.7, s=26, zorder=3,
    )  # fmt: skip
    low, high = measured["train_size"].min(), measured["train_size"].max()
    axis.plot([low, high], [low, high], color="white", linestyle=":", linewidth=1)
    axis.set(xscale="log", yscale="log", xlabel="training-set size $n$", ylabel="features $k$ (width)")
    edges = measured["features"].min() / 1.2, measured["features"].max() * 1.2
    axis.set(xlim=(low / 1.1, high * 1.1), ylim=edges)
    ticks = [a * 10.0**b for b in range(-9, 9) for a in (1, 3) if least < a * 10.0**b < largest]
    bar = figure.colorbar(filled, ax=axis, label=r"test error $\mathcal{E}_{\mathrm{test}}$")
    bar.ax.minorticks_off()
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
