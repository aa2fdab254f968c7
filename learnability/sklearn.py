"""Kernel regression of infinitely wide networks with scikit-learn's manners: pipelines, cross_val_score, grid searches."""

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .common.arrays import array, labels
from .common.errors import real
from .common.threads import one_thread
from .kernels.fully_connected import FullyConnected
from .kernels.odd import warn_of_odd
from .regression.ridge import dual_coefficients

SQRT2 = np.sqrt(2)


class NTKRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """What an infinitely wide fully connected network learns when it is trained to the end on mean squared error.

    Parameters
    ----------
    depth, activation, weight_std, bias_std : see `learnability.FullyConnected`
        Inputs are expected with unit variance per feature (StandardScaler), labels centred: the network has no intercept.
    ridge : float
        Absolute, added to the raw kernel.
    kernel : "ntk" or "nngp"

    Attributes
    ----------
    architecture_ : FullyConnected
    X_fit_ : (n, n_features_in_), dual_coef_ : (n,) or (n, outputs)
    """

    def __init__(self, depth=1, activation="relu", weight_std=SQRT2, bias_std=0.1, ridge=0.0, kernel="ntk"):
        self.depth = depth
        self.activation = activation
        self.weight_std = weight_std
        self.bias_std = bias_std
        self.ridge = ridge
        self.kernel = kernel

    @one_thread
    def fit(self, X, y):
        """X (n, features), y (n,) or (n, outputs); ValueError as `learnability.kernel_regression`."""
        ridge = real("ridge", self.ridge)
        X, y = (_without_mask(name, values) for name, values in (("X", X), ("y", y)))
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        y = labels("y", y)
        self.architecture_ = FullyConnected(self.depth, self.activation, self.weight_std, self.bias_std)
        warn_of_odd(self.architecture_, y)
        self.X_fit_ = X
        matrix = self.architecture_.kernel(X, kind=self.kernel)
        self.dual_coef_, _ = dual_coefficients(matrix, y, ridge)
        return self

    @one_thread
    def predict(self, X):
        """(points,) or (points, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, _without_mask("X", X), reset=False, dtype=np.float64)
        return self.architecture_.kernel(X, self.X_fit_, self.kernel) @ self.dual_coef_


def _without_mask(name, values):
    """Values as they are; ValueError where some are masked, which scikit-learn would take as numbers."""
    return array(name, values) if isinstance(values, np.ma.MaskedArray) else values
