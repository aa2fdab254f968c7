"""The ridge at which the per-sample theory predicts the smallest error, for every training size."""

import numpy as np

from ..common.errors import reals, require
from .per_sample import predict_samples

DECADES = np.arange(-6.0, 1.5)  # of the ridge, in units of the mean of the kernel's diagonal
ROUNDS = 2  # of refinement


def best_ridge(
    matrix: np.ndarray, y: np.ndarray, train_sizes: np.ndarray | list, noise_std: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """The best ridge of every training size, and the error there.

    Parameters
    ----------
    matrix : (M, M), y : (M,) or (M, outputs)
    train_sizes : (sizes,), above 0, at most M; at M the error is the leave-one-out error
    noise_std : float

    Returns
    -------
    ridges, errors : (sizes,) each
        0 where no ridge is best. The error is off the training set, averaged over outputs.

    Raises
    ------
    ValueError
        See `learnability.predict_samples`.

    Notes
    -----
    One ridge per decade from 1e-6 to 10 times the mean of the kernel's diagonal, and 0, then the vertex of the parabola
    through the three best in log ridge, twice: eleven cells of `predict_samples` per size. The minimum is flat: a factor
    of 1.5 in the ridge costs about a per cent of the error (test_the_best_ridge).

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> from learnability.theory.best_ridge import best_ridge
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 3))
    >>> ridges, errors = best_ridge(lb.FullyConnected(1, "relu").kernel(x), x[:, 0] + rng.standard_normal(60), [20, 40])
    >>> bool((ridges > 0).all())
    True
    """
    sizes = np.atleast_1d(reals("train_sizes", train_sizes))
    require(bool((sizes > 0).all()), "train_sizes must be above 0: without a sample no ridge is best")
    unit = np.diag(matrix).mean() or 1.0

    def errors(ridges: np.ndarray, train_size: np.ndarray) -> np.ndarray:
        predicted = predict_samples(matrix, y, train_size, ridges, noise_std).test_mse_off_train
        return predicted if np.ndim(y) == 1 else predicted.mean(-1)

    grid = unit * 10**DECADES
    coarse = errors(np.concatenate([[0.0], grid])[:, None], sizes)
    values, losses = coarse[1:], coarse[0]
    best, smallest = np.zeros(len(sizes)), losses.copy()
    for number, size in enumerate(sizes):
        points = list(zip(np.log(grid), values[:, number], strict=True))
        for _ in range(ROUNDS):
            vertex = _vertex(points)
            if vertex is None:
                break
            points = sorted([*points, (vertex, float(errors(np.exp([vertex]), size)[0]))])
        log_ridge, error = min(points, key=lambda point: point[1])
        if error < smallest[number]:
            best[number], smallest[number] = np.exp(log_ridge), error
    return best, smallest


def _vertex(points: list[tuple[float, float]]) -> float | None:
    """Where the parabola through the smallest value and its neighbours is smallest; None at an end of the list."""
    place = min(range(len(points)), key=lambda number: points[number][1])
    if place in (0, len(points) - 1):
        return None
    (left, before), (middle, lowest), (right, after) = points[place - 1 : place + 2]
    down, up = (middle - left) * (lowest - after), (middle - right) * (lowest - before)
    if down == up:
        return None
    vertex = middle - ((middle - left) * down - (middle - right) * up) / (2 * (down - up))
    return float(vertex) if abs(vertex - middle) > 0.01 else None
