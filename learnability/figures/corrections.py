"""Corrected equations beside the paper's: measured errors with both curves, and the relative errors of both below."""

import numpy as np
from matplotlib import rc_context
from matplotlib.lines import Line2D

from ..tables.columns import LABELS
from .style import SETTINGS, colours, finite, legend_columns, panels

GROUPS = {"ridge": r"ridge $\delta=$", "noise_std": r"$\sigma=$"}
SMALLEST = 1e-4  # measured values below it are not compared


def told_apart(group: str = "target", select: dict | None = None, **_) -> set:
    """Columns of which the figure shows several values without mixing them."""
    return {"train_size", group, *(select or {})}


def draw(table, group="target", select=None, title=None):
    """One column per measure; above, means and standard errors with both theories, below, theory / measured - 1.

    Parameters
    ----------
    table : DataFrame of `learnability.experiments.corrections`
    group : str
        Column whose values get colours.
    select : dict of column to value, optional
    """
    with rc_context(SETTINGS):
        for column, value in (select or {}).items():
            table = table[table[column] == value]
        measures, palette = list(dict.fromkeys(table["measure"])), colours(table[group].unique())
        figure, axes = panels(len(measures), 2, height=2.0, sharex=True, height_ratios=(2, 1.3))
        for column, measure in enumerate(measures):
            above, below = axes[column], axes[column + len(measures)]
            for value, colour in palette.items():
                rows = table[(table["measure"] == measure) & (table[group] == value)]
                _values(above, rows, colour)
                compared = rows[(rows["source"] == "kernel") & (rows["mean"] > SMALLEST)]
                if len(compared):  # an empty line would take room at the figure's corner
                    _errors(below, compared, colour)
            scale = "linear" if measure == "learnability" else "log"
            above.set(xscale="log", yscale=scale, ylabel=LABELS[measure])
            if scale == "log":
                measured = table.loc[(table["measure"] == measure) & (table["source"] == "kernel"), "mean"]
                above.set_ylim(bottom=max(SMALLEST, measured.min()) / 3)
            below.axhline(0, color="0.5", linewidth=0.6)
            below.set(
                xlabel=LABELS["train_size"],
                ylabel=r"error of $1-\mathcal{L}$ (%)" if measure == "learnability" else "error of theory (%)",
            )
            below.set_yscale("symlog", linthresh=10)
            below.set_yticks([-100, -10, 0, 10, 100], ["-100", "-10", "0", "10", "100"])
            sizes = sorted(table.loc[table["source"] == "kernel", "train_size"].unique())
            below.set_xticks(sizes[:: -(-len(sizes) // 7)], [f"{n:g}" for n in sizes[:: -(-len(sizes) // 7)]])
            below.xaxis.minorticks_off()
        name = GROUPS.get(group, "")
        handles = [Line2D([], [], color=c, label=f"{name}{v:g}" if name else v) for v, c in palette.items()]
        handles += [
            Line2D(
                [], [], color="0.3", linestyle="", marker="o", markerfacecolor="white", markersize=4, label="kernel"
            ),
            Line2D([], [], color="0.3", marker="o", markersize=3, label="corrected"),
            Line2D([], [], color="0.3", linestyle="--", marker="x", markersize=4, linewidth=0.7, label="paper"),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=legend_columns(handles, 8), title=title)
        return figure


def _values(axis, rows, colour):
    for source, style in (("theory", {"linestyle": "-"}), ("paper", {"linestyle": "--", "linewidth": 0.7})):
        part = rows[rows["source"] == source].sort_values("train_size", kind="stable")
        axis.plot(part["train_size"], finite(part["mean"]), color=colour, **style)
    found = rows[rows["source"] == "kernel"]
    axis.errorbar(
        found["train_size"], found["mean"], found["standard_error"], fmt="o", color=colour, markerfacecolor="white",
        markersize=3.4, markeredgewidth=0.8, elinewidth=0.7, capsize=1.5, zorder=3,
    )  # fmt: skip


def _errors(axis, found, colour):
    """theory / measured - 1 in per cent; of what is missed, 1 - L, for a learnability."""
    missing = (found["measure"] == "learnability").to_numpy()
    measured = np.where(missing, 1 - found["mean"], found["mean"])
    for column, marker in (("paper", "x"), ("theory", "o")):
        predicted = np.where(missing, 1 - found[column], found[column])
        error = 100 * (predicted / np.where(measured > 0, measured, np.nan) - 1)
        axis.plot(found["train_size"], error, linestyle="", marker=marker, color=colour, markersize=3, clip_on=False)
