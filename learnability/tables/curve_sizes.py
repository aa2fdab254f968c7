"""The training-set sizes at which a theory's curve is evaluated: those of the experiments, and some between."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

POINTS = 200
SAMPLE_POINTS = 16  # of a theory that knows the samples


def curve_sizes(measured: Iterable[float]) -> Float[np.ndarray, " sizes"]:
    """A fine grid from 0 to the largest of the measured sizes, and these.

    Examples
    --------
    >>> sizes = curve_sizes([2, 8])
    >>> print(sizes[0], 2 in sizes, sizes[-1])
    0.0 True 8.0
    """
    sizes = np.asarray([*measured], dtype=float)
    largest = sizes.max()
    if largest == 0:
        return np.zeros(1)
    fine = [np.linspace(0, largest, POINTS), np.geomspace(min(0.1, largest), largest, POINTS)]
    return np.unique(np.concatenate([sizes, *fine]))


def sample_curve_sizes(measured: Iterable[float]) -> Float[np.ndarray, " sizes"]:
    """A coarse grid within the measured sizes, and these: a theory that knows the samples costs factorizations at each.

    Examples
    --------
    >>> print(sample_curve_sizes([1, 2]).tolist())
    [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0]
    """
    sizes = np.asarray([*measured], dtype=float)
    if sizes.max() == 0:
        return np.zeros(1)
    between = np.geomspace(max(1.0, sizes[sizes > 0].min()), sizes.max(), SAMPLE_POINTS)
    return np.unique(np.concatenate([sizes, between.round(1)]))
