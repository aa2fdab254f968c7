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
from ..curves.test_set import TestSet
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..spectra.target import Target


@dataclass(frozen=True)
class Predicted:
    """Errors at several training sizes, on a test set or off the training set, where the domain is finite.

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
    point_errors : (sizes, points), optional
        Of every sample where it is not in the training set, or of every point of a test set.
    """

    ridge: Float[np.ndarray, " sizes"]
    test_mse: Float[np.ndarray, " sizes"]
    accuracy: Float[np.ndarray, " sizes"]
    spread: Float[np.ndarray, " sizes"]
    theory: Shaped[np.ndarray, " sizes"]
    initialisations: int
    samples: Int[np.ndarray, " samples"] | None
    point_errors: Float[np.ndarray, "sizes points"] | None


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
    tests: TestSet | None,
) -> list[Predicted]:
    """The predictions of a candidate, one per ridge, from its kernels.

    Parameters
    ----------
    networks : its initialisations
    kernel : "ntk" or "nngp"
    ridges : sequence of floats, or of "auto"
    tests : TestSet, optional
        Where errors are taken in place of off the training set.
    """
    curves = []
    for network in networks:
        learner = KernelOnDomain(domain, network, kernel)
        curves.append([curve_of(learner, target, sizes, ridge, noise_std, test_set=tests) for ridge in ridges])
    return [_averaged(of_ridge) for of_ridge in zip(*curves, strict=True)]


def _averaged(curves: Sequence[LearningCurve]) -> Predicted:
    errors, accuracies, of_points = zip(*map(_measures, curves), strict=True)
    each = [one for one in of_points if one is not None]
    return Predicted(
        ridge=np.median([curve.ridge for curve in curves], 0),
        test_mse=np.mean(errors, 0),
        accuracy=np.mean(accuracies, 0),
        spread=np.std(errors, 0, ddof=1) if len(curves) > 1 else np.full(len(errors[0]), np.nan),
        theory=curves[0].theory,
        initialisations=len(curves),
        samples=curves[0].samples,
        point_errors=np.mean(each, 0) if each else None,
    )


def _measures(curve: LearningCurve) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Errors and accuracies (sizes,), errors of single points (sizes, points): on a test set, else off the training set."""
    if curve.test_set_errors is not None:
        return curve.test_set_mse, curve.test_set_accuracy, curve.test_set_errors
    pairs = (curve.test_mse_off_train, curve.test_mse), (curve.accuracy_off_train, curve.accuracy)
    error, accuracy = (np.where(np.isnan(off), everywhere, off) for off, everywhere in pairs)
    return error, accuracy, curve.sample_errors
