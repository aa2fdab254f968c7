"""Second-order statistics of learned coefficients: means, variances against two theories, and correlations."""

import numpy as np
from matplotlib import rc_context
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from .style import COLOURS, SETTINGS, panels, source_handles

TOLD_APART = ("train_size",)


def draw(table, train_size=None, title=None):
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
            rows = table[table["measure"] == measure]
            reference = rows[rows["source"] == "kernel"].sort_values("mode", kind="stable")
            axis.plot(
                reference["mode"], reference["paper"], color="0.5", drawstyle="steps-mid", linestyle="--", linewidth=0.8
            )
            axis.plot(reference["mode"], reference["theory"], color="0.3", drawstyle="steps-mid")
            for shift, (source, colour) in zip((-0.12, 0.12), COLOURS.items(), strict=True):
                found = rows[rows["source"] == source]
                axis.errorbar(
                    found["mode"] + shift, found["mean"], found["standard_error"], fmt="o" if source == "kernel" else "^",
                    color=colour, markersize=3.4, markerfacecolor="white" if source == "kernel" else colour,
                    elinewidth=0.7, capsize=1.5,
                )  # fmt: skip
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


def _matrix(figure, axis, rows):
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
