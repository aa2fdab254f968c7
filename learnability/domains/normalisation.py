"""The normalised error NMSE = E / Var: an error E off the training set, over the variance of the labels there.

Var is the target's variance about its mean under the domain's measure plus that of the label noise, each averaged over
outputs. An error of 1 is that of predicting the mean, and R2 = 1 - NMSE. It is not defined (nan) for a constant target without
noise.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..spectra.target import Target
from .domain import Domain


def variances(domain: Domain, target: Target) -> Float[np.ndarray, " points"]:
    """Squared distance of the target from its mean at each point of the domain's evaluation, mean over outputs, (points,).

    Their mean is the target's variance: exact on a finite domain, on its random test points elsewhere.
    """
    values = np.asarray(target(*domain.evaluation()), dtype=float)
    values = values.reshape(len(values), -1)
    return ((values - values.mean(0)) ** 2).mean(1)


def normalised(error: ArrayLike, variance: ArrayLike, noise_std: ArrayLike = 0.0) -> Float[np.ndarray, "..."]:
    """NMSE of errors off the training set, from the target's variance; arrays broadcast, nan where there is no variance."""
    total = np.asarray(variance, dtype=float) + np.asarray(noise_std, dtype=float) ** 2
    return np.asarray(np.asarray(error, dtype=float) / np.where(total > 0, total, np.nan))
