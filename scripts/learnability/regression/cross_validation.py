"""Generalization from the training set alone: no spectrum, no test set.

With A = K + ridge I on n training points and labels y: the kernel alignment risk estimator of Jacot et al. (2020,
arXiv 2006.09796), which is generalized cross-validation (Craven & Wahba 1979), the leave-one-out error, and the
effective regularization.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ..common.errors import require
from ..common.threads import one_thread


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
def estimate(train_kernel, y_train, ridge=0.0):
    """Estimate test error and effective regularization from the kernel matrix and labels of a training set.

    Parameters
    ----------
    train_kernel : (n, n), y_train : (n,) or (n, outputs), ridge : float

    Raises
    ------
    ValueError
        A + ridge I is not positive definite (duplicated points without a ridge), where no estimate exists.
    """
    n = len(train_kernel)
    require(len(y_train) == n and n > 0, f"the kernel has {n} rows, y_train {len(y_train)}")
    try:
        factor = linalg.cholesky(train_kernel + ridge * np.eye(n), lower=True)
    except linalg.LinAlgError:
        raise ValueError("K + ridge I is not positive definite; remove duplicated points or use a ridge > 0") from None
    inverse = linalg.cho_solve((factor, True), np.eye(n))
    residual = inverse @ y_train
    trace = np.trace(inverse)
    diagonal = np.diag(inverse).reshape(-1, *[1] * (np.ndim(y_train) - 1))
    return Estimates(
        gcv=n * (residual**2).sum(0) / trace**2,
        leave_one_out=((residual / diagonal) ** 2).mean(0),
        kappa=float(1 / trace),
    )
