"""Kernel regression of infinitely wide networks with scikit-learn's manners: pipelines, cross_val_score, grid searches."""

from typing import Any, Self

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .common.arrays import array, labels
from .common.errors import real
from .common.threads import one_thread
from .kernels.activations import Activation
from .kernels.fully_connected import FullyConnected
from .kernels.kernel import Kernel, KernelLike, as_kernel
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
    architecture : Kernel, optional
        Any other kernel in the place of the fully connected network's: `lb.Sequential`, `lb.TorchModule`, `lb.Laplace` and so
        on. It takes X in the shape that the kernel takes, images as (n, channels, height, width).

    Attributes
    ----------
    architecture_ : Kernel
    X_fit_ : (n, n_features_in_) or (n, ...), dual_coef_ : (n,) or (n, outputs)

    Examples
    --------
    >>> import numpy as np
    >>> from learnability.sklearn import NTKRegressor
    >>> X = np.linspace(-1.5, 1.5, 20)[:, None]
    >>> NTKRegressor(depth=2).fit(X, np.sin(2 * X[:, 0])).predict([[0.5]]).round(2).tolist()
    [0.83]
    """

    def __init__(
        self,
        depth: int = 1,
        activation: str | dict[str, Any] | Activation = "relu",
        weight_std: float = SQRT2,
        bias_std: float = 0.1,
        ridge: float = 0.0,
        kernel: str = "ntk",
        architecture: Kernel | KernelLike | None = None,
    ) -> None:
        self.depth = depth
        self.activation = activation
        self.weight_std = weight_std
        self.bias_std = bias_std
        self.ridge = ridge
        self.kernel = kernel
        self.architecture = architecture

    @one_thread
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """X (n, features) or of the kernel's shape, y (n,) or (n, outputs); ValueError as `learnability.kernel_regression`."""
        ridge = real("ridge", self.ridge)
        both = _without_mask("X", X), _without_mask("y", y)
        shaped = {"allow_nd": self.architecture is not None, "dtype": np.float64}
        inputs, outputs = validate_data(self, *both, multi_output=True, y_numeric=True, **shaped)
        outputs = labels("y", outputs)
        if self.architecture is None:
            self.architecture_: Kernel = FullyConnected(self.depth, self.activation, self.weight_std, self.bias_std)
        else:
            self.architecture_ = as_kernel(self.architecture, "NTKRegressor(architecture=kernel)")
        warn_of_odd(self.architecture_, outputs)
        self.X_fit_: Float[np.ndarray, "n ..."] = inputs
        matrix = self.architecture_.kernel(self.X_fit_, kind=self.kernel)
        self.dual_coef_, _ = dual_coefficients(matrix, outputs, ridge)
        return self

    @one_thread
    def predict(self, X: ArrayLike) -> Float[np.ndarray, "points ..."]:
        """(points,) or (points, outputs)."""
        check_is_fitted(self)
        shaped = {"allow_nd": self.architecture is not None, "dtype": np.float64}
        points: Float[np.ndarray, "points ..."] = validate_data(self, _without_mask("X", X), reset=False, **shaped)
        return self.architecture_.kernel(points, self.X_fit_, self.kernel) @ self.dual_coef_


def _without_mask(name: str, values: Any) -> Any:
    """Values as they are; ValueError where some are masked, which scikit-learn would take as numbers."""
    return array(name, values) if isinstance(values, np.ma.MaskedArray) else values
