"""All modes of all kernels collapse on one curve: L = x / (1 + x) with x = lambda / kappa."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..common.errors import require
from ..tables.columns import EXPERIMENTS
from .study import Study
from .style import MARKERS, POINT, SETTINGS, Colour, colours, converged, panels, source_handles

TOLD_APART = ("architecture", "target", "train_size")


def check(study: Study) -> None:
    """ValueError unless something is learned from samples."""
    require(max(study.train_sizes) > 0, "figure universal needs a training-set size above 0; add one to train_sizes")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """One panel per training size; the horizontal position of a mode is the theory's lambda / kappa."""
    with rc_context(SETTINGS):
        rows = _modes(table)
        palette = colours(sorted(rows["train_size"].unique()))
        figure, axes = panels(2, height=2.8)
        curve = np.geomspace(rows["x"].min() / 2, rows["x"].max() * 2, 200)
        for axis, source in zip(axes, ("kernel", "network"), strict=True):
            axis.plot(curve, curve / (1 + curve), color="0.3", zorder=1)
            _points(axis, rows[rows["source"] == source], source, palette)
            axis.set(
                xscale="log", xlabel=r"eigenvalue over constant, $\lambda/\kappa$", ylabel=r"learnability $\mathcal{L}$"
            )
            axis.legend(loc="upper left")
        figure.legend(
            handles=source_handles({"theory", "kernel", "network"}), loc="outside upper center", ncols=3, title=title
        )
        return figure


def _modes(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation of every mode's measured learnability, with x = L / (1 - L) of the theory's L."""
    keys = ["architecture", "target", "train_size"]
    theory = table[table["source"] == "theory"].set_index(keys)["learnability"]
    theory = theory[~theory.index.duplicated()]
    experiments = converged(table[table["source"].isin(EXPERIMENTS)])
    rows = experiments.groupby(["source", *keys])["learnability"].agg(["mean", "std"]).reset_index()
    learned = theory.reindex(pd.MultiIndex.from_frame(rows[keys])).to_numpy()
    return rows.assign(x=learned / (1 - learned))


def _points(axis: Axes, rows: pd.DataFrame, source: str, palette: Mapping[float, Colour]) -> None:
    """Measured learnabilities of one source, a colour for each training size."""
    for size, colour in palette.items():
        part = rows[rows["train_size"] == size]
        axis.errorbar(
            part["x"], part["mean"], part["std"], fmt=MARKERS[source], color=colour,
            markerfacecolor="white" if source == "kernel" else colour, label=f"$n={size:g}$", **POINT,
        )  # fmt: skip
