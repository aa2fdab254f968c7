"""Learned functions on the circle, and the learned coefficient on a mode that the target does not have."""

from dataclasses import replace

import numpy as np

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.learned import learned_functions
from ..measurements.metrics import coefficients
from ..tables.means import curve, mean_row, table
from ..theory.covariance import coefficient_covariance
from ..theory.eigenlearning import Eigenlearning
from ..theory.fourth_moments import FourthMoments
from ..theory.prediction import predict


def run(domain, architecture, width, frequencies, amplitude, shown_sizes, train_sizes, probe=5, seeds=30, files=None):
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
    circle, spectrum, kernel = learner.domain, learner.spectrum, learner.blocks
    phi = target_from(circle, {"cosine": probe})(circle.points)
    theory = _Probed(circle, spectrum, probe)
    rows = []
    for frequency in frequencies:
        target = _scaled_cosine(circle, frequency, amplitude)
        known = amplitude if frequency == probe else 0.0
        rows += _curves(circle, theory, target, known, max(train_sizes))
        truth = target(circle.points)
        for train_size in sorted({*shown_sizes, *train_sizes}):
            p = predict(spectrum, target, train_size, theory=Eigenlearning())
            keys = {"target": target.name, "train_size": train_size}
            for source, size in (("kernel", None), ("network", width)):
                functions = learned_functions(circle, kernel, target, train_size, seeds, size)
                if train_size in shown_sizes:
                    for angle, values, f in zip(circle.angles, functions.T, truth, strict=True):
                        row = mean_row(source, "function", values, float(p.learnability) * f, **keys)
                        rows.append({**row, "angle": angle, "theory_spread": float(np.sqrt(p.variance))})
                if train_size in train_sizes:
                    found = coefficients(phi[:, None], functions)[:, 0]
                    for measure, draws in (("coefficient", found), ("coefficient variance", squared_deviations(found))):
                        fourth, paper = theory.moments(target, known, train_size)
                        number = measure == "coefficient variance"
                        row = mean_row(source, measure, draws, fourth[number], **keys)
                        rows.append({**row, "paper": float(paper[number])})
    return table(rows)


def squared_deviations(draws):
    """Squares whose mean is the unbiased variance of the draws that are finite; none of fewer than two."""
    found = draws[np.isfinite(draws)]
    if len(found) < 2:
        return np.empty(0)
    return (found - found.mean()) ** 2 * len(found) / (len(found) - 1)


def _scaled_cosine(circle, frequency, amplitude):
    unit = target_from(circle, {"cosine": frequency})
    return replace(
        unit, power=amplitude**2 * unit.power, function=lambda x, i: amplitude * unit(x), name=f"cos {frequency}t"
    )


class _Probed:
    """Mean and variance of the learned coefficient on one cosine."""

    def __init__(self, circle, spectrum, frequency):
        self.circle, self.spectrum, self.frequency = circle, spectrum, frequency
        self.level = spectrum.modes.tolist().index(frequency)

    def moments(self, target, known, train_size):
        """(mean, variance) with fourth moments and by the paper; `known` is the target's own coefficient."""
        fourth = predict(self.spectrum, target, train_size, theory=FourthMoments(self.circle))
        matrix = coefficient_covariance(self.circle, self.spectrum, target, train_size, shown=[self.frequency])
        paper = predict(self.spectrum, target, train_size, theory=Eigenlearning())
        means = (known * p.mode_learnabilities[..., self.level] for p in (fourth, paper))
        return tuple(zip(means, (matrix[..., 0, 0], paper.coefficient_variance[..., self.level]), strict=True))


def _curves(circle, theory, target, known, largest):
    """The target against the angle, and both theories of the probed coefficient against the training-set size."""
    rows = curve("target", circle.angles, target(circle.points), "angle", target=target.name)
    grid = np.geomspace(1, largest, 100)
    for source, (means, variances) in zip(("theory", "paper"), theory.moments(target, known, grid), strict=True):
        for n, mean, variance in zip(grid, means, variances, strict=True):
            row = {"source": source, "measure": "coefficient", "target": target.name, "train_size": n, "mean": mean}
            rows.append({**row, "theory_spread": float(np.sqrt(variance))})
    return rows
