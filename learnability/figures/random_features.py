"""Finite width, last layer trained: test error against features, and the plane of samples and features."""

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D

from .style import MARKERS, SETTINGS, colours, finite, panels, source_handles

CURVES = 5  # at most, on the left
TOLD_APART = ("ridge", "train_size", "features")


def draw(table, ridge=None, title=None):
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
            part, points = (
                r[r["train_size"] == size].sort_values("features", kind="stable") for r in (theory, measured)
            )
            left.plot(part["features"], finite(part["mean"]), color=colour)
            left.errorbar(
                points["features"], points["mean"], points["standard_error"], fmt=MARKERS["kernel"], color=colour,
                markerfacecolor="white", markersize=3.4, markeredgewidth=0.8, elinewidth=0.7, capsize=1.5, zorder=3,
            )  # fmt: skip
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


def _plane(figure, axis, theory, measured):
    """Theory as filled contours, the measured means as points in the same colours; dotted: n = k."""
    plane = theory.pivot_table(index="features", columns="train_size", values="mean", dropna=False)
    values = np.where(np.isfinite(plane), plane, measured["mean"].max())
    norm = LogNorm(measured["mean"].min(), measured["mean"].max())
    levels = np.geomspace(norm.vmin, norm.vmax, 15)
    style = {"levels": levels, "norm": norm, "cmap": "viridis"}
    filled = axis.contourf(plane.columns, plane.index, values, extend="both", **style)
    axis.scatter(
        measured["train_size"], measured["features"], c=measured["mean"], norm=norm, cmap="viridis",
        edgecolor="white", linewidth=0.7, s=26, zorder=3,
    )  # fmt: skip
    low, high = measured["train_size"].min(), measured["train_size"].max()
    axis.plot([low, high], [low, high], color="white", linestyle=":", linewidth=1)
    axis.set(xscale="log", yscale="log", xlabel="training-set size $n$", ylabel="features $k$ (width)")
    edges = measured["features"].min() / 1.2, measured["features"].max() * 1.2
    axis.set(xlim=(low / 1.1, high * 1.1), ylim=edges)
    ticks = [a * 10.0**b for b in range(-9, 9) for a in (1, 3) if norm.vmin < a * 10.0**b < norm.vmax]
    bar = figure.colorbar(filled, ax=axis, label=r"test error $\mathcal{E}_{\mathrm{test}}$")
    bar.ax.minorticks_off()
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
