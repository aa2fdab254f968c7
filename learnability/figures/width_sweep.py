"""Where the theory stops holding: deviation of trained networks from it against 1 / width, with its fitted order."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..common.errors import require
from .study import Study
from .style import SETTINGS, colours, converged, panels

TOLD_APART = ("width", "target", "train_size")


def check(study: Study) -> None:
    """ValueError unless networks of several widths can be compared."""
    require(
        len(study.widths) > 1,
        f"figure width_sweep compares networks of several widths, and there are {study.widths}; give two widths or more",
    )


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """Left: learnability against size for each width of the last target. Right: rms deviation from kernel regression.

    The deviation is over training sizes, in learnability (network mean minus kernel mean, same seeds); the dashed lines
    are least-squares powers of 1/width.
    """
    with rc_context(SETTINGS):
        targets = list(dict.fromkeys(table["target"]))
        rows = converged(table)
        figure, axes = panels(2, height=2.9)
        _curves(axes[0], rows[rows["target"] == targets[-1]], targets[-1])
        for target, colour in colours(targets).items():
            deviations = _deviations(rows[rows["target"] == target])
            widths = deviations.index.to_numpy()
            slope, offset = np.polyfit(np.log(widths), np.log(deviations.to_numpy()), 1)
            axes[1].plot(1 / widths, deviations.to_numpy(), "o", color=colour, markersize=3.6)
            fit = np.exp(offset) * widths**slope
            axes[1].plot(1 / widths, fit, "--", color=colour, label=f"{target}: order {-slope:.2f}")
        axes[1].set(xscale="log", yscale="log", xlabel="1 / width")
        axes[1].set_ylabel("rms deviation of learnability\nfrom kernel regression")
        axes[1].legend()
        figure.suptitle(title or "")
        return figure


def _deviations(rows: pd.DataFrame) -> pd.Series:
    """Root mean square over training sizes of network mean minus kernel mean, by width."""
    kernel = rows[rows["source"] == "kernel"].groupby("train_size")["learnability"].mean()
    network = rows[rows["source"] == "network"].groupby(["width", "train_size"])["learnability"].mean()
    difference = network - kernel.reindex(network.index.get_level_values("train_size")).to_numpy()
    return np.sqrt((difference**2).groupby("width").mean())


def _curves(axis: Axes, rows: pd.DataFrame, target: str) -> None:
    """The theory's learning curve and that of the networks of every width."""
    theory = rows[rows["source"] == "theory"]
    axis.plot(theory["train_size"], theory["learnability"], color="0.3", label="theory")
    widths = sorted(rows["width"].dropna().unique())
    for width, colour in zip(widths, colours(range(len(widths))).values(), strict=True):
        means = rows[rows["width"] == width].groupby("train_size")["learnability"].agg(["mean", "sem"])
        axis.errorbar(
            means.index, means["mean"], means["sem"], marker="^", markersize=3, linewidth=0.7, color=colour,
            label=f"width {width:g}",
        )  # fmt: skip
    sizes = rows.loc[rows["source"] == "network", "train_size"]
    axis.set(xscale="log", xlim=(sizes.min() / 1.3, sizes.max() * 1.3), title=target)
    axis.set(xlabel="training-set size $n$", ylabel=r"learnability $\mathcal{L}$")
    axis.legend()
