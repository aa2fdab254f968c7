"""Where the theory stops holding: deviation of trained networks from it against 1 / width, with its fitted order."""

import numpy as np
from matplotlib import rc_context

from ..common.errors import require
from .style import SETTINGS, colours, converged, panels

TOLD_APART = ("width", "target", "train_size")


def check(study) -> None:
    """ValueError unless networks of several widths can be compared."""
    require(
        len(study.widths) > 1,
        f"figure width_sweep compares networks of several widths, and there are {study.widths}; give two widths or more",
    )


def draw(table, title=None):
    """Left: learnability against size for each width of the last target. Right: rms deviation from kernel regression.

    The deviation is over training sizes, in learnability (network mean minus kernel mean, same seeds); the dashed lines
    are least-squares powers of 1/width.
    """
    with rc_context(SETTINGS):
        targets = list(dict.fromkeys(table["target"]))
        rows = converged(table)
        figure, axes = panels(2, height=2.9)
        _curves(axes[0], rows[rows["target"] == targets[-1]], targets[-1])
        kernel = rows[rows["source"] == "kernel"].groupby(["target", "train_size"])["learnability"].mean()
        network = rows[rows["source"] == "network"].groupby(["width", "target", "train_size"])["learnability"].mean()
        for target, colour in colours(targets).items():
            widths, deviations = [], []
            for width in sorted(rows["width"].dropna().unique()):
                difference = network[width][target] - kernel[target].reindex(network[width][target].index)
                widths.append(width)
                deviations.append(np.sqrt((difference**2).mean()))
            slope, offset = np.polyfit(np.log(widths), np.log(deviations), 1)
            axes[1].plot(1 / np.array(widths), deviations, "o", color=colour, markersize=3.6)
            fit = np.exp(offset) * np.array(widths) ** slope
            axes[1].plot(1 / np.array(widths), fit, "--", color=colour, label=f"{target}: order {-slope:.2f}")
        axes[1].set(xscale="log", yscale="log", xlabel="1 / width")
        axes[1].set_ylabel("rms deviation of learnability\nfrom kernel regression")
        axes[1].legend()
        figure.suptitle(title)
        return figure


def _curves(axis, rows, target):
    theory = rows[rows["source"] == "theory"]
    axis.plot(theory["train_size"], theory["learnability"], color="0.3", label="theory")
    widths = sorted(rows["width"].dropna().unique())
    for width, colour in zip(widths, colours(range(len(widths))).values(), strict=True):
        found = rows[rows["width"] == width].groupby("train_size")["learnability"].agg(["mean", "sem"])
        style = {"marker": "^", "markersize": 3, "linewidth": 0.7, "color": colour}
        axis.errorbar(found.index, found["mean"], found["sem"], label=f"width {width:g}", **style)
    sizes = rows.loc[rows["source"] == "network", "train_size"]
    axis.set(xscale="log", xlim=(sizes.min() / 1.3, sizes.max() * 1.3), title=target)
    axis.set(xlabel="training-set size $n$", ylabel=r"learnability $\mathcal{L}$")
    axis.legend()
