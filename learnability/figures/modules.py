"""Predicted against measured error of PyTorch modules, for every way of training, and how far kernels moved."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from .style import LABEL_SIZE, SETTINGS, panels

TOLD_APART = ("architecture", "training")
SMALLEST = 1e-3  # change of a kernel that has a colour of its own: that of a linear module does not change
ERROR, ACCURACY, CHANGE = "test_mse_off_train", "accuracy_off_train", "change of the kernel"


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """One column per way of training: above squared errors, below shares of wrong classes; a number is a module.

    Bars are standard deviations over initialisations. The colour is the change of the tangent kernel during training. Under the
    cross-entropy squared errors mean nothing, and their panel stays empty. A hollow mark: not all networks converged.
    """
    with rc_context(SETTINGS):
        ways = list(dict.fromkeys(table["training"].dropna()))
        names = {name: number for number, name in enumerate(dict.fromkeys(table["architecture"]), 1)}
        figure, axes = panels(len(ways), 2, height=2.3, sharex="row", sharey="row")
        changes = table[table["measure"] == CHANGE]
        low = max(changes["mean"].min(), SMALLEST)
        scale = LogNorm(low, max(changes["mean"].max(), 2 * low), clip=True)
        for column, way in enumerate(ways):
            for row, measure in enumerate((ERROR, ACCURACY)):
                axis = axes[row * len(ways) + column]
                points = _points(table, way, measure)
                if measure == ERROR and points["measured"].max() > 2 * points["predicted"].max():
                    axis.set_axis_off()
                    axis.set_title(way)
                    continue
                marks = _draw(axis, points, names, scale)
                rank = points[["predicted", "measured"]].corr("spearman").iloc[0, 1]
                axis.set_title(f"{way}\nrank correlation {rank:.2f}" if row == 0 else f"rank correlation {rank:.2f}")
            axes[len(ways) + column].set(xlabel="predicted")
        axes[0].set(ylabel="measured squared error")
        axes[len(ways)].set(ylabel="measured share of errors")
        figure.colorbar(marks, ax=list(axes), label="change of the tangent kernel", shrink=0.8, pad=0.01)
        key = "   ".join(f"{number} {name}" for name, number in names.items())
        figure.supxlabel(_wrapped(key), fontsize=LABEL_SIZE)
        figure.suptitle(title or "")
        return figure


def _points(table: pd.DataFrame, way: str, measure: str) -> pd.DataFrame:
    """Predicted and measured errors of every module, their spreads, and the kernel's change."""
    rows = table[table["measure"] == measure].set_index("architecture")
    theory, network = rows[rows["source"] == "theory"], rows[rows["training"] == way]
    of_way = table[table["training"] == way].set_index("architecture")
    errors = pd.DataFrame({"predicted": theory["mean"], "measured": network["mean"]})
    if measure == ACCURACY:
        errors = 1 - errors
    return errors.assign(
        predicted_spread=theory["spread"], spread=network["spread"],
        change=of_way.loc[of_way["measure"] == CHANGE, "mean"],
        converged=of_way.loc[of_way["measure"] == "converged", "mean"] == 1,
    )  # fmt: skip


def _draw(axis: Axes, points: pd.DataFrame, names: dict[str, int], scale: LogNorm) -> PathCollection:
    """One mark and one number per module."""
    ends = [points[["predicted", "measured"]].min().min(), points[["predicted", "measured"]].max().max()]
    axis.plot(ends, ends, color="0.6", linewidth=0.8, zorder=0)
    axis.errorbar(
        points["predicted"], points["measured"], points["spread"].fillna(0), points["predicted_spread"].fillna(0),
        fmt="none", ecolor="0.7", elinewidth=0.6, zorder=1,
    )  # fmt: skip
    marks = axis.scatter(
        points["predicted"], points["measured"], c=points["change"], norm=scale, s=16, zorder=2,
    )  # fmt: skip
    hollow = points[~points["converged"]]
    axis.scatter(hollow["predicted"], hollow["measured"], s=4, color="white", zorder=3)
    for name, row in points.iterrows():
        axis.annotate(
            str(names[str(name)]), (row["predicted"], row["measured"]), (3, 2), textcoords="offset points",
            fontsize=LABEL_SIZE,
        )  # fmt: skip
    return marks


def _wrapped(key: str, most: int = 110) -> str:
    """A long line of entries in several."""
    lines, entries = [""], key.split("   ")
    for entry in entries:
        if len(lines[-1]) + len(entry) > most:
            lines.append("")
        lines[-1] += ("   " if lines[-1] else "") + entry
    return "\n".join(lines)
