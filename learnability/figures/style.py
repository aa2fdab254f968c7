"""The look of all figures: readable at column width, colour-blind safe, theory as curves, experiment as points."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, cast

import matplotlib
import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped
from numpy.typing import ArrayLike

matplotlib.use("Agg")
from matplotlib.artist import Artist  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402
from matplotlib.ticker import LogLocator, NullLocator  # noqa: E402

from ..tables.columns import CURVES, KEYS, MEASURES, NAMES, SPREAD  # noqa: E402

Colour = str | tuple[float, float, float]
PAGE = 7.0  # inches: two columns
SETTINGS: dict[Any, Any] = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,
    "svg.hashsalt": "learnability",
    "svg.fonttype": "none",
}
MARKERS = {"kernel": "o", "network": "^"}
POINT: dict[str, Any] = {"markersize": 3.4, "elinewidth": 0.7, "capsize": 1.5}  # of measured means
ROUNDING = 1e-9  # of the largest value: an error that is zero but for rounding
LABEL_SIZE = 6.5  # points
BAND = 0.2  # opacity
COLOURS = {"kernel": "#0072B2", "network": "#D55E00"}


def panels(
    columns: int, rows: int = 1, height: float = 2.6, width: float = PAGE, **options: Any
) -> tuple[Figure, Shaped[np.ndarray, " panels"]]:
    """A figure and its axes, row by row, in the common style."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes.ravel()


