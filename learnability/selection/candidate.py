"""What is predicted of one candidate of a ranking: the mean over its initialisations, and over pools of samples.

A network of finite width has one kernel per initialisation. Its predicted error is the mean of theirs, never that of their mean
kernel, which is the kernel of a wider network; their spread is its error bar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..common.errors import require
from ..common.progress import counted
from ..curves.learning_curve import LearningCurve, curve_of
from ..curves.test_set import TestSet
from ..domains.kernel_on_domain import KernelOnDomain
from .pools import Pools, Positions
from .selection import OF_CLASSES

WHOLE: list = [None]  # in the place of pools


def initialisations(name: str, architecture: Any) -> list[Any]:
    """The kernels of a candidate: one, or those of several initialisations; ValueError if there is none."""
    kernels = [*architecture] if isinstance(architecture, list | tuple) else [architecture]
    require(len(kernels) > 0, f"{name}: the list of its initialisations is empty")
    return kernels


@dataclass(frozen=True)
class Predicted:
    """Of one candidate at one training size."""

    ridge: float
    error: float
    scores: Mapping[str, float]  # of classes: `OF_CLASSES`
    theory: str
    of_points: np.ndarray | None  # (points,): errors of single samples, or of points of the test set
    samples: np.ndarray | None  # (points,) of int: which of a large data set's
    spread: float = np.nan  # standard deviation of the error over initialisations
    initialisations: int = 1

    @classmethod
    def of(cls, curve: LearningCurve, number: int) -> "Predicted":
        """On the test set, else off the training set, at one number of a curve's grid."""
        if curve.test_set_errors is not None:
            measures = [curve.test_set_mse, *(getattr(curve, f"test_set_{name}") for name in OF_CLASSES)]
        else:
            pairs = (curve.test_mse_off_train, curve.test_mse), (curve.accuracy_off_train, curve.accuracy)
            measures = [np.where(np.isnan(off), everywhere, off) for off, everywhere in pairs]
            measures += [curve.balanced_accuracy_off_train, curve.log_loss_off_train]
        error, *scores = (float(values[number]) for values in measures)
        of_points = curve.sample_errors if curve.test_set_errors is None else curve.test_set_errors
        single = None if of_points is None else of_points[number]
        of_classes = dict(zip(OF_CLASSES, scores, strict=True))
        return cls(float(curve.ridge[number]), error, of_classes, str(curve.theory[number]), single, curve.samples)


def predicted(
    pools: Pools,
    networks: Mapping[tuple[str, str], Sequence[Any]],
    ridges: Sequence[float | str],
    sizes: Sequence[float],
    noise_std: float,
    tests: TestSet | None,
) -> dict[tuple[str, str, float | str, float], Predicted]:
    """By architecture, kernel, ridge and size; the best ridge of a size is that of its first pool.

    Parameters
    ----------
    networks : dict of (architecture, kernel) to its initialisations
    ridges : sequence of floats, or of "auto"
    tests : TestSet, optional
        Where errors are taken in place of off the training set.
    """
    parts = {size: pools.of(size) for size in sizes}
    groups = [
        [size for size in sizes if len(parts[size]) == number] for number in {len(part) for part in parts.values()}
    ]
    steps: list[tuple[tuple[str, str, int], list[float], Positions | None]] = [
        ((*pair, number), group, positions)
        for pair in networks
        for number in range(len(networks[pair]))
        for group in sorted(groups)
        for positions in parts[group[0]] or WHOLE
    ]
    of_pools: dict[tuple[str, str, int, float | str, float], list[Predicted]] = {}
    for one, group, positions in counted(steps, "kernels"):
        (name, kernel, number), (space, aim) = one, pools.problem(positions)
        learner = KernelOnDomain(space, networks[name, kernel][number], kernel)
        for ridge in ridges:
            before = [of_pools[*one, ridge, size][0].ridge for size in group if (*one, ridge, size) in of_pools]
            curve = curve_of(learner, aim, group, np.array(before) if before else ridge, noise_std, test_set=tests)
            for point, size in enumerate(group):
                of_pools.setdefault((*one, ridge, size), []).append(Predicted.of(curve, point))
    of_networks: dict[tuple[str, str, float | str, float], list[Predicted]] = {}
    for (name, kernel, _, ridge, size), several in of_pools.items():
        joined = _joined(several, parts[size], tests is not None)
        of_networks.setdefault((name, kernel, ridge, size), []).append(joined)
    return {key: _averaged(several) for key, several in of_networks.items()}


def _averaged(several: Sequence[Predicted]) -> Predicted:
    """The mean over initialisations; of ridges the median, for each has its own where the best is taken."""
    first = several[0]
    if len(several) == 1:
        return first
    errors = [each.error for each in several]
    points = [each.of_points for each in several if each.of_points is not None]
    return replace(
        first,
        ridge=float(np.median([each.ridge for each in several])),
        error=float(np.mean(errors)),
        scores=_mean_scores(several),
        of_points=np.mean(points, 0) if points else None,
        spread=float(np.std(errors, ddof=1)),
        initialisations=len(several),
    )


def _joined(several: Sequence[Predicted], parts: Sequence[Positions], on_test_set: bool) -> Predicted:
    """One prediction from those of the pools."""
    first = several[0]
    if len(several) == 1:
        return first
    weights = [len(part) for part in parts]
    error = float(np.average([each.error for each in several], weights=weights))
    points = [each.of_points for each in several if each.of_points is not None]
    if on_test_set:
        of_points = np.average(points, axis=0, weights=weights)
    else:
        of_points = np.empty(sum(weights))
        for part, values in zip(parts, points, strict=True):
            of_points[part] = values
    return replace(first, error=error, scores=_mean_scores(several, weights), of_points=of_points, samples=None)


def _mean_scores(several: Sequence[Predicted], weights: Sequence[int] | None = None) -> dict[str, float]:
    return {name: float(np.average([each.scores[name] for each in several], weights=weights)) for name in OF_CLASSES}
