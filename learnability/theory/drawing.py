"""A measure of a table of predictions against the training-set size."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from ..common.errors import choose

GRID = ("output", "train_size", "ridge", "noise_std")


def lines(table: pd.DataFrame, measure: str, several: Sequence[str], axis: Axes | None = None) -> Axes:
    """Draw a column of a table against train_size, a line for each combination of the columns `several` that vary.

    Parameters
    ----------
    table : DataFrame with train_size, the measure and the columns in `several`
    measure : str
    axis : matplotlib Axes, optional
        Missing: those of a new figure.

    Returns
    -------
    The axes.

    Raises
    ------
    ValueError
        A measure that the table does not have.
    """
    choose("measure", measure, [name for name in table.select_dtypes("number") if name not in GRID])
    if axis is None:
        from matplotlib import pyplot

        axis = pyplot.figure(layout="constrained").add_subplot()
    several = [name for name in several if name in table and table[name].nunique() > 1]
    for values, part in table.groupby(list(several)) if several else [((), table)]:
        part = part.sort_values("train_size", kind="stable")
        label = ", ".join(f"{name} {value:g}" for name, value in zip(several, values, strict=True))
        axis.plot(part["train_size"], part[measure], label=label)
    axis.set(xlabel="training-set size $n$", ylabel=measure.replace("_", " "))
    if several:
        axis.legend()
    return axis