def legend_columns(handles: Sequence[Artist], most: int) -> int:
    """Columns of a legend of at most so many, so that its rows are equally long."""
    return -(-len(handles) // -(-len(handles) // most))


def colours(names: Iterable[Hashable]) -> dict[Any, Colour]:
    """A colour for each name, from seaborn's colour-blind palette; the same order gives the same colours."""
    import seaborn as sns  # not above: every check of a configuration would wait half a second for it

    names = list(names)
    palette = sns.color_palette("colorblind" if len(names) <= 10 else "viridis", len(names))
    return dict(zip(names, palette, strict=True))


def by_number(names: Iterable[str]) -> list[str]:
    """Names in the order of the numbers that they end with, then by name: "cosine 2", "sine 2", "cosine 10"."""

    def key(name: str) -> tuple[int, str]:
        number = name.split()[-1]
        return (int(number) if number.isdigit() else 0, name)

    return sorted(names, key=key)


def log_errors(axis: Axes) -> None:
    """A logarithmic vertical axis with ticks at 1, 2 and 5 of every decade, for errors that span one or two."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())


def mean_and_std(rows: pd.DataFrame, measure: str, by: str = "train_size") -> pd.DataFrame:
    """Mean and standard deviation over seeds of one measure, indexed by `by`."""
    return rows.groupby(by)[measure].agg(["mean", "std"]).fillna({"std": 0.0})


def points(
    axis: Axes,
    rows: pd.DataFrame,
    measure: str,
    source: str,
    colour: Colour,
    shift: float = 1.0,
    by: str = "train_size",
) -> None:
    """Experiment as points with error bars of one standard deviation over seeds; `shift` keeps sources apart."""
    numbers = mean_and_std(rows, measure, by)
    filled = source == "network"
    axis.errorbar(
        numbers.index.to_numpy(float) * shift,
        numbers["mean"],
        numbers["std"],
        fmt=MARKERS[source],
        color=colour,
        markerfacecolor=colour if filled else "white",
        markeredgewidth=0.8,
        zorder=3,
        **POINT,
    )


def source_handles(sources: Iterable[str]) -> list[Line2D]:
    """Legend entries that say which mark is which source."""
    return [_source_handle(name) for name in ("theory", "eigensystem", "kernel", "network") if name in sources]


def _source_handle(source: str) -> Line2D:
    face = "white" if source == "kernel" else "0.3"
    mark: dict[str, Any] = {"linestyle": CURVES.get(source, ""), "marker": MARKERS.get(source, "")}
    return Line2D([], [], color="0.3", markerfacecolor=face, markersize=4, label=NAMES[source], **mark)


def band(axis: Axes, x: ArrayLike, mean: ArrayLike, spread: ArrayLike, colour: Colour) -> None:
    """The spread of a curve over initialisations, one standard deviation to either side; nothing where there is none."""
    middle, half = np.asarray(mean, dtype=float), np.asarray(spread, dtype=float)
    if np.isfinite(half).any():
        axis.fill_between(
            np.asarray(x, dtype=float), middle - half, middle + half, color=colour, alpha=BAND, linewidth=0
        )


def band_handles(table: pd.DataFrame) -> list[Patch]:
    """The legend's entry of bands, where a network has several initialisations."""
    shown = "initialisations" in table and bool((table["initialisations"] > 1).any())
    return [Patch(color="0.3", alpha=BAND, linewidth=0, label="spread over initialisations")] if shown else []


def curve_look(source: str) -> dict[str, Any]:
    """The line of a source that is drawn as a curve; that of the spectrum alone is thin."""
    return {"linestyle": CURVES[source]} | ({"linewidth": 0.7} if source == "eigensystem" else {})


def converged(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that may be averaged: everything but networks that did not converge."""
    if "converged" not in table:
        return table
    return table[table["converged"].astype("boolean").fillna(True).to_numpy(bool)]


def left_out(table: pd.DataFrame) -> list[Line2D]:
    """A legend entry that says how many learned functions of networks are not shown, if any."""
    if "converged" not in table:
        return []
    networks = table[table["source"] == "network"]
    missing = len(networks) - len(converged(networks))
    label = f"{missing} of {len(networks)} did not converge: not shown"
    return [Line2D([], [], linestyle="", label=label)] if missing else []


def finite(values: ArrayLike) -> Float[np.ndarray, " points"]:
    """Values with infinities as gaps, for drawing."""
    return np.where(np.isfinite(values), values, np.nan)


def summarised(table: pd.DataFrame) -> pd.DataFrame:
    """Any joined table as rows of source, measure, mean, spread and keys.

    Experiments' tables have that form; of a study's table the measures are averaged over seeds. The spread is that over seeds,
    of a theory that over initialisations of a network.
    """
    if "measure" in table:
        return table
    keys = [key for key in KEYS if key in table and key != "seed"]
    measures = [m for m in MEASURES if m in table]
    rows = converged(table)
    long = rows.melt(keys, measures, "measure", "value")
    between = rows.reindex(columns=[f"{measure}{SPREAD}" for measure in measures])
    long["between"] = np.where(long["source"].isin(CURVES), between.to_numpy(float).ravel("F"), np.nan)
    groups = long.groupby([*keys, "measure"], dropna=False)
    means = groups["value"].agg(mean="mean", spread="std")
    return means.assign(spread=means["spread"].fillna(groups["between"].first())).reset_index()


def scale_of(values: ArrayLike) -> str:
    """ "log" where positive values span a decade, else "linear"; zeros and rounding errors do not count."""
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) == 0 or numbers.min() < 0:
        return "linear"
    positive = numbers[numbers > ROUNDING * numbers.max()]
    return "log" if len(positive) and positive.max() >= 10 * positive.min() else "linear"


def label_ends(axis: Axes, ends: Sequence[tuple[str, Colour, Any, Any]]) -> None:
    """Names at the right ends of curves in place of a legend, moved apart where they would lie on each other.

    Parameters
    ----------
    ends : list of (name, colour, x, y) in the units of the data
    """
    axis_height = cast(Figure, axis.figure).get_figheight() * 72 * axis.get_position().height  # points
    to_axis = axis.transData + axis.transAxes.inverted()
    heights = np.array([to_axis.transform((x, y))[1] for _, _, x, y in ends])
    label_heights = _apart(heights, 1.15 * LABEL_SIZE / axis_height)
    order = np.argsort(heights, kind="stable")
    for number in order:
        name, colour, x, y = ends[number]
        axis.annotate(
            name, (x, y), (1.1, label_heights[number]), textcoords=axis.transAxes, fontsize=LABEL_SIZE, va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "patchA": None, "relpos": (0, 0.5)},
        )  # fmt: skip


def _apart(heights: Float[np.ndarray, " labels"], step: float) -> Float[np.ndarray, " labels"]:
    """Heights between 0 and 1 in the same order, at least a step apart, the highest at most at 1."""
    order = np.argsort(heights, kind="stable")
    moved = np.clip(heights[order], 0, 1)
    for number in range(1, len(moved)):
        moved[number] = max(moved[number], moved[number - 1] + step)
    moved -= max(0, moved[-1] - 1)
    apart = np.empty_like(moved)
    apart[order] = moved
    return apart
