"""The error of kernel regression off a training set, beside what the training set alone says of it."""

from dataclasses import dataclass

import numpy as np

from ..kernels.matrix import KernelMatrix
from ..regression.cross_validation import estimate
from .regression import learned_function
from .task import LearningTask


@dataclass(frozen=True)
class Estimated:
    """Of one training set, means over outputs; the estimates are nan where a singular kernel without a ridge allows none.

    Attributes
    ----------
    test_mse_off_train : float
    gcv, leave_one_out : float
    kappa : float
        1 / Tr (K + ridge)^-1.
    """

    test_mse_off_train: float
    gcv: float
    leave_one_out: float
    kappa: float


def estimated(task: LearningTask, kernel: KernelMatrix, train_size: int, seed: int, ridge: float) -> Estimated:
    """Kernel regression on one training set of a task with one target, its error and the estimates of it."""
    training_set = task.training_set(train_size, seed)
    labels = training_set.labels[0]
    learned = learned_function(kernel, training_set.points, labels, task.test, ridge)
    error = float(task.errors_off_train(training_set, learned[None])[0])
    try:
        estimates = estimate(kernel.block(training_set.points), labels, ridge)
    except ValueError:
        return Estimated(error, np.nan, np.nan, np.nan)
    return Estimated(error, float(np.mean(estimates.gcv)), float(np.mean(estimates.leave_one_out)), estimates.kappa)
