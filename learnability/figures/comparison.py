"""Measured means against the theory: one panel per measure (or other column), curves are theory, points experiment."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from ..common.errors import choose, require
from ..tables.columns import CURVES, LABELS
from .style import (
    MARKERS,
    PAGE,
    ROUNDING,
    SETTINGS,
    colours,
    finite,
    label_ends,
    left_out,
    legend_columns,
    panels,
    scale_of,
    source_handles,
    summarised,
)

MOST_IN_LEGEND = 6
UNGROUPED = "0.3"  # the colour of rows that belong to no group
SHARES = ("learnability", "accuracy", "r2")  # of a whole
MARK = {**MARKERS, "exact": "x", "gcv": "s", "leave-one-out": "D", "bound": ""}


def told_apart(x, group=None, panel="measure", select=None, measures=None, **_):
    """Columns of which a comparison with these options shows several values without mixing them.

    Raises
    ------
    ValueError
        Several measures in one panel.
    """
    _require_one_measure(panel, group, measures)
    return {x, group, panel, *(select or {})}


def draw(
    table,
    x,
    measures=None,
    group=None,
    panel="measure",
    xscale="auto",
    yscale="auto",
    title=None,
    limits=None,
    select=None,
    best=False,
):
    """Draw a joined table.

    Rows without a value in a column, as theory and kernel regression have no width, belong to each of its values: they are
    drawn in all panels, at all places of the horizontal axis, and in grey beside the colours of the groups.

    Parameters
    ----------
    table : DataFrame from `learnability.tables.joined`, or with the columns of `learnability.tables.means`
    x : str
        Column of the horizontal axis.
    measures : list of str, optional
        Missing: all.
    group : str, optional
        Column whose values get colours; more than six are named at the ends of their curves, else in the legend.
    panel : str
        Column whose values get panels of their own.
    xscale, yscale : "auto", "linear" or "log"
        "auto" is log where what was measured (without measurements, the theory) spans a decade; shares are linear.
    limits : dict of panel to [low, high], optional
    select : dict of column to value, optional
        Rows to draw; rows without a value in that column stay.
    best : bool
        Mark the least value of each theory curve.
    """
    with rc_context(SETTINGS):
        rows = summarised(table)
        for column in {x, panel, *([group] if group else []), *(select or {})}:
            choose("column", column, rows.columns)
        for measure in measures or ():
            choose("measure", measure, rows["measure"].unique())
        if measures:
            rows = rows[rows["measure"].isin(measures)]
        for column, value in (select or {}).items():
            rows = rows[rows[column].isna() | (rows[column] == value)]
        if "train_size" in (group, panel):
            rows = _at_measured_sizes(rows)
        for column in (x, panel):
            rows = _at_each(rows, column)
        require(len(rows) > 0, "there is nothing to draw: no row has a value of x and panel, and what select asks for")
        _require_one_measure(panel, group, rows["measure"].unique())
        names = measures if measures and panel == "measure" else list(dict.fromkeys(rows[panel]))
        columns = min(len(names), 3)
        lines = -(-len(names) // columns)
        width = PAGE if columns > 1 else PAGE * 0.6
        figure, axes = panels(columns, lines, height=2.6 if lines == 1 else 2.2, width=width)
        groups = list(dict.fromkeys(rows[group].dropna())) if group else [None]
        palette = colours(groups)
        for axis, name in zip(axes, names, strict=False):
            part = rows[rows[panel] == name]
            for value, colour in palette.items():
                lines = part if group is None else part[part[group] == value]
                _lines(axis, lines, x, colour, best)
            if group is not None:
                _lines(axis, part[part[group].isna()], x, UNGROUPED, best)
            label = LABELS.get(name if panel == "measure" else part["measure"].iloc[0], str(name))
            axis.set(xlabel=LABELS.get(x, x), ylabel=label)
            _scale(axis, part, x, xscale, yscale)
            if panel != "measure":
                axis.set_title(name if isinstance(name, str) else f"{_group_name(panel) or panel + ' '}{_number(name)}")
            if limits and name in limits:
                axis.set_ylim(*limits[name])
        legend = group is not None and len(groups) <= MOST_IN_LEGEND
        if group is not None and not legend:
            _name_curves(axes[columns - 1], rows[rows[panel] == names[columns - 1]], x, group, palette)
        for axis in axes[len(names) :]:
            axis.set_visible(False)
        handles = _handles(group, palette if legend else {}, rows["source"].unique())
        handles += left_out(table)
        across = legend_columns(handles, 6 if columns > 1 else 3)
        figure.legend(handles=handles, loc="outside upper center", ncols=across, title=title)
        return figure


def _handles(group: str | None, palette: dict, sources: list[str]) -> list[Line2D]:
    """Legend entries of the groups' colours and the sources' marks."""
    handles = [Line2D([], [], color=c, label=f"{_group_name(group)}{_number(v)}") for v, c in palette.items()]
    handles += source_handles(set(sources))
    for source in [name for name in ("exact", "gcv", "leave-one-out", "bound") if name in sources]:
        style = "--" if source == "bound" else ""
        handles.append(Line2D([], [], color="0.3", linestyle=style, marker=MARK[source], markersize=4, label=source))
    return handles


def _at_each(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Rows without a value in a column at each value that their measure has there."""
    without = rows[column].isna()
    if not without.any():
        return rows
    values = rows.loc[~without, ["measure", column]].drop_duplicates()
    repeated = rows[without].drop(columns=column).merge(values, on="measure")
    return pd.concat([rows[~without], repeated], ignore_index=True)


