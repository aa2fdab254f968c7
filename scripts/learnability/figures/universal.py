"""All modes of all kernels collapse on one curve: L = x / (1 + x) with x = lambda / kappa."""

import numpy as np
from matplotlib import rc_context

from ..common.errors import require
from ..tables.columns import EXPERIMENTS
from .style import MARKERS, SETTINGS, colours, converged, panels, source_handles

TOLD_APART = ("architecture", "target", "train_size")


def check(study) -> None:
    """ValueError unless something is learned from samples."""
    require(max(study.train_sizes) > 0, "figure universal needs a training-set size above 0; add one to train_sizes")


def draw(table, title=None):
    """One panel per training size; the horizontal position of a mode is the theory's lambda / kappa."""
    with rc_context(SETTINGS):
        theory = table[table["source"] == "theory"].set_index(["architecture", "target", "train_size"])["learnability"]
        theory = theory[~theory.index.duplicated()]
        rows = converged(table[table["source"].isin(EXPERIMENTS)])
        rows = rows.groupby(["source", "architecture", "target", "train_size"])["learnability"].agg(["mean", "std"])
        rows = rows.reset_index()
        learned = theory.reindex(list(zip(rows["architecture"], rows["target"], rows["train_size"]))).to_numpy()
        rows["x"] = learned / (1 - learned)
        sizes = sorted(rows["train_size"].unique())
        palette = colours(sizes)
        figure, axes = panels(2, height=2.8)
        curve = np.geomspace(rows["x"].min() / 2, rows["x"].max() * 2, 200)
        for axis, source in zip(axes, ("kernel", "network"), strict=True):
            axis.plot(curve, curve / (1 + curve), color="0.3", zorder=1)
            for size, colour in palette.items():
                part = rows[(rows["source"] == source) & (rows["train_size"] == size)]
                axis.errorbar(
                    part["x"], part["mean"], part["std"], fmt=MARKERS[source], color=colour, markersize=3.4, capsize=1.5,
                    elinewidth=0.7, markerfacecolor="white" if source == "kernel" else colour, label=f"$n={size:g}$",
                )  # fmt: skip
            axis.set(
                xscale="log", xlabel=r"eigenvalue over constant, $\lambda/\kappa$", ylabel=r"learnability $\mathcal{L}$"
            )
            axis.legend(loc="upper left")
        figure.legend(
            handles=source_handles({"theory", "kernel", "network"}), loc="outside upper center", ncols=3, title=title
        )
        return figure
