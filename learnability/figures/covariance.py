"""Second-order statistics of learned coefficients: means, variances against two theories, and correlations."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .style import COLOURS, MARKERS, POINT, SETTINGS, panels, source_handles

TOLD_APART = ("train_size",)


def draw(table: pd.DataFrame, train_size: int | None = None, title: str | None = None) -> Figure:
    """Three panels: E[vhat_i] and Var[vhat_i] with standard errors, and correlations, the theory's below the diagonal.

    Solid steps are the theory with fourth moments, dashed ones the paper's.
    """
    with rc_context(SETTINGS):
        table = table[table["train_size"] == (train_size or table["train_size"].iloc[0])]
        figure, axes = panels(3, height=2.6)
        for axis, measure, label in (
            (axes[0], "coefficient", r"mean $\langle\hat v_i\rangle$"),
            (axes[1], "coefficient variance", r"variance Var$[\hat v_i]$"),
        ):
            _coefficients(axis, table[table["measure"] == measure])
            axis.set(xlabel="eigenfunction $i$", ylabel=label)
        _matrix(figure, axes[2], table[table["source"] == "kernel"])
        for part in (axes[0].xaxis, axes[1].xaxis, axes[2].xaxis, axes[2].yaxis):
            part.set_major_locator(MaxNLocator(integer=True))
        handles = [
            Line2D([], [], color="0.3", label="theory, fourth moments"),
            Line2D([], [], color="0.5", linestyle="--", linewidth=0.8, label="theory, paper"),
            *source_handles(COLOURS),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=4, title=title)
        return figure


def _coefficients(axis: Axes, rows: pd.DataFrame) -> None:
    """Both theories as steps, what was measured as points."""
    kernel = rows[rows["source"] == "kernel"].sort_values("mode", kind="stable")
    axis.plot(kernel["mode"], kernel["paper"], color="0.5", drawstyle="steps-mid", linestyle="--", linewidth=0.8)
    axis.plot(kernel["mode"], kernel["theory"], color="0.3", drawstyle="steps-mid")
    for shift, (source, colour) in zip((-0.12, 0.12), COLOURS.items(), strict=True):
        part = rows[rows["source"] == source]
        axis.errorbar(
            part["mode"] + shift, part["mean"], part["standard_error"], fmt=MARKERS[source], color=colour,
            markerfacecolor="white" if source == "kernel" else colour, **POINT,
        )  # fmt: skip


def _matrix(figure: Figure, axis: Axes, rows: pd.DataFrame) -> None:
    """Correlations of learned coefficients, measured above the diagonal, the theory's below."""
    variance = rows[rows["measure"] == "coefficient variance"].set_index("mode")
    size = len(variance)
    correlation = np.zeros((size, size))
    for row in rows[rows["measure"] == "covariance"].itertuples():
        i, j = int(row.mode), int(row.mode2)
        correlation[i, j] = row.mean / np.sqrt(variance["mean"][i] * variance["mean"][j])
        correlation[j, i] = row.theory / np.sqrt(variance["theory"][i] * variance["theory"][j])
    largest = np.abs(correlation).max(initial=0) or 1.0
    np.fill_diagonal(correlation, np.nan)
    image = axis.imshow(correlation, cmap="RdBu_r", vmin=-largest, vmax=largest)
    axis.set(xlabel="eigenfunction $j$", ylabel="eigenfunction $i$", title="correlations: kernel above, theory below")
    figure.colorbar(image, ax=axis, shrink=0.8)
