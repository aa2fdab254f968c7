"""Kernel regression of infinitely wide networks with scikit-learn's manners: pipelines, cross_val_score, grid searches.

A weight w_i counts the square of residual i as often: weights 2 and 0 are a row twice and a row left out. With
S = diag(sqrt(w)) the dual coefficients are S (S K S + ridge)^-1 S y.

What an output still depends on beside the data has a standard deviation, the same for all outputs. With
A = Theta(x, D) (Theta(D, D) + ridge)^-1 and the NNGP kernel K its square is

    K(x, x) - 2 A K(D, x) + A (K(D, D) + noise) A^T.

Of kernel "nngp" Theta is K, noise is the ridge, and this is the posterior variance of a Bayesian network under label noise of
that variance (Rasmussen and Williams 2006, eq. 2.26). Of "ntk" noise is 0, and it is the variance over initial weights of
trained networks whose initial output is not taken off (Lee et al., arXiv 1902.06720, eq. 16).
"""

from typing import Any, Self

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .common.arrays import array, labels
from .common.errors import real, require
from .common.threads import one_thread
from .data.labels import of_members
from .kernels.activations import Activation
from .kernels.fully_connected import FullyConnected
from .kernels.kernel import Kernel, KernelLike, as_kernel
from .kernels.odd import warn_of_odd
from .regression.ridge import dual_coefficients

SQRT2 = np.sqrt(2)


class _WideNetwork(BaseEstimator):
    """What regressor and classifier share: parameters, dual coefficients, outputs and their spread."""

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

    def _learn(
        self, inputs: Float[np.ndarray, "n ..."], outputs: Float[np.ndarray, "n ..."], sample_weight: Any
    ) -> None:
        ridge = real("ridge", self.ridge)
        weights = _check_sample_weight(sample_weight, inputs, dtype=np.float64, ensure_non_negative=True)
        used = weights > 0
        if self.architecture is None:
            self.architecture_: Kernel = FullyConnected(self.depth, self.activation, self.weight_std, self.bias_std)
        else:
            self.architecture_ = as_kernel(self.architecture, f"{type(self).__name__}(architecture=kernel)")
        warn_of_odd(self.architecture_, outputs[used])
        self.X_fit_: Float[np.ndarray, "n ..."] = inputs[used]
        self._roots = np.sqrt(weights[used])
        self.dual_coef_ = self._solved(self._matrix(self.kernel), outputs[used], ridge)

    @property
    def _shaped(self) -> dict[str, Any]:
        """What scikit-learn checks of inputs: an architecture of the user's takes points of its own shape."""
        return {"allow_nd": self.architecture is not None, "dtype": np.float64}

    def _matrix(self, kind: str) -> Float[np.ndarray, "n n"]:
        return self.architecture_.kernel(self.X_fit_, kind=kind)

    def _solved(
        self, matrix: Float[np.ndarray, "n n"], right: Float[np.ndarray, "n ..."], ridge: float
    ) -> Float[np.ndarray, "n ..."]:
        """S (S K S + ridge)^-1 S right."""
        columns = self._roots.reshape(-1, *[1] * (right.ndim - 1))
        return columns * dual_coefficients(self._roots[:, None] * matrix * self._roots, columns * right, ridge)[0]

    @one_thread
    def _outputs(
        self, X: ArrayLike, return_std: bool = False
    ) -> "Float[np.ndarray, 'points ...'] | tuple[Float[np.ndarray, 'points ...'], Float[np.ndarray, ' points']]":
        check_is_fitted(self)
        points: Float[np.ndarray, "points ..."]
        points = validate_data(self, _without_mask("X", X), reset=False, **self._shaped)
        cross = self.architecture_.kernel(points, self.X_fit_, self.kernel)
        means = cross @ self.dual_coef_
        return (means, self._spread(points, cross)) if return_std else means

    def _spread(
        self, points: Float[np.ndarray, "points ..."], cross: Float[np.ndarray, "points n"]
    ) -> Float[np.ndarray, " points"]:
        network, ridge, bayesian = self.architecture_, real("ridge", self.ridge), self.kernel == "nngp"
        require(
            "nngp" in network.kinds,
            f"return_std needs the kernel's kind 'nngp', which {network} does not have; leave it out",
        )
        prior = self._matrix("nngp")
        followed = self._solved(prior if bayesian else self._matrix("ntk"), cross.T, ridge).T
        covariance = cross if bayesian else network.kernel(points, self.X_fit_, "nngp")
        noise = (ridge / self._roots**2) if bayesian else np.zeros(len(prior))
        spread = ((followed @ prior - 2 * covariance + followed * noise) * followed).sum(1)
        return np.sqrt(np.fmax(network.diagonal(points, "nngp") + spread, 0.0))


