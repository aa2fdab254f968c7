"""Learned functions on the circle drawn over the true one, and the coefficient on a mode that the target lacks."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import COLOURS, MARKERS, NAMES, SETTINGS, panels

TOLD_APART = ("target", "train_size")


def draw(table: pd.DataFrame, probe: str = "cos 5t", title: str | None = None) -> Figure:
    """Rows: targets. Panels: learned functions (mean and one standard deviation) at each size, then the coefficient.

    Lines in the last column are one standard deviation from the mean: solid with fourth moments, dashed the paper's.
    """
    with rc_context(SETTINGS):
        targets = list(dict.fromkeys(table["target"]))
        functions = table[table["measure"] == "function"]
        sizes = sorted(functions["train_size"].unique())
        figure, axes = panels(len(sizes) + 1, len(targets), height=1.7, width=8.0)
        axes = axes.reshape(len(targets), -1)
        for row, target in zip(axes, targets, strict=True):
            truth = table[(table["target"] == target) & (table["measure"] == "target")]
            for axis, size in zip(row, sizes, strict=False):
                learned = functions[(functions["target"] == target) & (functions["train_size"] == size)]
                _functions(axis, truth, learned.sort_values("angle", kind="stable"))
                axis.set_title(f"{target}, $n={size:g}$")
            row[0].set_ylabel(r"learned function $\hat f(t)$")
            _coefficient(row[-1], table[(table["target"] == target) & (table["measure"] == "coefficient")], probe)
        figure.legend(handles=_handles(), loc="outside upper center", ncols=6, columnspacing=1.2, title=title)
        return figure


def _functions(axis: Axes, truth: pd.DataFrame, rows: pd.DataFrame) -> None:
    """The target, what was learned of it with one standard deviation, and the theory's mean, against the angle."""
    axis.plot(truth["angle"], truth["mean"], color="0.75", linewidth=2.2)
    for source, colour in COLOURS.items():
        learned = rows[rows["source"] == source]
        axis.plot(learned["angle"], learned["mean"], color=colour, linewidth=1)
        low, high = learned["mean"] - learned["spread"], learned["mean"] + learned["spread"]
        axis.fill_between(learned["angle"], low, high, color=colour, alpha=0.2, linewidth=0)
    kernel = rows[rows["source"] == "kernel"]
    axis.plot(kernel["angle"], kernel["theory"], color="black", linestyle=":", linewidth=1)
    axis.set(xlabel="angle $t$", ylim=(-1.6, 1.6))
    axis.set_xticks([0, np.pi, 2 * np.pi], ["0", r"$\pi$", r"$2\pi$"])


def _handles() -> list[Line2D]:
    """Legend entries of the target, the theories and what was measured."""
    return [
        Line2D([], [], color="0.75", linewidth=2.2, label="target"),
        Line2D([], [], color="black", linestyle=":", label="theory, mean"),
        Line2D([], [], color="black", linewidth=0.9, label="std. dev., fourth moments"),
        Line2D([], [], color="0.5", linestyle="--", linewidth=0.8, label="std. dev., paper"),
        *(
            Line2D([], [], color=colour, marker=MARKERS[source], markersize=3.5, label=NAMES[source])
            for source, colour in COLOURS.items()
        ),
    ]


def _coefficient(axis: Axes, rows: pd.DataFrame, probe: str) -> None:
    """The coefficient on the probed mode, with one standard deviation, measured and by both theories."""
    styles: dict[str, dict[str, Any]] = {
        "paper": {"color": "0.5", "linestyle": "--", "linewidth": 0.8},
        "theory": {"color": "black", "linewidth": 0.9},
    }
    for source, style in styles.items():
        theory = rows[rows["source"] == source].sort_values("train_size", kind="stable")
        for sign in (-1, 1):
            axis.plot(theory["train_size"], theory["mean"] + sign * theory["theory_spread"], **style)
    for shift, (source, colour) in zip((0.96, 1.04), COLOURS.items(), strict=True):
        measured = rows[rows["source"] == source].sort_values("train_size", kind="stable")
        axis.errorbar(
            measured["train_size"] * shift, measured["mean"], measured["spread"], fmt=MARKERS[source], color=colour,
            markersize=3, elinewidth=0.7, capsize=1.5, markerfacecolor="white" if source == "kernel" else colour,
        )  # fmt: skip
    axis.set(xscale="log", xlabel="training-set size $n$", ylabel=f"coefficient on {probe}", title="mean and std. dev.")
