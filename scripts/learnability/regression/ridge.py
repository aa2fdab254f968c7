"""Exact kernel ridge regression, fhat(x) = K(x, D) (K(D, D) + ridge I)^-1 y, in float64.

The matrices are symmetric positive definite and are solved by Cholesky; a kernel that is singular on the training set
(duplicated points, more points than the kernel's rank) falls back on the minimum-norm solution. Residuals are checked.
"""

import numpy as np
from scipy import linalg

from ..common.errors import real, require, require_finite
from ..common.threads import one_thread
from ..kernels.odd import warn_of_odd

EPSILON = np.finfo(float).eps
LARGEST_RESIDUAL = 1e-12  # of |K| |alpha| + |y|; Cholesky is backward stable, so that a larger one is a failure


@one_thread
def kernel_regression(architecture, x_train, y_train, x_test, ridge=0.0, kind="ntk"):
    """Predictions of infinitely wide networks trained to convergence (kind "ntk") or of Bayesian ones ("nngp").

    Parameters
    ----------
    architecture : FullyConnected, or anything with a `kernel(x, x2, kind)` method
    x_train : (n, dim), y_train : (n,) or (n, outputs), x_test : (n_test, dim)
    ridge : float
        Absolute, added to the raw kernel.

    Returns
    -------
    (n_test,) or (n_test, outputs) float64

    Raises
    ------
    ValueError
        Shapes that do not match, a negative ridge, labels that are not finite.
    """
    x_train, x_test = np.asarray(x_train, dtype=float), np.asarray(x_test, dtype=float)
    y_train = np.asarray(y_train, dtype=float)
    require(len(x_train) == len(y_train), f"x_train has {len(x_train)} rows, y_train {len(y_train)}")
    warn_of_odd(architecture, y_train)
    train_kernel = architecture.kernel(x_train, kind=kind)
    test_kernel = architecture.kernel(x_test, x_train, kind=kind)
    row_of = {row.tobytes(): number for number, row in enumerate(x_train)}
    train_row = np.array([row_of.get(row.tobytes(), -1) for row in x_test], dtype=int)
    return ridge_regression(train_kernel, test_kernel, y_train, ridge, train_row)


@one_thread
def ridge_regression(train_kernel, test_kernel, y_train, ridge=0.0, train_row=None):
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
    ridge = real("ridge", ridge)
    require_finite("y_train", y_train)
    if len(train_kernel) == 0:
        return np.zeros((len(test_kernel), *y_train.shape[1:]))
    alpha, exact = dual_coefficients(train_kernel, y_train, ridge)
    predictions = test_kernel @ alpha
    if exact and train_row is not None:
        known = train_row >= 0
        predictions[known] = (y_train - ridge * alpha)[train_row[known]]
    return predictions


@one_thread
def dual_coefficients(train_kernel, y_train, ridge=0.0):
    """alpha = (K + ridge)^-1 y, of shape y_train, with which fhat(x) = K(x, train) alpha; and whether K + ridge is regular.

    Where it is singular up to rounding, alpha is the solution of least norm.
    """
    matrix = train_kernel + ridge * np.eye(len(train_kernel))
    alpha = _cholesky_solve(matrix, y_train)
    return (minimum_norm_solve(matrix, y_train), False) if alpha is None else (alpha, True)


def _cholesky_solve(matrix, right):
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
    return solution if residual <= LARGEST_RESIDUAL * size else None


@one_thread
def minimum_norm_solve(matrix, right):
    """The solution of least norm in the numerical range of a symmetric positive semi-definite matrix."""
    values, vectors = linalg.eigh(matrix, driver="evd", check_finite=False)
    kept = values > len(matrix) * EPSILON * values[-1]
    vectors = vectors[:, kept]
    return vectors @ ((vectors.T @ right).T / values[kept]).T
