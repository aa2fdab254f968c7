"""Mean squared error and learnability against the training-set size (Simon et al. 2021, fig. 2)."""

from collections.abc import Mapping

import pandas as pd
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..common.errors import require
from ..tables.columns import CURVES, LABELS, SPREAD
from .study import Study
from .style import (
    MARKERS,
    SETTINGS,
    Colour,
    band,
    band_handles,
    by_number,
    colours,
    converged,
    curve_look,
    finite,
    left_out,
    legend_columns,
    panels,
    points,
    source_handles,
)

TOLD_APART = ("target", "train_size")
SHOWN = ("test_mse", "learnability")


def check(study: Study) -> None:
    """ValueError unless something is learned from samples."""
    require(
        max(study.train_sizes) > 0, "figure learning_curves needs a training-set size above 0; add one to train_sizes"
    )


def draw(table: pd.DataFrame, title: str | None = None, scale: str = "log") -> Figure:
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
            _sources(axis, experiments, measure, palette, beside=1.1 if scale == "log" else 1.0)
            axis.set(xlabel="training-set size $n$", ylabel=LABELS[measure], xscale=scale)
            if scale == "log":
                _powers_of_four(axis, smallest, sizes.max())
            axis.set_ylim(bottom=min(0, axis.get_ylim()[0]))
        axes[1].axhline(1, color="0.8", linewidth=0.6, zorder=0)
        handles: list[Artist] = [Line2D([], [], color=colour, label=target) for target, colour in palette.items()]
        handles += [*source_handles(set(table["source"])), *left_out(table), *band_handles(table)]
        across = legend_columns(handles, 7)
        figure.legend(handles=handles, loc="outside upper center", ncols=across, title=title, columnspacing=1.2)
        return figure


def _sources(axis: Axes, table: pd.DataFrame, measure: str, palette: Mapping[str, Colour], beside: float) -> None:
    """Theories as curves, experiments as points, networks moved by the factor `beside`."""
    for target, colour in palette.items():
        for source, rows in table[table["target"] == target].groupby("source"):
            if source in CURVES:
                axis.plot(rows["train_size"], finite(rows[measure]), color=colour, **curve_look(source))
                if source == "theory" and f"{measure}{SPREAD}" in rows:
                    band(axis, rows["train_size"], rows[measure], rows[f"{measure}{SPREAD}"], colour)
            else:
                points(axis, rows, measure, source, colour, beside if source == "network" else 1.0)


def _powers_of_four(axis: Axes, smallest: float, largest: float) -> None:
    """Ticks at powers of four on a logarithmic axis of training sizes."""
    axis.set_xlim(smallest, largest * 1.25)
    ticks = [2**k for k in range(0, 20, 2) if smallest <= 2**k <= largest]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
