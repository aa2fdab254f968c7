"""Exact kernel ridge regression, fhat(x) = K(x, D) (K(D, D) + ridge I)^-1 y, in float64.

The matrices are symmetric positive definite and are solved by Cholesky; a kernel that is singular on the training set
(duplicated points, more points than the kernel's rank) falls back on the minimum-norm solution. Residuals are checked, and a
solution that is largely rounding is named (`learnability.common.conditioning`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike
from scipy import linalg

from ..common.arrays import Floats, finite_array, labels
from ..common.conditioning import EPSILON, may_be_ill_conditioned, warn_of_condition
from ..common.errors import real
from ..common.threads import one_thread
from ..kernels.matrix import as_kernel
from ..kernels.odd import warn_of_odd

if TYPE_CHECKING:
    from ..kernels.kernel import Kernel, KernelLike

LARGEST_RESIDUAL = 1e-12  # of |K| |alpha| + |y|; Cholesky is backward stable, so that a larger one is a failure


@one_thread
def kernel_regression(
    architecture: "Kernel | KernelLike",
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    ridge: float = 0.0,
    kind: str = "ntk",
) -> Floats:
    """Predictions of infinitely wide networks trained to convergence (kind "ntk") or of Bayesian ones ("nngp").

    Parameters
    ----------
    architecture : Kernel, or anything with a `kernel(x, x2, kind)` method
    x_train : (n, dim) or of more axes, y_train : (n,) or (n, outputs), x_test : (n_test, dim)
    ridge : float
        Absolute, added to the raw kernel.

    Returns
    -------
    (n_test,) or (n_test, outputs) float64

    Raises
    ------
    ValueError
        Shapes that do not match, a negative ridge, labels that are not finite.

    Warns
    -----
    IllConditioned
        Kernel and ridge leave a solution of fewer than four certain digits; the message has the smallest ridge that would do.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.linspace(-1, 1, 9)[:, None]
    >>> network = lb.FullyConnected(depth=1, bias_std=0.5)
    >>> lb.kernel_regression(network, x, np.abs(x[:, 0]), [[-0.6], [0.1]], ridge=1e-3).round(2).tolist()
    [0.6, 0.08]
    """
    kernel = as_kernel(architecture, "kernel_regression(architecture, x_train, y_train, x_test)")
    x_train, x_test = finite_array("x_train", x_train), finite_array("x_test", x_test)
    y_train, ridge = labels("y_train", y_train, len(x_train), "x_train"), real("ridge", ridge)
    warn_of_odd(kernel, y_train)
    train_kernel = kernel.kernel(x_train, kind=kind)
    test_kernel = kernel.kernel(x_test, x_train, kind=kind)
    row_of = {row.tobytes(): number for number, row in enumerate(x_train)}
    train_row = np.array([row_of.get(row.tobytes(), -1) for row in x_test], dtype=int)
    return ridge_regression(train_kernel, test_kernel, y_train, ridge, train_row)


@one_thread
def ridge_regression(
    train_kernel: Floats,
    test_kernel: Floats,
    y_train: ArrayLike,
    ridge: float = 0.0,
    train_row: Int[np.ndarray, " n_test"] | None = None,
) -> Floats:
    """Kernel ridge regression from kernel matrices.

    Parameters
    ----------
    train_kernel : (n, n), test_kernel : (n_test, n), y_train : (n,) or (n, outputs)
    ridge : float
    train_row : (n_test,) ints, optional
        For a test point that is a training point its number there, else -1. At those, fhat = y - ridge alpha holds
        exactly, where summing K alpha would lose the digits that alpha has over y: an interpolator interpolates.

    Returns
    -------
    (n_test,) or (n_test, outputs)
    """
    return ridge_regressions(train_kernel, [(test_kernel, train_row)], y_train, ridge)[0]


@one_thread
def ridge_regressions(
    train_kernel: Floats,
    tests: Sequence[tuple[Floats, Int[np.ndarray, " _"] | None]],
    y_train: ArrayLike,
    ridge: float = 0.0,
) -> list[Floats]:
    """`ridge_regression` at several sets of test points, each with its `test_kernel` and `train_row`, from one factorization.

    Examples
    --------
    >>> one, two = ridge_regressions(np.eye(2), [(np.eye(2), None), (np.ones((1, 2)), None)], [3.0, 4.0], ridge=1.0)
    >>> one.tolist(), two.tolist()
    ([1.5, 2.0], [3.5])
    """
    y_train, ridge = labels("y_train", y_train, len(train_kernel), "the kernel"), real("ridge", ridge)
    if len(train_kernel) == 0:
        return [np.zeros((len(test_kernel), *y_train.shape[1:])) for test_kernel, _ in tests]
    alpha, exact = dual_coefficients(train_kernel, y_train, ridge)
    return [
        _evaluated(test_kernel, alpha, y_train - ridge * alpha, train_row if exact else None)
        for test_kernel, train_row in tests
    ]


def _evaluated(
    test_kernel: Floats, alpha: Floats, on_train: Floats, train_row: Int[np.ndarray, " n_test"] | None
) -> Floats:
    predictions = test_kernel @ alpha
    if train_row is not None:
        trained = train_row >= 0
        predictions[trained] = on_train[train_row[trained]]
    return predictions


@one_thread
def dual_coefficients(train_kernel: Floats, y_train: ArrayLike, ridge: float = 0.0) -> tuple[Floats, bool]:
    """alpha = (K + ridge)^-1 y, of shape y_train, with which fhat(x) = K(x, train) alpha; and whether K + ridge is regular.

    Where it is singular up to rounding, alpha is the solution of least norm.
    """
    y_train, ridge = labels("y_train", y_train, len(train_kernel), "the kernel"), real("ridge", ridge)
    matrix = train_kernel + ridge * np.eye(len(train_kernel))
    alpha = _cholesky_solve(matrix, y_train, ridge)
    return (minimum_norm_solve(matrix, y_train, ridge), False) if alpha is None else (alpha, True)


def named(ridge: float) -> str:
    """A training set's matrix, as warnings and errors name it."""
    return f"the kernel matrix plus ridge {ridge:g}"


