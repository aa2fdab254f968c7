"""Learned functions on the circle, and the learned coefficient on a mode that the target does not have."""

from dataclasses import replace

import numpy as np

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.learned import learned_functions
from ..measurements.metrics import coefficients
from ..tables.means import curve, mean_row, table
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
        theory_spread); "coefficient" and "coefficient variance" rows against train_size.
    """
    given = KernelOnDomain.of(domain, architecture, files=files)
    circle, spectrum, kernel = given.domain, given.spectrum, given.kernel
    phi, level = target_from(circle, {"cosine": probe})(circle.points), spectrum.modes.tolist().index(probe)
    rows = []
    for frequency in frequencies:
        target = _scaled_cosine(circle, frequency, amplitude)
        known = amplitude if frequency == probe else 0.0
        rows += _curves(circle, spectrum, target, level, known, max(train_sizes))
        truth = target(circle.points)
        for train_size in sorted({*shown_sizes, *train_sizes}):
            p = predict(spectrum, target, train_size)
            keys = {"target": target.name, "train_size": train_size}
            for source, size in (("kernel", None), ("network", width)):
                functions = learned_functions(circle, kernel, target, train_size, seeds, size)
                if train_size in shown_sizes:
                    for angle, values, f in zip(circle.angles, functions.T, truth, strict=True):
                        row = mean_row(source, "function", values, float(p.learnability) * f, **keys)
                        rows.append({**row, "angle": angle, "theory_spread": float(np.sqrt(p.variance))})
                if train_size in train_sizes:
                    found = coefficients(phi[:, None], functions)[:, 0]
                    variance = float(p.coefficient_variance[level])
                    row = mean_row(source, "coefficient", found, known * p.mode_learnabilities[level], **keys)
                    rows.append({**row, "theory_spread": float(np.sqrt(variance))})
                    rows.append(mean_row(source, "coefficient variance", squared_deviations(found), variance, **keys))
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


def _curves(circle, spectrum, target, level, known, largest):
    """The target against the angle, and the theory of the probed coefficient against the training-set size."""
    rows = curve("target", circle.angles, target(circle.points), "angle", target=target.name)
    grid = np.linspace(1, largest, 200)
    p = predict(spectrum, target, grid)
    spread = np.sqrt(p.coefficient_variance[:, level])
    for n, mean, std in zip(grid, known * p.mode_learnabilities[:, level], spread, strict=True):
        row = {"source": "theory", "measure": "coefficient", "target": target.name, "train_size": n, "mean": mean}
        rows.append({**row, "theory_spread": std})
    return rows
