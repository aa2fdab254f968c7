"""Measured means against the theory: one panel per measure (or other column), curves are theory, points experiment."""

from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Shaped
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from ..common.errors import choose, require
from ..tables.columns import CURVES, LABELS
from .style import (
    MARKERS,
    PAGE,
    POINT,
    ROUNDING,
    SETTINGS,
    Colour,
    band,
    band_handles,
    colours,
    curve_look,
    finite,
    label_ends,
    left_out,
    legend_columns,
    panels,
    scale_of,
    source_handles,
    summarised,
)

MOST_COLUMNS = 3  # of panels
MOST_IN_LEGEND = 6  # groups
MOST_LETTERS = 24  # of an entry of a legend in three columns above one panel
UNGROUPED = "0.3"  # the colour of rows that belong to no group
SHARES = ("learnability", "accuracy", "r2")  # of a whole
MARK = {**MARKERS, "exact": "x", "gcv": "s", "leave-one-out": "D", "bound": ""}


def told_apart(
    x: str,
    group: str | None = None,
    panel: str = "measure",
    select: Mapping[str, Any] | None = None,
    measures: Sequence[str] | None = None,
    **_: Any,
) -> set[str | None]:
    """Columns of which a comparison with these options shows several values without mixing them.

    Raises
    ------
    ValueError
        Several measures in one panel.
    """
    _require_one_measure(panel, group, measures)
    return {x, group, panel, *(select or {})}


def draw(
    table: pd.DataFrame,
    x: str,
    measures: Sequence[str] | None = None,
    group: str | None = None,
    panel: str = "measure",
    xscale: str = "auto",
    yscale: str = "auto",
    title: str | None = None,
    limits: Mapping[Any, Sequence[float]] | None = None,
    select: Mapping[str, Any] | None = None,
    best: bool = False,
) -> Figure:
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
        rows = _selected_rows(summarised(table), x, measures, group, panel, select or {})
        names = measures if measures and panel == "measure" else list(dict.fromkeys(rows[panel]))
        groups = list(dict.fromkeys(rows[group].dropna())) if group else [None]
        palette = colours(groups)
        columns = min(len(names), MOST_COLUMNS)
        figure, axes = _grid(len(names), columns)
        for axis, name in zip(axes, names, strict=False):
            panel_rows = rows[rows[panel] == name]
            _groups(axis, panel_rows, x, group, palette, best)
            _label(axis, panel_rows, name, x, panel)
            _scale(axis, panel_rows, x, xscale, yscale)
            if limits and name in limits:
                axis.set_ylim(*limits[name])
        in_legend = group is not None and len(groups) <= MOST_IN_LEGEND
        if group is not None and not in_legend:
            rightmost = columns - 1  # of the first row
            _name_curves(axes[rightmost], rows[rows[panel] == names[rightmost]], x, group, palette)
        for axis in axes[len(names) :]:
            axis.set_visible(False)
        handles: list[Artist] = [*_handles(group, palette if in_legend else {}, rows["source"].unique())]
        handles += [*left_out(table), *band_handles(table)]
        long = max(len(str(handle.get_label())) for handle in handles) > MOST_LETTERS
        across = legend_columns(handles, 6 if columns > 1 else 2 if long else 3)
        figure.legend(handles=handles, loc="outside upper center", ncols=across, title=title)
        return figure


def _selected_rows(
    rows: pd.DataFrame,
    x: str,
    measures: Sequence[str] | None,
    group: str | None,
    panel: str,
    select: Mapping[str, Any],
) -> pd.DataFrame:
    """The rows that are drawn, those without a value of x or panel at each of its values.

    Raises
    ------
    ValueError
        A column or measure that the table does not have, nothing to draw, several measures in one panel.
    """
    for column in {x, panel, *([group] if group else []), *select}:
        choose("column", column, rows.columns)
    for measure in measures or ():
        choose("measure", measure, rows["measure"].unique())
    if measures:
        rows = rows[rows["measure"].isin(measures)]
    for column, value in select.items():
        rows = rows[rows[column].isna() | (rows[column] == value)]
    if "train_size" in (group, panel):
        rows = _at_measured_sizes(rows)
    for column in (x, panel):
        rows = _at_each(rows, column)
    require(len(rows) > 0, "there is nothing to draw: no row has a value of x and panel, and what select asks for")
    _require_one_measure(panel, group, rows["measure"].unique())
    return rows


