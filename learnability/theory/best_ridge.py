"""The ridge at which the per-sample theory predicts the smallest error, for every training size.

Where it lies is first seen from leave-one-out errors: on n random samples they estimate the error at n, and one eigensystem
gives them at every ridge. The theory then decides between its neighbours, on a pool that is not much larger than n:
samples beyond it make the population better known, not another one.
"""

import numpy as np
from scipy import linalg

from ..common.errors import reals, require
from ..common.groups import Groups, first_groups, number_of, rows_of
from ..common.seeding import stream
from .blocks import Blocks
from .per_sample import predict_samples
from .sample_arguments import as_one_error, checked

GRID = 10.0 ** np.arange(-6, 1.1, 0.5)  # ridges, in units of the mean of the kernel's diagonal
SUBSETS, LEFT_OUT = 4, 512  # of n samples, for leave-one-out errors, at least, and so many errors; one subset at n = M
POOL, SMALLEST_POOL = 1.25, 256  # times n; samples
FACTOR = np.sqrt(10)  # between neighbouring ridges
SHIFTS = 3  # of the three ridges that the theory compares, at most


def best_ridge(
    matrix: np.ndarray,
    y: np.ndarray,
    train_sizes: np.ndarray | list,
    noise_std: float = 0.0,
    groups: Groups | None = None,
) -> np.ndarray:
    """The best ridge of every training size.

    Parameters
    ----------
    matrix : (M, M), y : (M,) or (M, outputs)
    train_sizes : (sizes,), at least 2, at most M; at M the error is the leave-one-out error
    noise_std : float
        Of label noise that y does not hold.
    groups : (M,) of int from 0, optional
        Training sets are whole groups, and errors those on others.

    Returns
    -------
    (sizes,)
        0 where no ridge is best: where the error still falls at 1e-6 of the mean of the kernel's diagonal.

    Raises
    ------
    ValueError
        A train_size below 2 or above M; see also `learnability.predict_samples`.

    Notes
    -----
    Four eigensystems of (n, n), more of small ones, and three to five cells of `predict_samples` with 1.25 n samples per size.
    The minimum is flat: a factor of 1.5 in the ridge costs about a per cent of the error (test_the_best_ridge).

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> from learnability.theory.best_ridge import best_ridge
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 3))
    >>> ridges = best_ridge(lb.FullyConnected(1, "relu").kernel(x), x[:, 0] + rng.standard_normal(60), [20, 40])
    >>> bool((ridges > 0).all())
    True
    """
    matrix, y = checked(matrix, y)
    sizes, size = np.atleast_1d(reals("train_sizes", train_sizes)), len(matrix)
    labels = as_one_error(y.reshape(size, -1))
    require(
        bool(((sizes >= 2) & (sizes <= size)).all()),
        f"train_sizes must be from 2 to the {size} samples of the matrix, got {sizes.tolist()}",
    )
    return np.array([_best(matrix, labels, n, noise_std, groups) for n in sizes])


def _best(matrix: np.ndarray, labels: np.ndarray, train_size: float, noise_std: float, groups: Groups | None) -> float:
    size, ridges = len(matrix), (np.diag(matrix).mean() or 1.0) * GRID
    group = np.arange(size) if groups is None else groups
    number = number_of(group)
    order = stream("pool of best_ridge", size=number).permutation(number)
    parts = max(SUBSETS, LEFT_OUT // round(train_size))
    count = max(round(train_size * number / size), 2)
    subsets = [rows_of(group, np.roll(order, -part * number // parts)[:count]) for part in range(parts)]
    subsets = subsets[:1] if count == number else subsets
    errors = np.mean([_left_out(matrix[np.ix_(s, s)], labels[s], ridges, noise_std, group[s]) for s in subsets], axis=0)
    pool = rows_of(group, first_groups(group, order, max(int(np.ceil(POOL * train_size)), SMALLEST_POOL), least=True))
    inner, known, of_pool = matrix[np.ix_(pool, pool)], labels[pool], None if groups is None else groups[pool]

    def error(ridge: float) -> float:
        prediction = predict_samples(inner, known, train_size, ridge, noise_std, groups=of_pool)
        return float(prediction.test_mse_off_train.mean())

    centre = np.log(ridges[errors.argmin()])
    values: dict[float, float] = {}  # errors by log ridge
    for _ in range(SHIFTS):
        around = [centre - np.log(FACTOR), centre, centre + np.log(FACTOR)]
        values |= {place: error(np.exp(place)) for place in around if place not in values}
        below, middle, above = (values[place] for place in around)
        if middle <= min(below, above):
            bend = below - 2 * middle + above
            return float(np.exp(centre + (np.log(FACTOR) * (below - above) / (2 * bend) if bend > 0 else 0.0)))
        centre = around[0] if below < above else around[2]
        if centre < np.log(ridges[0]):
            return 0.0 if error(0.0) <= values[centre] else float(np.exp(centre))
    return float(np.exp(min(values, key=values.__getitem__)))


def _left_out(
    matrix: np.ndarray, labels: np.ndarray, ridges: np.ndarray, noise_std: float, group: np.ndarray
) -> np.ndarray:
    """(ridges,): mean errors of (K + ridge)^-1 on each group by all others, (Q_gg)^-1 alpha_g, from one eigensystem."""
    blocks = Blocks.of(np.unique(group, return_inverse=True)[1].ravel())
    values, vectors = linalg.eigh(matrix[np.ix_(blocks.order, blocks.order)])
    projected = vectors.T @ labels[blocks.order]
    errors = []
    for ridge in ridges:
        inverse = 1 / (np.fmax(values, 0) + ridge)
        alpha, total = vectors @ (inverse[:, None] * projected), 0.0
        for part, shape in zip(blocks.rows(), blocks.shapes, strict=True):
            rows = vectors[part].reshape(*shape, -1)
            own = np.linalg.inv((rows * inverse) @ rows.swapaxes(1, 2))
            noise = noise_std**2 * ((own @ (rows * inverse)) ** 2).sum() if noise_std else 0.0
            total += ((own @ alpha[part].reshape(*shape, -1)) ** 2).mean(-1).sum() + noise
        errors.append(total / len(labels))
    return np.array(errors)
