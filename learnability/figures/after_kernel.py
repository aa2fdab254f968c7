"""A target under the infinite-width, the initial and the after-training kernel, against training size and against width."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from ..tables.columns import LABELS
from .style import POINT, SETTINGS, Colour, colours, log_errors, panels

MEASURES = ("learnability", "test_mse_off_train", "alignment")
KERNELS = ("infinite width", "at initialisation", "after training")
TOLD_APART = ("width", "train_size")


def draw(
    table: pd.DataFrame, width: int | None = None, train_size: int | None = None, title: str | None = None
) -> Figure:
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
                _label(axis, x, measure, sorted(part[x].unique().tolist()))
                axis.set_title({"width": f"width {value:g}", "train_size": f"$n$ = {value:g}"}[fixed])
        figure.legend(handles=_handles(palette), loc="outside upper center", ncols=3, title=title)
        return figure


def _label(axis: Axes, x: str, measure: str, ticks: Sequence[float]) -> None:
    """Names of the axes, and the places that were measured."""
    axis.set(xscale="log", xlabel=LABELS.get(x, x), ylabel=LABELS.get(measure, measure).replace(" off", "\noff"))
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())


def _handles(palette: Mapping[str, Colour]) -> list[Line2D]:
    """Legend entries of the kernels' colours, theory, kernel regression and networks."""
    open_circle: dict[str, Any] = {"marker": "o", "markerfacecolor": "white", "markersize": 4, "linestyle": ""}
    return [
        *(Line2D([], [], color=colour, label=f"kernel: {name}") for name, colour in palette.items()),
        Line2D([], [], color="0.3", label="theory"),
        Line2D([], [], color="0.3", label="kernel regression", **open_circle),
        Line2D([], [], color="0.35", marker="^", markersize=4, linestyle="", label="trained networks"),
    ]


def _kernel(axis: Axes, rows: pd.DataFrame, x: str, colour: Colour) -> None:
    """One kernel's theory as a line, what was measured as points."""
    for source, part in rows.groupby("source"):
        part = part.sort_values(x, kind="stable")
        if source == "theory":
            axis.plot(part[x], part["mean"], color=colour)
        elif source in ("kernel", "matrix"):
            _points(axis, part, x, colour, "o", "white")
            if source == "matrix":
                axis.plot(part[x], part["mean"], color=colour, linewidth=0.6, linestyle=":")


def _points(axis: Axes, rows: pd.DataFrame, x: str, colour: Colour, mark: str, face: Colour) -> None:
    axis.errorbar(
        rows[x], rows["mean"], np.nan_to_num(rows["spread"].to_numpy(float)), fmt=mark, color=colour,
        markerfacecolor=face, markeredgewidth=0.8, zorder=3, **POINT,
    )  # fmt: skip
