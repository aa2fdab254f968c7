"""What is predicted of one candidate of a ranking: the mean over its initialisations.

A network of finite width has one kernel per initialisation. Its predicted error is the mean of theirs, never that of their mean
kernel, which is the kernel of a wider network; their spread is its error bar.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from ..common.errors import require
from ..curves.learning_curve import LearningCurve, curve_of
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..spectra.target import Target


@dataclass(frozen=True)
class Predicted:
    """Errors off the training set, where the domain is finite, at several training sizes.

    Attributes
    ----------
    ridge, test_mse, accuracy : (sizes,)
        Means over initialisations; of ridges the median, for each initialisation has its own where the best is taken.
    spread : (sizes,)
        Standard deviation of test_mse over initialisations; nan where there is one.
    theory : (sizes,), the names of the equations
    initialisations : int
    samples : (samples,) of int, optional
        Which of a data set's samples errors are known of.
    sample_errors : (sizes, samples), optional
    """

    ridge: Float[np.ndarray, " sizes"]
    test_mse: Float[np.ndarray, " sizes"]
    accuracy: Float[np.ndarray, " sizes"]
    spread: Float[np.ndarray, " sizes"]
    theory: Shaped[np.ndarray, " sizes"]
    initialisations: int
    samples: Int[np.ndarray, " samples"] | None
    sample_errors: Float[np.ndarray, "sizes samples"] | None


def initialisations(name: str, architecture: Any) -> list[Any]:
    """The kernels of a candidate: one, or those of several initialisations; ValueError if there is none."""
    kernels = [*architecture] if isinstance(architecture, list | tuple) else [architecture]
    require(len(kernels) > 0, f"{name}: the list of its initialisations is empty")
    return kernels


def predicted(
    domain: Domain,
    networks: Sequence[Any],
    kernel: str,
    target: Target,
    sizes: Sequence[float],
    ridges: Sequence[Any],
    noise_std: float,
) -> list[Predicted]:
    """The predictions of a candidate, one per ridge, from its kernels.

    Parameters
    ----------
    networks : its initialisations
    kernel : "ntk" or "nngp"
    ridges : sequence of floats, or of "auto"
    """
    curves = []
    for network in networks:
        learner = KernelOnDomain(domain, network, kernel)
        curves.append([curve_of(learner, target, sizes, ridge, noise_std) for ridge in ridges])
    return [_averaged(of_ridge) for of_ridge in zip(*curves, strict=True)]


def _averaged(curves: Sequence[LearningCurve]) -> Predicted:
    errors = np.array([_or(curve.test_mse_off_train, curve.test_mse) for curve in curves])
    accuracies = np.array([_or(curve.accuracy_off_train, curve.accuracy) for curve in curves])
    of_samples = [curve.sample_errors for curve in curves if curve.sample_errors is not None]
    return Predicted(
        ridge=np.median([curve.ridge for curve in curves], 0),
        test_mse=errors.mean(0),
        accuracy=accuracies.mean(0),
        spread=errors.std(0, ddof=1) if len(curves) > 1 else np.full(errors.shape[1], np.nan),
        theory=curves[0].theory,
        initialisations=len(curves),
        samples=curves[0].samples,
        sample_errors=np.mean(of_samples, 0) if of_samples else None,
    )


def _or(off_train: Float[np.ndarray, " sizes"], everywhere: Float[np.ndarray, " sizes"]) -> Float[np.ndarray, " sizes"]:
    return np.where(np.isnan(off_train), everywhere, off_train)
