"""Accuracy and log-loss of classes whose outputs are Gaussian.

The probability that output c of a Gaussian vector of mean m and covariance C is the largest has no closed form beyond two
outputs. It is the mean over standard normal z of the event m_c + (C^1/2 z)_c > all others, taken on the same quasi-random
points z for every sample. The log-loss is a mean over the same points, for one output over the nodes of Gauss and Hermite.

Outputs that were trained on squared errors are no probabilities. Temperature scaling (Guo et al., arXiv 1706.04599) makes such
of them, softmax(sharpness * outputs), with the one number, the inverse temperature, that makes the log-loss least. This is
what `sklearn.calibration.CalibratedClassifierCV(method="temperature")` finds on samples that were not trained on. One output
f of two classes is the pair f/2, -f/2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy import optimize, special

POINTS = 256
NODES = 40  # of Gauss and Hermite, for one output
SAMPLES, FEW_POINTS = 256, 32  # that the sharpness is found from: at the least loss it need not be exact
SHARPEST = 1e4  # and its inverse: where the sharpness is looked for, relative to one over the size of outputs


def are_classes(labels: Float[np.ndarray, "samples outputs"]) -> bool:
    """Whether every sample (samples, outputs) is of one class: one output of +-1, or several of which one is the larger
    of two values. Other targets of several outputs are regressions, of which no share is right."""
    if labels.shape[1] == 1:
        return bool((np.abs(labels) == 1).all())
    high = labels == labels.max(initial=-np.inf)
    return bool((high.sum(1) == 1).all() and np.ptp(labels[~high]) == 0)


def class_of(labels: Float[np.ndarray, "*any outputs"]) -> Int[np.ndarray, "*any"]:
    """The number of each sample's class: the largest output, or 0 and 1 for +1 and -1.

    Examples
    --------
    >>> class_of(np.array([[1.0], [-1.0]])).tolist(), class_of(np.array([[-0.5, 0.5]])).tolist()
    ([0, 1], [1])
    """
    return (labels[..., 0] < 0).astype(int) if labels.shape[-1] == 1 else labels.argmax(-1)


def balanced(
    values: Float[np.ndarray, " samples"],
    classes: Int[np.ndarray, " samples"],
    weights: Float[np.ndarray, " samples"] | None = None,
) -> float:
    """The mean over classes of the mean of each class's samples: each class counts the same, however rare it is.

    Examples
    --------
    >>> balanced(np.array([1.0, 1.0, 1.0, 0.5]), np.array([0, 0, 0, 1]))
    0.75
    """
    weights = np.ones(len(values)) if weights is None else weights
    total = np.bincount(classes, weights)
    there = total > 0
    return float((np.bincount(classes, weights * values)[there] / total[there]).mean()) if there.any() else np.nan


def log_losses(
    outputs: Float[np.ndarray, "samples outputs points"], classes: Int[np.ndarray, " samples"], sharpness: float
) -> Float[np.ndarray, "samples points"]:
    """-log of the right class's probability, in nats, where probabilities are softmax(sharpness * outputs)."""
    return np.logaddexp.reduce(sharpness * _above(outputs, classes), axis=1)


def best_sharpness(
    outputs: Float[np.ndarray, "samples outputs points"],
    classes: Int[np.ndarray, " samples"],
    weights: Float[np.ndarray, "samples points"],
) -> float:
    """The inverse temperature at which the mean of `log_losses` is least; the loss is convex in it.

    Examples
    --------
    >>> outputs = np.array([[2.0], [2.0], [2.0], [-1.0]])[:, :, None]
    >>> sharpness = best_sharpness(outputs, np.zeros(4, int), np.ones((4, 1)))
    >>> bool(log_losses(outputs, np.zeros(4, int), sharpness).mean() < np.log(2))
    True
    """
    above = _above(outputs, classes)
    size = np.sqrt((above**2).mean())
    if size == 0:
        return 1.0

    def loss(logarithm: float) -> float:
        return float((weights * np.logaddexp.reduce(np.exp(logarithm) * above, axis=1)).sum() / weights.sum())

    bounds = -np.log(SHARPEST * size), np.log(SHARPEST / size)
    found = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 0.01})
    return float(np.exp(found.x))


def least_log_loss(learned: Float[np.ndarray, "samples outputs"], classes: Int[np.ndarray, " samples"]) -> float:
    """The mean log-loss of a learned function's outputs, in nats, at their best temperature."""
    outputs = learned[:, :, None]
    return float(log_losses(outputs, classes, best_sharpness(outputs, classes, np.ones((len(classes), 1)))).mean())


