"""Predicted against measured error of every candidate, one panel per training size, a row of them per domain."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from ..tables.columns import EXPERIMENTS, NAMES
from .style import MARKERS, SETTINGS, Colour, colours, panels

TOLD_APART = ("domain", "train_size", "kernels", "grid")


def draw(table: pd.DataFrame, title: str | None = None) -> Figure:
    """One point per architecture and kernel, coloured by activation; on the diagonal theory and experiment agree.

    Open circles are kernel regression, filled triangles networks; vertical bars are standard errors over training sets,
    horizontal ones standard deviations over initialisations.
    """
    with rc_context(SETTINGS):
        table = table.assign(domain="") if "domain" not in table else table
        errors = table[(table["measure"] == "test_mse_off_train") & table["source"].isin(EXPERIMENTS)]
        sizes, domains = (
            sorted(errors["train_size"].unique().astype(int).tolist()),
            list(dict.fromkeys(errors["domain"])),
        )
        palette = colours(errors["activation"].unique())
        figure, axes = panels(len(sizes), len(domains), height=2.7)
        for axis, (domain, n) in zip(axes, product(domains, sizes), strict=True):
            _candidates(axis, errors[(errors["train_size"] == n) & (errors["domain"] == domain)], palette)
            axis.set(xlabel="predicted test error", title=f"{domain} $n={n}$".strip())
            correlation = _correlation(table[table["domain"] == domain], n)
            axis.text(0.95, 0.07, correlation, transform=axis.transAxes, ha="right", fontsize=7)
        for axis in axes[:: len(sizes)]:
            axis.set_ylabel("measured off the training set")
        handles = _handles(palette, errors["source"].unique())
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), title=title)
        return figure


def _candidates(axis: Axes, rows: pd.DataFrame, palette: Mapping[str, Colour]) -> None:
    """Measured against predicted errors on equal logarithmic axes, with their diagonal."""
    errors = rows[["mean", "theory"]]
    ends = (errors.min().min() * 0.9, errors.max().max() * 1.1)
    axis.plot(ends, ends, color="0.6", linewidth=0.8, zorder=1)
    for (source, activation), part in rows.groupby(["source", "activation"]):
        network, colour = source == "network", palette[activation]
        between = part["theory_spread"].fillna(0) if "theory_spread" in part else None
        axis.errorbar(
            part["theory"], part["mean"], part["standard_error"].fillna(0), between, fmt=MARKERS[source], color=colour,
            markerfacecolor=colour if network else "white", markersize=5 if network else 3.4, markeredgewidth=0.7,
            elinewidth=0.6, zorder=4 if network else 3,
        )  # fmt: skip
    axis.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 6)))
        side.set_major_formatter("{x:g}")
        side.set_minor_formatter(NullFormatter())


def _handles(palette: Mapping[str, Colour], sources: Iterable[str]) -> list[Line2D]:
    """Legend entries of the activations' colours and the sources' markers."""
    handles = [Line2D([], [], color=colour, linestyle="", marker="s", label=name) for name, colour in palette.items()]
    for source in sources:
        face = "0.3" if source == "network" else "white"
        mark: dict[str, Any] = {"marker": MARKERS[source], "markerfacecolor": face, "linestyle": ""}
        handles.append(Line2D([], [], color="0.3", markersize=4, label=NAMES[source], **mark))
    return handles


def _correlation(table: pd.DataFrame, n: int) -> str:
    """The rank correlation of prediction and measurement in words, where there is one."""
    chosen = (table["measure"] == "rank correlation") & (table["source"] == "theory") & (table["train_size"] == n)
    return f"rank correlation {table.loc[chosen, 'mean'].iloc[0]:.3f}" if chosen.any() else ""
