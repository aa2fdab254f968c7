"""A target under the infinite-width, the initial and the after-training kernel, against training size and against width."""

import numpy as np
from matplotlib import rc_context
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ..tables.columns import LABELS
from .style import SETTINGS, colours, log_errors, panels

MEASURES = ("learnability", "test_mse_off_train", "alignment")
KERNELS = ("infinite width", "at initialisation", "after training")
TOLD_APART = ("width", "train_size")


def draw(table, width=None, train_size=None, title=None):
    """Upper row: against n, at one width; lower row: against the width, at one n.

    Curves are theory, circles kernel regression, both on points that the network did not see, means over networks with standard
    deviations; alignments have no theory. Triangles are the trained networks themselves.

    Parameters
    ----------
    width, train_size : int, optional
        Those that stay fixed; missing: the smallest width, the largest n.
    """
    with rc_context(SETTINGS):
        width = int(table["width"].min()) if width is None else width
        train_size = int(table["train_size"].max()) if train_size is None else train_size
        figure, axes = panels(3, rows=2, height=2.3)
        palette = colours(KERNELS)
        for row, (x, fixed, value) in enumerate((("train_size", "width", width), ("width", "train_size", train_size))):
            part = table[table[fixed] == value]
            for axis, measure in zip(axes[3 * row : 3 * row + 3], MEASURES, strict=True):
                for kernel, colour in palette.items():
                    _kernel(axis, part[(part["kernel"] == kernel) & (part["measure"] == measure)], x, colour)
                if measure == "test_mse_off_train":
                    network = part[part["kernel"] == "network"].sort_values(x, kind="stable")
                    _points(axis, network, x, "0.35", "^", "0.35")
                    log_errors(axis)
                label = LABELS.get(measure, measure).replace(" off", "\noff")
                axis.set(xscale="log", xlabel=LABELS.get(x, x), ylabel=label)
                ticks = sorted(part[x].unique())
                axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
                axis.xaxis.set_minor_locator(NullLocator())
                axis.set_title({"width": f"width {value:g}", "train_size": f"$n$ = {value:g}"}[fixed])
        handles = [Line2D([], [], color=colour, label=f"kernel: {name}") for name, colour in palette.items()]
        open_circle = {"marker": "o", "markerfacecolor": "white", "markersize": 4, "linestyle": ""}
        handles += [
            Line2D([], [], color="0.3", label="theory"),
            Line2D([], [], color="0.3", label="kernel regression", **open_circle),
            Line2D([], [], color="0.35", marker="^", markersize=4, linestyle="", label="trained networks"),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=3, title=title)
        return figure


def _kernel(axis, rows, x, colour):
    """One kernel's theory as a line, what was measured as points."""
    for source, part in rows.groupby("source"):
        part = part.sort_values(x, kind="stable")
        if source == "theory":
            axis.plot(part[x], part["mean"], color=colour)
        elif source in ("kernel", "matrix"):
            _points(axis, part, x, colour, "o", "white")
            if source == "matrix":
                axis.plot(part[x], part["mean"], color=colour, linewidth=0.6, linestyle=":")


def _points(axis, rows, x, colour, mark, face):
    axis.errorbar(
        rows[x], rows["mean"], np.nan_to_num(rows["spread"].to_numpy(float)), fmt=mark, color=colour,
        markerfacecolor=face, markersize=3.4, markeredgewidth=0.8, elinewidth=0.7, capsize=1.5, zorder=3,
    )  # fmt: skip
