"""Accuracy of the largest of several Gaussian outputs.

The probability that output c of a Gaussian vector of mean m and covariance C is the largest has no closed form beyond two
outputs. It is the mean over standard normal z of the event m_c + (C^1/2 z)_c > all others, taken on the same quasi-random
points z for every sample.
"""

from functools import cache

import numpy as np
from jaxtyping import Float, Int

POINTS = 256


def are_classes(labels: Float[np.ndarray, "samples outputs"]) -> bool:
    """Whether every sample (samples, outputs) is of one class: one output of +-1, or several of which one is the larger
    of two values. Other targets of several outputs are regressions, of which no share is right."""
    if labels.shape[1] == 1:
        return bool((np.abs(labels) == 1).all())
    high = labels == labels.max(initial=-np.inf)
    return bool((high.sum(1) == 1).all() and np.ptp(labels[~high]) == 0)


def right_output_is_largest(
    mean: Float[np.ndarray, "samples outputs"],
    covariance: Float[np.ndarray, "samples outputs outputs"],
    right: Int[np.ndarray, " samples"],
) -> Float[np.ndarray, " samples"]:
    """Probability that output `right` of a Gaussian vector is the largest, sample by sample.

    Parameters
    ----------
    mean : (samples, outputs); covariance : (samples, outputs, outputs), eigenvalues below 0 by rounding count as 0
    right : (samples,) of int

    Returns
    -------
    (samples,)
    """
    values, vectors = np.linalg.eigh(covariance)
    # the symmetric root: that of the eigenvectors alone turns with every rounding where two eigenvalues are near each other
    root = (vectors * np.sqrt(np.fmax(values, 0))[:, None, :]) @ vectors.swapaxes(1, 2)
    drawn = mean[:, :, None] + root @ _normal_points(mean.shape[1]).T  # (samples, outputs, points)
    return (drawn.argmax(1) == right[:, None]).mean(1)


@cache
def _normal_points(outputs: int) -> Float[np.ndarray, "points outputs"]:
    """Scrambled Sobol points turned into standard normal ones, (POINTS, outputs)."""
    from scipy.stats import qmc  # not above: SciPy's statistics take half a second, and most jobs ask for no classes

    return qmc.MultivariateNormalQMC(np.zeros(outputs), seed=0).random(POINTS)