def _at_measured_sizes(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows at the training-set sizes of the experiments, where there are any: curves have many more."""
    sizes = rows.loc[~rows["source"].isin(CURVES), "train_size"].dropna()
    return rows[rows["train_size"].isna() | rows["train_size"].isin(sizes)] if len(sizes) else rows


def _require_one_measure(panel, group, measures):
    one = "measure" in (panel, group) or (measures is not None and len(measures) == 1)
    require(one, f"panel: {panel} draws one measure in all panels; write e.g. measures: [nmse], or leave panel out")


def _scale(axis, rows, x, xscale, yscale):
    """Set the axes' scales, chosen by what was measured where they are "auto"."""
    measured = rows[~rows["source"].isin(CURVES)]
    told = measured if len(measured) else rows
    numbers = {"x": told[x] if told[x].dtype.kind in "if" else [], "y": told["mean"]}
    if told["measure"].isin(SHARES).all():
        numbers["y"] = []
    for side, scale in (("x", xscale), ("y", yscale)):
        line = getattr(axis, f"{side}axis")
        axis.set(**{f"{side}scale": scale_of(numbers[side]) if scale == "auto" else scale})
        if scale == "auto" and line.get_scale() == "log":
            line.set_major_locator(LogLocator(subs=(1, 2, 5)))
            line.set_major_formatter("{x:g}")
        line.set_minor_formatter(NullFormatter())
    positive = measured.loc[measured[x] > 0, x] if x == "train_size" and axis.get_xscale() == "log" else []
    if len(positive):
        axis.set_xlim(left=positive.min() / 2)
    if axis.get_yscale() == "log" and len(measured):
        real = measured.loc[measured["mean"] > ROUNDING * measured["mean"].max(), "mean"]
        axis.set_ylim(bottom=max(axis.get_ylim()[0], real.min() / 3) if len(real) else None)


def _name_curves(axis, rows, x, group, palette):
    """The groups' names at the right ends of their curves, or of their points."""
    ends = []
    for value, colour in palette.items():
        part = rows[(rows[group] == value) & np.isfinite(rows["mean"])].sort_values(x, kind="stable")
        curve = part[part["source"] == "theory"]
        if len(part):
            last = (curve if len(curve) else part).iloc[-1]
            ends.append((f"{_group_name(group)}{_number(value)}", colour, last[x], last["mean"]))
    label_ends(axis, ends)


def _lines(axis, rows, x, colour, best):
    for source, part in rows.groupby("source"):
        part = part.sort_values(x, kind="stable")
        if source in CURVES:
            thin = {"linewidth": 0.7} if source == "eigensystem" else {}
            axis.plot(part[x], finite(part["mean"]), color=colour, linestyle=CURVES[source], **thin)
            if best and source == "theory" and len(part) and part["measure"].iloc[0].startswith("test"):
                least = part.loc[part["mean"].idxmin()]
                axis.plot(least[x], least["mean"], marker="v", color=colour, markersize=5, zorder=4)
            continue
        spread = part["spread"].fillna(0) if "spread" in part else 0
        face = colour if source == "network" else "white"
        axis.errorbar(
            part[x], part["mean"], spread, fmt=MARK.get(source, "o"), color=colour, markerfacecolor=face, markersize=3.4,
            markeredgewidth=0.8, elinewidth=0.7, capsize=1.5, zorder=3,
        )  # fmt: skip


def _group_name(group):
    return {"train_size": "$n=$", "ridge": r"$\delta=$", "noise_std": r"$\sigma=$", "width": "width "}.get(group, "")


def _number(value):
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)
