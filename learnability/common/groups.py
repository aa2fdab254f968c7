"""Rows that belong together, such as all measurements of one person: their numbers, and how whole groups are drawn."""

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from .errors import require

Groups = Int[np.ndarray, " rows"]


def group_numbers(groups: ArrayLike, size: int) -> Groups:
    """The number of every row's group, counted from 0 in the order in which groups first occur.

    Parameters
    ----------
    groups : (size,) of numbers or texts

    Raises
    ------
    ValueError
        Another length, gaps, one group only.

    Examples
    --------
    >>> group_numbers(["b", "a", "b"], 3).tolist()
    [0, 1, 0]
    """
    values = np.asarray(groups)
    require(values.shape == (size,), f"groups must be ({size},), one per sample, got shape {values.shape}")
    gaps = [row for row, value in enumerate(values.tolist()) if value is None or value != value]
    require(
        not gaps,
        f"groups: {len(gaps)} of the {size} rows have none, the first is row {gaps[0] if gaps else 0}; name their group, or "
        "leave them out",
    )
    texts = values.astype(str) if values.dtype.kind == "O" else values
    _, first, code = np.unique(texts, return_index=True, return_inverse=True)
    require(
        len(first) > 1,
        f"groups: all {size} samples are of one group, and new groups cannot be told from it; leave groups out",
    )
    return np.argsort(np.argsort(first))[code.ravel()]


def number_of(groups: Groups) -> int:
    """How many groups there are."""
    return int(groups.max()) + 1


def renumbered(groups: Groups | None, index: Int[np.ndarray, " chosen_rows"]) -> Groups | None:
    """The groups of some rows, numbered from 0 again; None where there are none.

    Examples
    --------
    >>> renumbered(np.array([0, 1, 1, 2]), np.array([1, 3]))
    array([0, 1])
    """
    return None if groups is None else np.unique(groups[index], return_inverse=True)[1].ravel()


def rows_of(groups: Groups, chosen: Int[np.ndarray, " groups"]) -> Int[np.ndarray, " chosen_rows"]:
    """The rows of some groups, in their order."""
    return np.flatnonzero(np.isin(groups, chosen))


def first_groups(
    groups: Groups, order: Int[np.ndarray, " groups"], rows: float, least: bool
) -> Int[np.ndarray, " groups"]:
    """The first groups of an order with at least, or at most, so many rows together; two of them in any case.

    Examples
    --------
    >>> first_groups(np.array([0, 0, 1, 2, 2, 3]), np.array([3, 2, 1, 0]), 4, least=True).tolist()
    [3, 2, 1]
    """
    totals = np.cumsum(np.bincount(groups)[order])
    number = np.searchsorted(totals, rows) + 1 if least else np.searchsorted(totals, rows, side="right")
    return order[: max(int(number), 2)]


def number_drawn(train_size: float, groups: Groups) -> int:
    """How many groups are nearest to a share train_size / rows of them; one at least, and all but one at most.

    Examples
    --------
    >>> number_drawn(5, np.repeat(np.arange(4), 3))
    2
    """
    number = number_of(groups)
    return int(np.clip(np.round(train_size * number / len(groups)), 1, number - 1))


def sums_of(groups: Groups, values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " groups"]:
    """Sums over the rows of every group."""
    return np.bincount(groups, values)
