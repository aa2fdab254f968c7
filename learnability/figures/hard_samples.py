"""Predicted against measured error, sample by sample, and pictures of the samples that are hardest."""

import numpy as np
from matplotlib import rc_context
from scipy.stats import spearmanr

from .style import COLOURS, SETTINGS, panels

TOLD_APART = ()


def draw(table, title=None):
    """Left: one point per sample. Right: the inputs of the hardest samples, where they are square images."""
    with rc_context(SETTINGS):
        found = table[(table["measure"] == "error of a sample") & (table["functions"] > 1)]
        figure, (axis, side) = panels(2, height=3.0, width_ratios=(1.2, 1))
        axis.errorbar(
            found["theory"], found["mean"], found["standard_error"], fmt="o", color=COLOURS["kernel"], markersize=2,
            elinewidth=0.4, alpha=0.5, rasterized=True,
        )  # fmt: skip
        ends = [found["theory"].min(), found["theory"].max()]
        axis.plot(ends, ends, color="0.2", linewidth=0.9)
        axis.set(xscale="log", yscale="log", xlabel="predicted error of a sample", ylabel="measured error")
        axis.set_ylim(found["mean"].min() / 1.5, found["mean"].max() * 1.5)
        rank = spearmanr(found["theory"], found["mean"]).statistic
        axis.annotate(f"rank correlation {rank:.3f}", (0.04, 0.94), xycoords="axes fraction", va="top")
        _pictures(side, table[table["measure"] == "input"])
        figure.suptitle(title)
        return figure


def _pictures(axis, inputs):
    axis.set_axis_off()
    samples = list(dict.fromkeys(inputs["sample"]))
    side = round(np.sqrt(inputs["feature"].max() + 1)) if len(inputs) else 0
    if side * side != len(inputs) / max(len(samples), 1):
        return
    across = -(-len(samples) // 2)
    canvas = np.full((2 * (side + 1), across * (side + 1)), np.nan)
    for number, sample in enumerate(samples):
        row, column = (side + 1) * (number // across), (side + 1) * (number % across)
        values = inputs[inputs["sample"] == sample].sort_values("feature", kind="stable")["mean"].to_numpy()
        canvas[row : row + side, column : column + side] = values.reshape(side, side)
    axis.imshow(canvas, cmap="gray_r")
    axis.set_title("predicted hardest samples, minus the mean image")
