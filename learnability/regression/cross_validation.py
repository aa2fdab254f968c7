"""Generalization from the training set alone: no spectrum, no test set.

With A = K + ridge I on n training points and labels y: the kernel alignment risk estimator of Jacot et al. (2020,
arXiv 2006.09796), which is generalized cross-validation (Craven & Wahba 1979), the leave-one-out error, and the
effective regularization.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from ..common.arrays import finite_array, labels
from ..common.conditioning import may_be_ill_conditioned, sufficient_ridge, warn_of_condition
from ..common.errors import real, require
from ..common.threads import one_thread
from .ridge import named


@dataclass(frozen=True)
class Estimates:
    """Estimates from one training set; arrays have one entry per output (a scalar for y of shape (n,)).

    Attributes
    ----------
    gcv : n y^T A^-2 y / (Tr A^-1)^2, estimates the test error against labels as noisy as y
    leave_one_out : mean of ((A^-1 y)_i / (A^-1)_ii)^2, the exact leave-one-out error
    kappa : 1 / Tr A^-1
    """

    gcv: np.ndarray
    leave_one_out: np.ndarray
    kappa: float


@one_thread
def estimate(train_kernel: ArrayLike, y_train: ArrayLike, ridge: float = 0.0) -> Estimates:
    """Estimate test error and effective regularization from the kernel matrix and labels of a training set.

    Parameters
    ----------
    train_kernel : (n, n), y_train : (n,) or (n, outputs), ridge : float

    Raises
    ------
    ValueError
        A + ridge I is not positive definite (duplicated points without a ridge), where no estimate exists; a kernel that is not
        square, labels that do not fit it, a negative ridge, values that are not finite.

    Warns
    -----
    IllConditioned
        As of `learnability.kernel_regression`.
    """
    train_kernel, ridge = finite_array("train_kernel", train_kernel), real("ridge", ridge)
    n = len(train_kernel)
    require(n > 0 and train_kernel.shape == (n, n), f"the kernel must be (n, n), got shape {train_kernel.shape}")
    y_train = labels("y_train", y_train, n, "the kernel")
    matrix = train_kernel + ridge * np.eye(n)
    try:
        factor = linalg.cholesky(matrix, lower=True)
    except linalg.LinAlgError:
        values = linalg.eigvalsh(matrix)
        raise ValueError(
            f"{named(ridge)} is not positive definite; remove duplicated points, or use a ridge of at least "
            f"{ridge + sufficient_ridge(0.0, values[-1]):.2g}"
        ) from None
    if may_be_ill_conditioned(factor, np.abs(matrix).sum(1).max()):
        values = linalg.eigvalsh(matrix)
        warn_of_condition(named(ridge), values[0], values[-1], ridge)
    inverse = linalg.cho_solve((factor, True), np.eye(n))
    residual = inverse @ y_train
    trace = np.trace(inverse)
    diagonal = np.diag(inverse).reshape(-1, *[1] * (np.ndim(y_train) - 1))
    return Estimates(
        gcv=n * (residual**2).sum(0) / trace**2,
        leave_one_out=((residual / diagonal) ** 2).mean(0),
        kappa=float(1 / trace),
    )
