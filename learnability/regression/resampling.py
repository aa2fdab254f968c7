"""Exact regression on training sets drawn from a kernel matrix: the mean test error, and its spread over training sets."""

from dataclasses import dataclass

import numpy as np

from ..common.errors import real, require, whole
from ..common.seeding import stream
from .ridge import dual_coefficients


@dataclass(frozen=True)
class Resampled:
    """What random training sets measure.

    Attributes
    ----------
    errors : (draws,)
        Mean squared error off each training set.
    mean, standard_error : float
        Of the errors; the standard error says how far more draws from the same samples would move the mean.
    spread : float
        Standard deviation over training sets drawn anew from where the samples come from, as an endless test set would show it:
        (variance of the errors - v n / (M (M - n))) / (1 - n / M). v, the variance over the points of one test set, counts
        for the choice of M - n points of M, and two training sets share n / M of their samples.
    """

    errors: np.ndarray
    mean: float
    standard_error: float
    spread: float


def resample(
    matrix: np.ndarray, y: np.ndarray, train_size: int, ridge: float = 0.0, draws: int = 30, seed: int = 0
) -> Resampled:
    """Kernel regression on `draws` random training sets, scored on the samples that are left.

    Parameters
    ----------
    matrix : (M, M), y : (M,) or (M, outputs)
    train_size : int, 1 <= n < M
    ridge : float, absolute
    draws : int >= 2
    seed : int
        Draw number i is the same for every matrix of M samples, ridge and number of draws.

    Raises
    ------
    ValueError
        A train_size that leaves no test sample, fewer than two draws, a negative ridge.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> from learnability.regression.resampling import resample
    >>> x = np.random.default_rng(0).standard_normal((80, 3))
    >>> measured = resample(lb.FullyConnected(1, "relu").kernel(x), np.sin(x[:, 0]), 40, ridge=0.1)
    >>> measured.spread < measured.mean
    True
    """
    size, labels, ridge = len(matrix), np.reshape(y, (len(y), -1)), real("ridge", ridge)
    require(len(labels) == size, f"y has {len(labels)} rows, the matrix {size}")
    train_size = whole("train_size", train_size, 1, size - 1)
    scored = [_scored(matrix, labels, train_size, ridge, draw, seed) for draw in range(whole("draws", draws, 2))]
    errors = np.array([points.mean() for points in scored])
    variance, left = errors.var(ddof=1), size - train_size
    of_points = np.mean([points.var(ddof=1) if left > 1 else 0.0 for points in scored]) * train_size / (size * left)
    spread = np.sqrt(max(variance - of_points, 0.0) * size / left)
    return Resampled(errors, float(errors.mean()), float(np.sqrt(variance / draws)), float(spread))


def _scored(matrix: np.ndarray, labels: np.ndarray, train_size: int, ridge: float, draw: int, seed: int) -> np.ndarray:
    """(M - n,): squared errors, averaged over outputs, of the samples off one training set."""
    order = stream("training set of a resampling", size=len(matrix), draw=draw, seed=seed).permutation(len(matrix))
    train, rest = order[:train_size], order[train_size:]
    alpha, _ = dual_coefficients(matrix[np.ix_(train, train)], labels[train], ridge)
    return ((labels[rest] - matrix[np.ix_(rest, train)] @ alpha) ** 2).mean(1)