@dataclass(frozen=True)
class ClassOutputs:
    """Gaussian outputs of samples, and the class that each sample is of."""

    mean: Float[np.ndarray, "samples outputs"]
    covariance: Float[np.ndarray, "samples outputs outputs"]
    classes: Int[np.ndarray, " samples"]

    @property
    def right(self) -> Float[np.ndarray, " samples"]:
        """Probability of the right class, sample by sample."""
        if self.mean.shape[1] > 1:
            return (self._drawn.argmax(1) == self.classes[:, None]).mean(1)
        margin, variance = (1 - 2 * self.classes) * self.mean[:, 0], np.fmax(self.covariance[:, 0, 0], 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return special.ndtr(np.where(margin == 0, 0.0, margin / np.sqrt(variance)))

    def log_loss(self, sharpness: float) -> Float[np.ndarray, " samples"]:
        """Mean of `log_losses`, sample by sample."""
        weights = _normal_points(self.mean.shape[1])[1]
        parts = [slice(first, first + SAMPLES) for first in range(0, len(self.mean), SAMPLES)]  # for memory
        losses = [log_losses(self._drawn[part], self.classes[part], sharpness) @ weights for part in parts]
        return np.concatenate([np.empty(0), *losses])

    def some(self) -> "tuple[ClassOutputs, slice]":
        """About 256 of the samples, in equal steps, and which."""
        part = slice(None, None, max(1, len(self.mean) // SAMPLES))
        return ClassOutputs(self.mean[part], self.covariance[part], self.classes[part]), part

    @property
    def few_drawn(self) -> "tuple[Float[np.ndarray, 'samples outputs points'], Float[np.ndarray, ' points']]":
        """Outputs at few points, and the points' weights."""
        points, weights = _normal_points(self.mean.shape[1], FEW_POINTS)
        return self._at(points), weights

    @cached_property
    def _drawn(self) -> Float[np.ndarray, "samples outputs points"]:
        return self._at(_normal_points(self.mean.shape[1])[0])

    def _at(self, points: Float[np.ndarray, "points outputs"]) -> Float[np.ndarray, "samples outputs points"]:
        values, vectors = np.linalg.eigh(self.covariance)  # eigenvalues below 0 by rounding count as 0
        # the symmetric root: that of the eigenvectors alone turns with every rounding where two eigenvalues are near
        root = (vectors * np.sqrt(np.fmax(values, 0))[:, None, :]) @ vectors.swapaxes(1, 2)
        return self.mean[:, :, None] + root @ points.T


def predicted_sharpness(parts: Sequence[ClassOutputs], weights: Sequence[Float[np.ndarray, " _"]]) -> float:
    """`best_sharpness` of predicted outputs: of some of the samples, at few points.

    Examples
    --------
    >>> alike = ClassOutputs(np.full((9, 1), 0.5), np.ones((9, 1, 1)), np.zeros(9, int))
    >>> round(predicted_sharpness([alike], [np.ones(9)]), 1)  # of +1 and -1 with noise of variance 1 it would be 2
    1.0
    """
    drawn, classes, of_points = [], [], []
    for part, each in zip(parts, weights, strict=True):
        some, which = part.some()
        values, points = some.few_drawn
        drawn.append(values)
        classes.append(some.classes)
        of_points.append(each[which, None] * points)
    return best_sharpness(*map(np.concatenate, (drawn, classes, of_points)))


def _above(
    outputs: Float[np.ndarray, "samples outputs points"], classes: Int[np.ndarray, " samples"]
) -> Float[np.ndarray, "samples classes points"]:
    """How far the output of every class is above that of the right one; one output f of two classes is f/2 and -f/2."""
    several = np.concatenate([outputs / 2, -outputs / 2], axis=1) if outputs.shape[1] == 1 else outputs
    return several - np.take_along_axis(several, classes[:, None, None], 1)


@cache
def _normal_points(
    outputs: int, points: int = POINTS
) -> tuple[Float[np.ndarray, "points outputs"], Float[np.ndarray, " points"]]:
    """Points and weights of a mean over standard normal vectors: scrambled Sobol points; for one output Gauss and Hermite's."""
    if outputs == 1:
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        return nodes[:, None], weights / weights.sum()
    from scipy.stats import qmc  # not above: SciPy's statistics take half a second, and most jobs ask for no classes

    return qmc.MultivariateNormalQMC(np.zeros(outputs), seed=0).random(points), np.full(points, 1 / points)
