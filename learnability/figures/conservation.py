"""Conservation of learnability: stacked learnabilities of all eigenfunctions sum to the training-set size
(Simon et al. 2021, fig. 1)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..tables.columns import EXPERIMENTS
from .style import SETTINGS, Colour, by_number, converged, panels

BAR = 0.36

TOLD_APART = ("architecture", "target", "train_size")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """One panel per training-set size; per architecture a pair of stacked bars, kernel left and network right.

    Each colour is one eigenfunction, its height the mean learnability over seeds; the error bar is the standard error
    of the total.
    """
    import seaborn as sns  # not above, as in `style.colours`

    with rc_context(SETTINGS):
        table = converged(table[table["source"].isin(EXPERIMENTS)])
        sizes = sorted(table["train_size"].unique())
        architectures = list(dict.fromkeys(table["architecture"]))
        targets = by_number(table["target"].unique())
        palette = dict(zip(targets, sns.color_palette("viridis", len(targets)), strict=True))
        figure, axes = panels(len(sizes), height=3.0)
        for axis, size in zip(axes, sizes, strict=True):
            _pairs(axis, table[table["train_size"] == size], architectures, palette)
            axis.axhline(size, color="black", linestyle="--", linewidth=0.9, zorder=4)
            corner = (len(architectures) - 0.45, size)
            axis.annotate(f"$n = {size:g}$", corner, xytext=(0, 2), textcoords="offset points", ha="right")
            axis.set_xticks(range(len(architectures)), architectures)
            axis.set(ylabel=r"total learnability $\sum_i \mathcal{L}(\phi_i)$", xlabel="architecture")
            axis.set_ylim(0, size * 1.18)
        handles = [Patch(facecolor=colour, label=name) for name, colour in palette.items()]
        handles += [
            Patch(facecolor="0.85", edgecolor="black", linewidth=0.4, label="left: kernel"),
            Patch(facecolor="0.85", edgecolor="black", linewidth=0.4, hatch="////", label="right: networks"),
        ]
        figure.legend(handles=handles, loc="outside right center", title=title)
        return figure


def _pairs(axis: Axes, rows: pd.DataFrame, architectures: list[str], palette: Mapping[str, Colour]) -> None:
    """A pair of stacked bars for each architecture."""
    for position, architecture in enumerate(architectures):
        for side, source in ((-1, "kernel"), (1, "network")):
            part = rows[(rows["architecture"] == architecture) & (rows["source"] == source)]
            if len(part):
                _stack(axis, position + side * BAR * 0.55, part, palette, hatch=side > 0)


def _stack(axis: Axes, x: float, rows: pd.DataFrame, palette: Mapping[str, Colour], hatch: bool) -> None:
    """One bar of the mean learnabilities, with the standard error of their total."""
    means = rows.groupby("target")["learnability"].mean()
    bottom = 0.0
    for target, colour in palette.items():
        height = means.get(target, 0.0)
        axis.bar(
            x, height, BAR, bottom, color=colour, edgecolor="white", linewidth=0.3, hatch="////" if hatch else None
        )
        bottom += height
    totals = rows.groupby("seed")["learnability"].sum()
    spread = totals.std() / np.sqrt(len(totals)) if len(totals) > 1 else 0.0
    if spread > 1e-9:
        axis.errorbar(x, bottom, spread, color="black", capsize=2, linewidth=0.8, zorder=5)