def _grid(number: int, columns: int) -> tuple[Figure, Shaped[np.ndarray, " panels"]]:
    """A figure of at least so many panels; a single column is narrower, and several rows are lower."""
    rows = -(-number // columns)
    return panels(columns, rows, height=2.6 if rows == 1 else 2.2, width=PAGE if columns > 1 else PAGE * 0.6)


def _groups(
    axis: Axes, rows: pd.DataFrame, x: str, group: str | None, palette: Mapping[Any, Colour], best: bool
) -> None:
    """Every group in its colour, then what belongs to no group."""
    for value, colour in palette.items():
        _lines(axis, rows if group is None else rows[rows[group] == value], x, colour, best)
    if group is not None:
        _lines(axis, rows[rows[group].isna()], x, UNGROUPED, best)


def _label(axis: Axes, rows: pd.DataFrame, name: Any, x: str, panel: str) -> None:
    """What the axes of a panel show, and which value of `panel` it is of."""
    axis.set(xlabel=LABELS.get(x, x))
    axis.set(ylabel=LABELS.get(name if panel == "measure" else rows["measure"].iloc[0], str(name)))
    if panel != "measure":
        axis.set_title(name if isinstance(name, str) else f"{_group_name(panel) or panel + ' '}{_number(name)}")


def _handles(group: str | None, palette: Mapping[Any, Colour], sources: Iterable[str]) -> list[Line2D]:
    """Legend entries of the groups' colours and the sources' marks."""
    handles = [Line2D([], [], color=c, label=f"{_group_name(group)}{_number(v)}") for v, c in palette.items()]
    sources = set(sources)
    handles += source_handles(sources)
    for source in [name for name in ("exact", "gcv", "leave-one-out", "bound") if name in sources]:
        mark: dict[str, Any] = {"marker": MARK[source], "linestyle": "--" if source == "bound" else ""}
        handles.append(Line2D([], [], color="0.3", markersize=4, label=source, **mark))
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


def _require_one_measure(panel: str, group: str | None, measures: Sized | None) -> None:
    one = "measure" in (panel, group) or (measures is not None and len(measures) == 1)
    require(
        one, f"panel: {panel} draws one measure in all panels; write measures: [nmse] beside it, or leave panel out"
    )


def _scale(axis: Axes, rows: pd.DataFrame, x: str, xscale: str, yscale: str) -> None:
    """Set the axes' scales, chosen by what was measured where they are "auto"."""
    measured = rows[~rows["source"].isin(CURVES)]
    shown = measured if len(measured) else rows
    numbers = {"x": shown[x] if shown[x].dtype.kind in "if" else [], "y": shown["mean"]}
    if shown["measure"].isin(SHARES).all():
        numbers["y"] = []
    for side, scale in (("x", xscale), ("y", yscale)):
        line = getattr(axis, f"{side}axis")
        axis.set(**{f"{side}scale": scale_of(numbers[side]) if scale == "auto" else scale})
        if scale == "auto" and line.get_scale() == "log":
            line.set_major_locator(LogLocator(subs=(1, 2, 5)))
            line.set_major_formatter("{x:g}")
        line.set_minor_formatter(NullFormatter())
    if x == "train_size" and axis.get_xscale() == "log" and (measured[x] > 0).any():
        axis.set_xlim(left=measured.loc[measured[x] > 0, x].min() / 2)
    if axis.get_yscale() == "log" and len(measured):
        above_rounding = measured.loc[measured["mean"] > ROUNDING * measured["mean"].max(), "mean"]
        lowest = above_rounding.min() / 3
        axis.set_ylim(bottom=max(axis.get_ylim()[0], lowest) if len(above_rounding) else None)


def _name_curves(axis: Axes, rows: pd.DataFrame, x: str, group: str, palette: Mapping[Any, Colour]) -> None:
    """The groups' names at the right ends of their curves, or of their points."""
    ends = []
    for value, colour in palette.items():
        part = rows[(rows[group] == value) & np.isfinite(rows["mean"])].sort_values(x, kind="stable")
        curve = part[part["source"] == "theory"]
        if len(part):
            last = (curve if len(curve) else part).iloc[-1]
            ends.append((f"{_group_name(group)}{_number(value)}", colour, last[x], last["mean"]))
    label_ends(axis, ends)


def _lines(axis: Axes, rows: pd.DataFrame, x: str, colour: Colour, best: bool) -> None:
    """Curves and points of all sources in one colour."""
    for source, part in rows.groupby("source"):
        part = part.sort_values(x, kind="stable")
        if source in CURVES:
            axis.plot(part[x], finite(part["mean"]), color=colour, **curve_look(source))
            if source == "theory" and "spread" in part:
                band(axis, part[x], part["mean"], part["spread"], colour)
            if best and source == "theory" and len(part) and part["measure"].iloc[0].startswith("test"):
                least = part.loc[part["mean"].idxmin()]
                axis.plot(least[x], least["mean"], marker="v", color=colour, markersize=5, zorder=4)
            continue
        spread = part["spread"].fillna(0) if "spread" in part else 0
        face = colour if source == "network" else "white"
        axis.errorbar(
            part[x], part["mean"], spread, fmt=MARK.get(source, "o"), color=colour, markerfacecolor=face,
            markeredgewidth=0.8, zorder=3, **POINT,
        )  # fmt: skip


def _group_name(group: str | None) -> str:
    return {"train_size": "$n=$", "ridge": r"$\delta=$", "noise_std": r"$\sigma=$", "width": "width "}.get(
        group or "", ""
    )


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)
