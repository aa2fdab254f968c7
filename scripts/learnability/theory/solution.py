"""What every system of equations returns: the same statistics of the learned function, on a flat grid."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Solution:
    """Statistics of the learned function at every grid point.

    Attributes
    ----------
    kappa, overfitting_coefficient : (grid,)
    learnability, bias, test_mse, train_mse, variance : (grid, outputs)
        See `learnability.theory.prediction.Prediction`.
    mode_learnabilities : callable
        () -> (grid, levels); called when asked for, because there may be many levels.
    coefficient_variance : callable
        () -> (grid, levels, outputs), of each eigenfunction in the level.
    """

    kappa: np.ndarray
    overfitting_coefficient: np.ndarray
    learnability: np.ndarray
    bias: np.ndarray
    test_mse: np.ndarray
    train_mse: np.ndarray
    variance: np.ndarray
    mode_learnabilities: Callable
    coefficient_variance: Callable
