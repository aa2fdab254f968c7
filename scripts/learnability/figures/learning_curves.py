"""Mean squared error and learnability against the training-set size (Simon et al. 2021, fig. 2)."""

from matplotlib import rc_context
from matplotlib.lines import Line2D

from ..common.errors import require
from ..tables.columns import CURVES, LABELS
from .style import (
    MARKERS,
    SETTINGS,
    by_number,
    colours,
    converged,
    finite,
    left_out,
    legend_columns,
    panels,
    points,
    source_handles,
)

TOLD_APART = ("target", "train_size")
SHOWN = ("test_mse", "learnability")


def check(study) -> None:
    """ValueError unless something is learned from samples."""
    require(
        max(study.train_sizes) > 0, "figure learning_curves needs a training-set size above 0; add one to train_sizes"
    )


def draw(table, title=None, scale="log"):
    """Two panels; curves are theory, points are means and standard deviations over seeds.

    Parameters
    ----------
    table : DataFrame from `learnability.tables.joined`, of one architecture, ridge, noise level and width
    title : str, optional
    scale : "log" or "linear", of the axis of training sizes
    """
    with rc_context(SETTINGS):
        figure, axes = panels(2, height=2.9)
        palette = colours(by_number(table["target"].unique()))
        experiments = converged(table)
        sizes = experiments.loc[experiments["source"].isin(MARKERS), "train_size"]
        smallest = max(sizes[sizes > 0].min() / 2, 0.5)
        for axis, measure in zip(axes, SHOWN, strict=True):
            for target, colour in palette.items():
                for source, rows in experiments[experiments["target"] == target].groupby("source"):
                    if source in CURVES:
                        thin = {"linewidth": 0.7} if source == "eigensystem" else {}
                        axis.plot(
                            rows["train_size"], finite(rows[measure]), color=colour, linestyle=CURVES[source], **thin
                        )
                    else:
                        beside = 1.1 if scale == "log" and source == "network" else 1.0
                        points(axis, rows, measure, source, colour, beside)
            axis.set(xlabel="training-set size $n$", ylabel=LABELS[measure], xscale=scale)
            if scale == "log":
                axis.set_xlim(smallest, sizes.max() * 1.25)
                ticks = [2**k for k in range(0, 20, 2) if smallest <= 2**k <= sizes.max()]
                axis.set_xticks(ticks, [str(tick) for tick in ticks])
                axis.minorticks_off()
            axis.set_ylim(bottom=min(0, axis.get_ylim()[0]))
        axes[1].axhline(1, color="0.8", linewidth=0.6, zorder=0)
        handles = [Line2D([], [], color=colour, label=target) for target, colour in palette.items()]
        handles += source_handles(set(table["source"])) + left_out(table)
        across = legend_columns(handles, 7)
        figure.legend(handles=handles, loc="outside upper center", ncols=across, title=title, columnspacing=1.2)
        return figure
