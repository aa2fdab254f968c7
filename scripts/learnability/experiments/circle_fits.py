"""Learned functions on the circle, and the learned coefficient on a mode that the target does not have."""

import numpy as np

from ..domains import target_from
from ..measures import coefficients
from ..spectrum import Target
from ..theory import predict
from .learned import learned_functions, place_and_network
from .results import curve, measured, table


def run(domain, architecture, width, frequencies, amplitude, shown_sizes, train_sizes, probe=5, seeds=30):
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
    place, network = place_and_network(domain, architecture)
    spectrum = place.spectrum(network)
    sensor = target_from(place, {"cosine": probe})
    phi = sensor(place.points)
    level = spectrum.modes.tolist().index(probe)
    rows = []
    for frequency in frequencies:
        unit = target_from(place, {"cosine": frequency})
        target = Target(
            amplitude**2 * unit.power, unit.modes, lambda x, i, u=unit: amplitude * u(x), f"cos {frequency}t"
        )
        keys = {"target": target.name}
        truth = target(place.points)
        rows += curve("target", place.angles, truth, "angle", **keys)
        grid = np.linspace(1, max(train_sizes), 200)
        p = predict(spectrum, target, grid)
        spread = np.sqrt(p.coefficient_variance[:, level])
        known = amplitude if frequency == probe else 0.0
        for n, mean, std in zip(grid, known * p.mode_learnabilities[:, level], spread, strict=True):
            row = {"source": "theory", "measure": "coefficient", **keys, "train_size": n, "mean": mean}
            rows.append({**row, "theory_spread": std})
        for train_size in sorted({*shown_sizes, *train_sizes}):
            p = predict(spectrum, target, train_size)
            place_keys = {**keys, "train_size": train_size}
            for source, size in (("kernel", None), ("network", width)):
                functions = learned_functions(place, network, target, train_size, seeds, size)
                if train_size in shown_sizes:
                    for angle, values, f in zip(place.angles, functions.T, truth, strict=True):
                        row = measured(source, "function", values, float(p.learnability) * f, **place_keys)
                        rows.append({**row, "angle": angle, "theory_spread": float(np.sqrt(p.variance))})
                if train_size in train_sizes:
                    found = coefficients(phi[:, None], functions)[:, 0]
                    std = float(np.sqrt(p.coefficient_variance[level]))
                    row = measured(source, "coefficient", found, known * p.mode_learnabilities[level], **place_keys)
                    rows.append({**row, "theory_spread": std})
                    squares = (found - np.nanmean(found)) ** 2 * seeds / (seeds - 1)
                    rows.append(measured(source, "coefficient variance", squares, std**2, **place_keys))
    return table(rows)