def _cholesky_solve(matrix: Floats, right: Floats, ridge: float) -> Floats | None:
    """Solve, with one step of iterative refinement; None if the matrix is singular up to rounding."""
    try:
        factor = linalg.cho_factor(matrix, lower=True, check_finite=False)
    except linalg.LinAlgError:
        return None
    if np.diag(factor[0]).min() ** 2 <= len(matrix) * EPSILON * np.diag(matrix).max():
        return None
    solution = linalg.cho_solve(factor, right, check_finite=False)
    solution += linalg.cho_solve(factor, right - matrix @ solution, check_finite=False)
    residual = np.linalg.norm(right - matrix @ solution)
    size = np.linalg.norm(matrix) * np.linalg.norm(solution) + np.linalg.norm(right)
    if residual > LARGEST_RESIDUAL * size:
        return None
    if may_be_ill_conditioned(factor[0], np.abs(matrix).sum(1).max()):
        values = linalg.eigvalsh(matrix, check_finite=False)
        warn_of_condition(named(ridge), values[0], values[-1], ridge)
    return solution


@one_thread
def minimum_norm_solve(matrix: Floats, right: Floats, ridge: float = 0.0) -> Floats:
    """The solution of least norm in the numerical range of a symmetric positive semi-definite matrix, `ridge` its own part."""
    values, vectors = linalg.eigh(matrix, driver="evd", check_finite=False)
    regular = values > len(matrix) * EPSILON * values[-1]
    if regular.any():
        warn_of_condition(named(ridge), values[regular][0], values[-1], ridge, least=values[0])
    vectors = vectors[:, regular]
    return vectors @ ((vectors.T @ right).T / values[regular]).T
