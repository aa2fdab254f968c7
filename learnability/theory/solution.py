"""What every system of equations returns: the same statistics of the learned function, on a flat grid."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


def damped(value: Float[np.ndarray, "..."], factor: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """value * factor, 0 where the factor is, even if the value is infinite: a limit at which the factor vanishes faster."""
    return np.where(factor > 0, value, 0.0) * factor


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
    test_mse_off_train : (grid, outputs), optional
        On a finite population, the error at points that are not in the training set, against noisy labels.
    residual_share, unlearned : (grid,), optional
        On a finite population: what training on a sample leaves of its residual, and the mean of 1 - L over all modes.
    """

    kappa: Float[np.ndarray, " grid"]
    overfitting_coefficient: Float[np.ndarray, " grid"]
    learnability: Float[np.ndarray, "grid outputs"]
    bias: Float[np.ndarray, "grid outputs"]
    test_mse: Float[np.ndarray, "grid outputs"]
    train_mse: Float[np.ndarray, "grid outputs"]
    variance: Float[np.ndarray, "grid outputs"]
    mode_learnabilities: Callable[[], Float[np.ndarray, "grid levels"]]
    coefficient_variance: Callable[[], Float[np.ndarray, "grid levels outputs"]]
    test_mse_off_train: Float[np.ndarray, "grid outputs"] | None = None
    residual_share: Float[np.ndarray, " grid"] | None = None
    unlearned: Float[np.ndarray, " grid"] | None = None
