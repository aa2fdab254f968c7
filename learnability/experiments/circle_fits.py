"""Learned functions on the circle, and the learned coefficient on a mode that the target does not have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..domains import target_from
from ..domains.circle import Circle
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.learned import learned_functions
from ..measurements.metrics import coefficients
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from ..tables.means import Row, curve, mean_row, table
from ..theory.covariance import coefficient_covariance
from ..theory.eigenlearning import Eigenlearning
from ..theory.fourth_moments import FourthMoments
from ..theory.prediction import predict
from .entries import Entry, Files, of_kind

Moments = tuple[Float[np.ndarray, "*grid"], Float[np.ndarray, "*grid"]]  # mean and variance of a coefficient


def run(
    domain: Entry,
    architecture: Entry,
    width: int,
    frequencies: Sequence[int],
    amplitude: float,
    shown_sizes: Sequence[int],
    train_sizes: Sequence[int],
    probe: int = 5,
    seeds: int = 30,
    files: Files | None = None,
) -> pd.DataFrame:
    """Targets amplitude * sqrt(2) cos(k t), learned by kernel regression and networks.

    Parameters
    ----------
    frequencies : list of int
    amplitude : float
        Coefficient of the unit-norm cosine; 1/sqrt(2) makes the target cos(k t).
    shown_sizes : list of int
        Training sizes whose learned functions are listed against the angle.
    train_sizes : list of int
        Training sizes at which the coefficient on cos(probe t) is measured.

    Returns
    -------
    DataFrame
        "function" rows against `angle`, with mean and spread over seeds and theory (L f; its standard deviation is in
        theory_spread); "coefficient" and "coefficient variance" rows against train_size, their theory with fourth moments, that
        of the paper in the column paper; curves of both in rows of sources theory and paper.
    """
    learner = KernelOnDomain.of(domain, architecture, files=files)
    circle, spectrum, kernel = of_kind(learner.domain, Circle), learner.spectrum, learner.blocks
    theory, rows = _ProbedMode(circle, spectrum, probe), []
    for frequency in frequencies:
        target = _scaled_cosine(circle, frequency, amplitude)
        coefficient = amplitude if frequency == probe else 0.0
        rows += _curves(circle, theory, target, coefficient, max(train_sizes))
        for train_size in sorted({*shown_sizes, *train_sizes}):
            for source, size in (("kernel", None), ("network", width)):
                functions = learned_functions(circle, kernel, target, train_size, seeds, size)
                if train_size in shown_sizes:
                    rows += _function_rows(source, circle, spectrum, target, train_size, functions)
                if train_size in train_sizes:
                    rows += _coefficient_rows(source, theory, target, coefficient, train_size, functions)
    return table(rows)


def squared_deviations(draws: Float[np.ndarray, " seeds"]) -> Float[np.ndarray, " finite"]:
    """Squares whose mean is the unbiased variance of the draws that are finite; none of fewer than two."""
    finite = draws[np.isfinite(draws)]
    if len(finite) < 2:
        return np.empty(0)
    return (finite - finite.mean()) ** 2 * len(finite) / (len(finite) - 1)


def _scaled_cosine(circle: Circle, frequency: int, amplitude: float) -> Target:
    unit = target_from(circle, {"cosine": frequency})
    assert unit.power is not None  # eigenfunctions have one
    return replace(
        unit, power=amplitude**2 * unit.power, function=lambda x, i: amplitude * unit(x), name=f"cos {frequency}t"
    )


@dataclass(frozen=True)
class _ProbedMode:
    """Mean and variance of the learned coefficient on one cosine."""

    circle: Circle
    spectrum: Spectrum
    frequency: int

    @property
    def values(self) -> Float[np.ndarray, " points"]:
        """The cosine on the circle's points."""
        return target_from(self.circle, {"cosine": self.frequency})(self.circle.points)

    def moments(self, target: Target, coefficient: float, train_size: ArrayLike) -> tuple[Moments, Moments]:
        """With fourth moments, and by the paper; `coefficient` is the target's own."""
        level = self.spectrum.modes.tolist().index(self.frequency)
        fourth = predict(self.spectrum, target, train_size, theory=FourthMoments(self.circle))
        matrix = coefficient_covariance(self.circle, self.spectrum, target, train_size, shown=[self.frequency])
        paper = predict(self.spectrum, target, train_size, theory=Eigenlearning())
        return (
            (np.asarray(coefficient * fourth.mode_learnabilities[..., level]), matrix[..., 0, 0]),
            (np.asarray(coefficient * paper.mode_learnabilities[..., level]), paper.coefficient_variance[..., level]),
        )


def _function_rows(
    source: str,
    circle: Circle,
    spectrum: Spectrum,
    target: Target,
    train_size: int,
    functions: Float[np.ndarray, "seeds points"],
) -> list[Row]:
    """Learned functions against the angle, beside L f and its standard deviation."""
    prediction, rows = predict(spectrum, target, train_size, theory=Eigenlearning()), []
    for angle, values, f in zip(circle.angles, functions.T, target(circle.points), strict=True):
        expected = float(prediction.learnability) * f
        row = mean_row(source, "function", values, expected, target=target.name, train_size=train_size)
        rows.append({**row, "angle": angle, "theory_spread": float(np.sqrt(prediction.variance))})
    return rows


def _coefficient_rows(
    source: str,
    theory: _ProbedMode,
    target: Target,
    coefficient: float,
    train_size: int,
    functions: Float[np.ndarray, "seeds points"],
) -> list[Row]:
    """Mean and variance of the learned coefficient on the probed mode, beside both theories."""
    learned = coefficients(theory.values[:, None], functions)[:, 0]
    draws = {"coefficient": learned, "coefficient variance": squared_deviations(learned)}
    rows = []
    for (measure, values), fourth, paper in zip(
        draws.items(), *theory.moments(target, coefficient, train_size), strict=True
    ):
        row = mean_row(source, measure, values, fourth, target=target.name, train_size=train_size)
        rows.append({**row, "paper": float(paper)})
    return rows


def _curves(circle: Circle, theory: _ProbedMode, target: Target, coefficient: float, largest: int) -> list[Row]:
    """The target against the angle, and both theories of the probed coefficient against the training-set size."""
    rows = curve("target", circle.angles, target(circle.points), "angle", target=target.name)
    grid = np.geomspace(1, largest, 100)
    for source, (means, variances) in zip(("theory", "paper"), theory.moments(target, coefficient, grid), strict=True):
        for n, mean, variance in zip(grid, means, variances, strict=True):
            row = {"source": source, "measure": "coefficient", "target": target.name, "train_size": n, "mean": mean}
            rows.append({**row, "theory_spread": float(np.sqrt(variance))})
    return rows
