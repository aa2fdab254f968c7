"""Inputs centred and scaled so that |x|^2 averages to the number of features: weight_std and bias_std mean the
same for all data.

"features" scales every source by its own number (a column, or all columns that were made of one column of texts), because
columns of a table have units of their own. A value that is rare is not blown up by its rarity: a source of which less than a
tenth of the values differ from the most frequent one is scaled as if a tenth did. "all" scales everything by one number, as
pixels and counts need, which share their unit.
"""

from dataclasses import dataclass

import numpy as np

from ..common.errors import choose, require

SCALES = ("all", "features", "none")
RARE = 0.1
PIXELS = 16  # columns, at least, that are taken to share a unit because they are zero almost everywhere
MOSTLY_ZERO = 0.9
ROUNDING = 8 * np.finfo(float).eps


def usual_scale(x: np.ndarray, all_numbers: bool) -> tuple[str, str]:
    """The scaling of a table of inputs (samples, columns), and why, in words.

    Examples
    --------
    >>> usual_scale(np.eye(3), all_numbers=True)
    ('features', 'each by its own spread')
    >>> usual_scale(np.eye(20), all_numbers=True)[0]
    'all'
    """
    if all_numbers and x.shape[1] >= PIXELS and x.min() >= 0:
        empty = ((x == 0).mean(0) > MOSTLY_ZERO).mean()
        if empty >= RARE:
            return (
                "all",
                f"by one number, because {100 * empty:.0f} % of them are zero almost everywhere, as pixels and counts are",
            )
    return "features", "each by its own spread"


@dataclass(frozen=True)
class Scaling:
    """What is taken off every column, and by what the rest is multiplied, each (columns,)."""

    centre: np.ndarray
    factor: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Further rows (samples, ...) on the same scale, flat."""
        return (x.reshape(len(x), -1) - self.centre) * self.factor


def scaled(x: np.ndarray, scale: str, sources: np.ndarray | None = None) -> tuple[np.ndarray, Scaling]:
    """The inputs as float64, centred and scaled in place (no second copy of them is made), and the scaling of further rows.

    Parameters
    ----------
    x : (samples, ...)
    scale : "all", "features" or "none"
    sources : (columns,) int, optional
        The number of the source of each column, ascending from 0; missing: each is a source of its own.

    Raises
    ------
    ValueError
        Inputs that are the same for all samples.

    Examples
    --------
    >>> x, scaling = scaled(np.array([[0.0, 10.0], [2.0, 30.0]]), "features")
    >>> x.tolist(), scaling(np.array([[1.0, 40.0]])).tolist()
    ([[-1.0, -1.0], [1.0, 1.0]], [[0.0, 2.0]])
    """
    choose("scale", scale, SCALES)
    x = np.array(x.reshape(len(x), -1), dtype=np.float64)
    if scale == "none":
        return x, Scaling(np.zeros(x.shape[1]), np.ones(x.shape[1]))
    least, most = x.min(0), x.max(0)
    constant = most - least <= ROUNDING * np.fmax(np.abs(least), np.abs(most))
    shares = _share_of_others(x, sources) if scale == "features" else np.empty(0)
    centre = x.mean(0)
    x -= centre
    x[:, constant] = 0
    square = np.einsum("ij,ij->j", x, x) / len(x)
    require(bool(np.any(square > 0)), "all samples have the same inputs: there is nothing to tell them apart by")
    if scale == "all":
        x /= np.sqrt(square.mean())
        return x, Scaling(centre, np.full(len(centre), 1 / np.sqrt(square.mean())))
    sources = np.arange(x.shape[1]) if sources is None else sources
    rare = np.clip(shares, 1 / len(x), RARE)
    rarity = RARE * (1 - RARE) / (rare * (1 - rare))
    size = np.bincount(sources, square) * rarity
    size = np.sqrt(np.where(size > 0, size, 1.0))[sources]
    x /= size
    grouped = len(np.unique(sources)) < len(sources) or bool((rarity > 1).any())
    whole = 1.0
    if grouped:  # else every column has the mean square 1 already
        whole = np.sqrt((square > 0).sum() / (square / size**2).sum())
        x *= whole
    return x, Scaling(centre, np.where(constant, 0.0, whole / size))


def _share_of_others(x: np.ndarray, sources: np.ndarray | None) -> np.ndarray:
    """Of every source (sources,), the share of samples that differ from its most frequent value."""
    first = np.arange(x.shape[1]) if sources is None else np.unique(sources, return_index=True)[1]
    last = np.append(first[1:], x.shape[1])
    shares = np.empty(len(first))
    for number, (begin, end) in enumerate(zip(first, last)):
        if end - begin == 1:
            column = np.sort(x[:, begin])
            edges = np.flatnonzero(np.diff(column) != 0)
            longest = np.diff([-1, *edges, len(column) - 1]).max()
        else:
            longest = max((x[:, begin:end] == 1).sum(0).max(), 1)
        shares[number] = 1 - longest / len(x)
    return shares
