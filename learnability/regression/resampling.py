r"""Exact regression on training sets drawn from a kernel matrix: the mean test error, and its spread over training sets.

The spread. Let training sample i change the error at x by h_i + g_ix, the mean of g over x being 0. An endless test set shows
the variance n Var[h] over training sets. What is left of M samples, all of them scored, is 1 - c of them, c = n/M, and shows

    n (1 - c) Var[h] + (c + c^2 s) Var[g],

s the correlation of g_ix with g_xi: a set and what it leaves are each other's complement, so that a pair counts only where one
is in the set and the other is scored. Neighbours help or harm each other alike, s = 1 (of label noise e and weights a, g_ix is
-2 a_xi e_x e_i). c Var[g] is what the scatter of the scored points among themselves says, so 1 + c times it is taken off.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..common.errors import real, require, whole
from ..common.groups import Groups, number_drawn, number_of, rows_of, sums_of
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
        Standard deviation over training sets drawn anew from where the samples come from, as an endless test set would show
        it, or the one that is given. Each point's error is taken relative to its mean over the draws that score it, so that
        easy and hard points count for nothing. Of the variance of the draws' means, (1 - n / M) is left because two training
        sets share n / M of their samples, and what single points of an endless test set add is taken off (see above). 24 draws
        tell it to a third; nan where the draws do not tell it from that, or points are scored once, or one at a time.
    """

    errors: np.ndarray
    mean: float
    standard_error: float
    spread: float


def resample(
    matrix: np.ndarray,
    y: np.ndarray,
    train_size: int,
    ridge: float = 0.0,
    draws: int = 30,
    seed: int = 0,
    tests: tuple[np.ndarray, np.ndarray] | None = None,
    groups: Groups | None = None,
) -> Resampled:
    """Kernel regression on `draws` random training sets, scored on the samples that are left, or on a test set.

    Parameters
    ----------
    matrix : (M, M), y : (M,) or (M, outputs)
    train_size : int, 1 <= n < M
    ridge : float, absolute
    draws : int >= 2
    seed : int
        Draw number i is the same for every matrix of M samples, ridge and number of draws.
    tests : ((T, M), (T,) or (T, outputs)), optional
        Of a test set, which is scored in their place: the kernel between it and the samples, and the labels there.
    groups : (M,) of int from 0, optional
        Training sets are whole groups, as many as are nearest to the share n / M of them, and scored are the others.

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
    scored = np.full((whole("draws", draws, 2), size if tests is None else len(tests[1])), np.nan)
    drawn = training_sets(matrix, labels, train_size, ridge, draws, seed, groups)
    for errors, (train, rest, alpha) in zip(scored, drawn, strict=True):
        if tests is None:
            errors[rest] = ((labels[rest] - matrix[np.ix_(rest, train)] @ alpha) ** 2).mean(1)
        else:
            errors[:] = ((tests[1].reshape(len(errors), -1) - tests[0][:, train] @ alpha) ** 2).mean(1)
    means = np.nanmean(scored, axis=1)
    number, of_them = (size, train_size) if groups is None else (number_of(groups), number_drawn(train_size, groups))
    single = scored
    if groups is not None and tests is None:  # a group is a point, and counts as often as it has rows
        single = np.array([sums_of(groups, errors) for errors in scored]) * (number / size)
    spread = _spread(single, (number - of_them) / number, endless=tests is None)
    return Resampled(means, float(means.mean()), float(means.std(ddof=1) / np.sqrt(draws)), spread)


def training_sets(
    matrix: np.ndarray,
    labels: np.ndarray,
    train_size: int,
    ridge: float,
    draws: int,
    seed: int = 0,
    groups: Groups | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Random training sets, what they leave, and the dual coefficients (n, outputs) learned from them.

    matrix : (M, M), labels : (M, outputs)
    """
    size, drawn = len(matrix), train_size
    if groups is not None:
        size, drawn = number_of(groups), number_drawn(train_size, groups)
    for draw in range(draws):
        order = stream("training set of a resampling", size=size, draw=draw, seed=seed).permutation(size)
        train, rest = order[:drawn], order[drawn:]
        if groups is not None:
            train, rest = rows_of(groups, train), rows_of(groups, rest)
        yield train, rest, dual_coefficients(matrix[np.ix_(train, train)], labels[train], ridge)[0]


def _spread(scored: np.ndarray, fresh: float, endless: bool) -> float:
    """`Resampled.spread` of errors (draws, points), nan where a point was trained on; fresh is the share 1 - n / M."""
    draws, times = len(scored), (~np.isnan(scored)).sum(0)
    number = times.mean()  # how often a point is scored
    left = np.isfinite(scored).sum(1).min()
    if number <= 1 or left < 2:
        return np.nan
    others = scored - np.nansum(scored, axis=0) / np.fmax(times, 1)
    variance = np.nanmean(others, axis=1).var(ddof=1)
    if endless:
        variance -= (2 - fresh) * np.nanvar(others, axis=1, ddof=1).mean() / left
    own = (1 - 1 / number) * draws / (draws - 1)
    return float(np.sqrt(variance / fresh) / own) if variance > 0 else np.nan