class NTKRegressor(MultiOutputMixin, RegressorMixin, _WideNetwork):
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
        n are the rows whose weight is not 0.

    Examples
    --------
    >>> import numpy as np
    >>> from learnability.sklearn import NTKRegressor
    >>> X = np.linspace(-1.5, 1.5, 20)[:, None]
    >>> NTKRegressor(depth=2).fit(X, np.sin(2 * X[:, 0])).predict([[0.5]]).round(2).tolist()
    [0.83]
    """

    @one_thread
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """X (n, ...), y (n,) or (n, outputs), sample_weight (n,) >= 0; ValueError as `learnability.kernel_regression`."""
        both = _without_mask("X", X), _without_mask("y", y)
        inputs, outputs = validate_data(self, *both, multi_output=True, y_numeric=True, **self._shaped)
        self._learn(inputs, labels("y", outputs), sample_weight)
        return self

    def predict(
        self, X: ArrayLike, return_std: bool = False
    ) -> "Float[np.ndarray, 'points ...'] | tuple[Float[np.ndarray, 'points ...'], Float[np.ndarray, ' points']]":
        """(points,) or (points, outputs); with return_std also (points,), see the equation of the module."""
        return self._outputs(X, return_std)


class NTKClassifier(ClassifierMixin, _WideNetwork):
    """The same for classes: two are learned as -1 and +1, more as one centred output each, as in `learnability.Samples`.

    Whether classes are written as texts, booleans or numbers changes nothing. There is no `predict_proba`: outputs of a
    network that was trained on squared errors are no probabilities. `sklearn.calibration.CalibratedClassifierCV` makes such of
    `decision_function`; its method "temperature" has the log-loss that `learnability.learning_curve` predicts. In
    scikit-learn 1.9 that method takes the numbers of classes for their places, so call classes 0, 1, 2 and so on, or by texts.

    Parameters
    ----------
    depth, activation, weight_std, bias_std, ridge, kernel, architecture : as of `NTKRegressor`

    Attributes
    ----------
    classes_ : (classes,)
    architecture_ : Kernel
    X_fit_ : (n, n_features_in_) or (n, ...), dual_coef_ : (n,) or (n, classes)

    Examples
    --------
    >>> import numpy as np
    >>> from learnability.sklearn import NTKClassifier
    >>> X = np.linspace(-1.5, 1.5, 20)[:, None]
    >>> model = NTKClassifier(depth=2).fit(X, np.where(np.abs(X[:, 0]) > 0.7, "far", "near"))
    >>> model.predict([[0.1], [1.2]]).tolist(), model.decision_function([[0.1], [1.2]]).round(1).tolist()
    (['near', 'far'], [1.0, -1.0])
    """

    @one_thread
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """X (n, ...), y (n,) classes, sample_weight (n,) >= 0; ValueError as `learnability.kernel_regression`."""
        inputs, classes = validate_data(self, _without_mask("X", X), _without_mask("y", y), **self._shaped)
        check_classification_targets(classes)
        self.classes_, codes = np.unique(classes, return_inverse=True)
        require(len(self.classes_) > 1, f"y has one class only, {self.classes_[0]!r}: there is nothing to learn")
        member = codes[:, None] == np.arange(len(self.classes_))
        outputs = of_members(member[:, ::-1])[:, 0] if len(self.classes_) == 2 else of_members(member)
        self._learn(inputs, outputs, sample_weight)
        return self

    def decision_function(
        self, X: ArrayLike, return_std: bool = False
    ) -> "Float[np.ndarray, 'points ...'] | tuple[Float[np.ndarray, 'points ...'], Float[np.ndarray, ' points']]":
        """(points,), positive for classes_[1], or (points, classes); with return_std as `NTKRegressor.predict`."""
        return self._outputs(X, return_std)

    def predict(self, X: ArrayLike) -> Shaped[np.ndarray, " points"]:
        """The class of every point (points,)."""
        outputs = np.asarray(self._outputs(X))
        return self.classes_[(outputs > 0).astype(int) if outputs.ndim == 1 else outputs.argmax(1)]


def _without_mask(name: str, values: Any) -> Any:
    """Values as they are; ValueError where some are masked, which scikit-learn would take as numbers."""
    return array(name, values) if isinstance(values, np.ma.MaskedArray) else values
