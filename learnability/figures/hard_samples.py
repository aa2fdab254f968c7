"""Predicted against measured error, sample by sample, and pictures of the samples that are hardest."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from .style import COLOURS, SETTINGS, panels

TOLD_APART: tuple[str, ...] = ()


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """Left: one point per sample. Right: the inputs of the hardest samples, where they are square images."""
    with rc_context(SETTINGS):
        figure, (left, right) = panels(2, height=3.0, width_ratios=(1.2, 1))
        _errors(left, table[(table["measure"] == "error of a sample") & (table["functions"] > 1)])
        _pictures(right, table[table["measure"] == "input"])
        figure.suptitle(title or "")
        return figure


def _errors(axis: Axes, rows: pd.DataFrame) -> None:
    """Measured against predicted errors, with their rank correlation."""
    axis.errorbar(
        rows["theory"], rows["mean"], rows["standard_error"], fmt="o", color=COLOURS["kernel"], markersize=2,
        elinewidth=0.4, alpha=0.5, rasterized=True,
    )  # fmt: skip
    ends = [rows["theory"].min(), rows["theory"].max()]
    axis.plot(ends, ends, color="0.2", linewidth=0.9)
    axis.set(xscale="log", yscale="log", xlabel="predicted error of a sample", ylabel="measured error")
    axis.set_ylim(rows["mean"].min() / 1.5, rows["mean"].max() * 1.5)
    rank = spearmanr(rows["theory"], rows["mean"]).statistic
    axis.annotate(f"rank correlation {rank:.3f}", (0.04, 0.94), xycoords="axes fraction", va="top")


def _pictures(axis: Axes, inputs: pd.DataFrame) -> None:
    """Square images beside each other in two rows; nothing where the inputs are no squares."""
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
