"""Errors and accuracies on test sets of another distribution: predicted as curves, measured as points."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from .style import POINT, SETTINGS, colours, log_errors, panels

TOLD_APART = ("shift", "train_size")
APART = 1.06  # by what factor of n points of two test sets are kept apart


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """Error, accuracy and the prediction's distance from the measured error against n, a colour per test set.

    Points are means over training sets with their standard errors.
    """
    with rc_context(SETTINGS):
        figure, axes = panels(3, height=2.7)
        palette = colours(dict.fromkeys(table["shift"]))
        for number, (shift, colour) in enumerate(palette.items()):
            rows = table[table["shift"] == shift].sort_values("train_size", kind="stable")
            mark = {"color": colour, "markerfacecolor": "white", "markeredgewidth": 0.8, **POINT}
            for axis, measure in zip(axes, ("error", "accuracy"), strict=False):
                part = rows[rows["measure"] == measure]
                axis.plot(part["train_size"], part["theory"], color=colour, label=shift if measure == "error" else None)
                axis.errorbar(part["train_size"], part["mean"], part["standard_error"], fmt="o", **mark)
            part = rows[rows["measure"] == "error"]
            off, scatter = part["theory"] / part["mean"] - 1, part["standard_error"] / part["mean"]
            beside = part["train_size"] * APART ** (number - (len(palette) - 1) / 2)
            axes[2].errorbar(beside, 100 * off, 100 * scatter, fmt="o", **mark)
        axes[2].axhline(0, color="0.2", linewidth=0.8)
        log_errors(axes[0])
        for axis, label in zip(
            axes, ("error on the test set", "accuracy on the test set", "predicted less measured error, %"), strict=True
        ):
            sizes = sorted(table["train_size"].unique().astype(int))
            axis.set(xscale="log", xlabel="training samples $n$", ylabel=label)
            axis.set_xticks(sizes, [str(n) for n in sizes])
            axis.xaxis.minorticks_off()
        figure.legend(loc="outside upper center", ncols=2, title=title)
        return figure
