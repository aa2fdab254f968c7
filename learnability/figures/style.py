"""The look of all figures: readable at column width, colour-blind safe, theory as curves, experiment as points."""

import matplotlib
import numpy as np
import seaborn as sns

matplotlib.use("Agg")
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import LogLocator, NullLocator  # noqa: E402

from ..tables.columns import CURVES, KEYS, MEASURES, NAMES  # noqa: E402

PAGE = 7.0  # inches: two columns
SETTINGS = {
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
ROUNDING = 1e-9  # of the largest value: an error that is zero but for rounding
LABEL_SIZE = 6.5  # points
COLOURS = {"kernel": "#0072B2", "network": "#D55E00"}


def panels(columns, rows=1, height=2.6, width=PAGE, **options):
    """A figure and its axes (flat array), in the common style."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes.ravel()


def legend_columns(handles, most):
    """Columns of a legend of at most so many, so that its rows are equally long."""
    return -(-len(handles) // -(-len(handles) // most))


def colours(names):
    """A colour for each name, from seaborn's colour-blind palette; the same order gives the same colours."""
    names = list(names)
    palette = sns.color_palette("colorblind" if len(names) <= 10 else "viridis", len(names))
    return dict(zip(names, palette, strict=True))


def by_number(names):
    """Names in the order of the numbers that they end with, then by name: "cosine 2", "sine 2", "cosine 10"."""

    def key(name):
        number = name.split()[-1]
        return (int(number) if number.isdigit() else 0, name)

    return sorted(names, key=key)


def log_errors(axis):
    """A logarithmic vertical axis with ticks at 1, 2 and 5 of every decade, for errors that span one or two."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())


def mean_and_std(rows, measure, by="train_size"):
    """Mean and standard deviation over seeds of one measure, indexed by `by`."""
    return rows.groupby(by)[measure].agg(["mean", "std"]).fillna({"std": 0.0})


def points(axis, rows, measure, source, colour, shift=1.0, by="train_size"):
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
        markersize=3.4,
        markeredgewidth=0.8,
        elinewidth=0.7,
        capsize=1.5,
        zorder=3,
    )


def source_handles(sources):
    """Legend entries that say which mark is which source."""
    handles = []
    for source in ("theory", "eigensystem", "kernel", "network"):
        if source in sources:
            face = "white" if source == "kernel" else "0.3"
            mark = {"linestyle": "", "marker": MARKERS[source]} if source in MARKERS else {"linestyle": CURVES[source]}
            handles.append(Line2D([], [], color="0.3", markerfacecolor=face, markersize=4, label=NAMES[source], **mark))
    return handles


def converged(table):
    """The rows that may be averaged: everything but networks that did not converge."""
    if "converged" not in table:
        return table
    return table[table["converged"].astype("boolean").fillna(True).to_numpy(bool)]


def left_out(table):
    """A legend entry that tells how many learned functions of networks are not shown, if any."""
    if "converged" not in table:
        return []
    networks = table[table["source"] == "network"]
    missing = len(networks) - len(converged(networks))
    label = f"{missing} of {len(networks)} did not converge: not shown"
    return [Line2D([], [], linestyle="", label=label)] if missing else []


def finite(values):
    """Values with infinities as gaps, for drawing."""
    return np.where(np.isfinite(values), values, np.nan)


def summarised(table):
    """Any joined table as rows of source, measure, mean, spread and keys.

    Experiments' tables have that form; of a study's table the measures are averaged over seeds.
    """
    if "measure" in table:
        return table
    keys = [key for key in KEYS if key in table and key != "seed"]
    measures = [m for m in MEASURES if m in table]
    long = converged(table).melt(keys, measures, "measure", "value")
    return long.groupby([*keys, "measure"], dropna=False)["value"].agg(mean="mean", spread="std").reset_index()


def scale_of(values):
    """ "log" where positive values span a decade, else "linear"; zeros and rounding errors do not count."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) == 0 or values.min() < 0:
        return "linear"
    values = values[values > ROUNDING * values.max()]
    return "log" if len(values) and values.max() >= 10 * values.min() else "linear"


def label_ends(axis, ends):
    """Names at the right ends of curves in place of a legend, moved apart where they would lie on each other.

    ends : list of (name, colour, x, y) in the order of the data
    """
    height = axis.figure.get_figheight() * 72 * axis.get_position().height
    step = 1.15 * LABEL_SIZE / height  # of the axis
    heights = [axis.transAxes.inverted().transform(axis.transData.transform((x, y)))[1] for _, _, x, y in ends]
    order = np.argsort(heights, kind="stable")
    placed = np.clip(np.array(heights)[order], 0, 1)
    for number in range(1, len(placed)):
        placed[number] = max(placed[number], placed[number - 1] + step)
    placed -= max(0, placed[-1] - 1)
    for where, number in zip(placed, order, strict=True):
        name, colour, x, y = ends[number]
        axis.annotate(
            name, (x, y), (1.1, where), textcoords=axis.transAxes, fontsize=LABEL_SIZE, va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "patchA": None, "relpos": (0, 0.5)},
        )  # fmt: skip
