r"""Products of Hermite polynomials, one multi-index each, in the order of prod_i g_i^alpha_i.

A multi-index alpha of level |alpha| = l is written as the non-decreasing tuple of its l coordinates: alpha = (2, 0, 1) is
(0, 0, 2). Each tuple of a level but (0, ..., 0) has a single parent, the one with the first of its largest entries lowered by
one, whose product is no smaller: a best-first search of this tree lists the level in descending order, and the levels are
merged.
"""

from collections.abc import Iterator
from heapq import heappop, heappush, merge
from itertools import islice
from math import prod

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

Index = tuple[int, ...]


def largest_products(
    factors: ArrayLike, levels: ArrayLike, number: int
) -> tuple[Float[np.ndarray, " products"], list[Index]]:
    """The largest values of levels[|alpha|] prod_i factors_i^alpha_i over all multi-indices.

    Parameters
    ----------
    factors : (dim,) > 0, in descending order
    levels : (highest level + 1,) >= 0; a level of weight 0 is left out
    number : int

    Returns
    -------
    values (products,), descending, and a list of the multi-indices as tuples; fewer than `number` if there are no more
    """
    each = np.asarray(factors, dtype=float).tolist()
    lists = [_level(each, weight, level) for level, weight in enumerate(np.asarray(levels).tolist()) if weight > 0]
    products = list(islice(merge(*lists), number))
    return np.array([-value for value, _ in products]), [index for _, index in products]


def _level(factors: list[float], weight: float, level: int) -> Iterator[tuple[float, Index]]:
    """Yield (-value, multi-index) of one level in descending order of the value."""
    queue = [(-weight * factors[0] ** level, (0,) * level)]
    while queue:
        value, index = heappop(queue)
        yield value, index
        for child in _children(index, len(factors)):
            heappush(queue, (-weight * prod(factors[i] for i in child), child))


def _children(index: Index, dim: int) -> Iterator[Index]:
    if not index:
        return
    largest = index[-1]
    if largest + 1 < dim:
        yield (*index[:-1], largest + 1)
    first = index.index(largest)
    if first > 0 and index[first - 1] == largest - 1:
        yield (*index[: first - 1], largest, *index[first:])


def hermite_table(z: Float[np.ndarray, "..."], highest: int) -> Float[np.ndarray, "degrees ..."]:
    """Orthonormal Hermite polynomials h_0 ... h_highest of a standard normal variable, (highest + 1, *z.shape).

    h_k+1 = (z h_k - sqrt(k) h_k-1) / sqrt(k + 1).
    """
    table = np.ones((highest + 1, *np.shape(z)))
    for k in range(highest):
        table[k + 1] = (z * table[k] - np.sqrt(k) * table[k - 1] * (k > 0)) / np.sqrt(k + 1)
    return table


def hermite_products(z: Float[np.ndarray, "points dim"], indices: list[Index]) -> Float[np.ndarray, "points indices"]:
    """prod_i h_alpha_i(z_i) of each multi-index, (points, indices).

    z : (points, dim), coordinates of unit variance; indices : multi-indices as tuples of coordinates
    """
    z = np.asarray(z, dtype=float)
    highest = max((index.count(i) for index in indices for i in set(index)), default=0)
    used = sorted({i for index in indices for i in index})
    table = {i: hermite_table(z[:, i], highest) for i in used}
    columns = np.ones((len(indices), len(z)))
    for column, index in zip(columns, indices, strict=True):
        for i in sorted(set(index)):
            column *= table[i][index.count(i)]
    return columns.T
