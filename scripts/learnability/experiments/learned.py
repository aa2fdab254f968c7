"""Learned functions of kernel regression and of trained networks on the same training sets of one study cell."""

import numpy as np

from ..architectures import FullyConnected
from ..domains import domain_from
from ..regression import ridge_regression
from ..training import fit


def learned_functions(domain, architecture, target, train_size, seeds, width=None, x_test=None):
    """Learned functions on a finite domain, or at given points.

    Parameters
    ----------
    domain : Domain, architecture : FullyConnected, target : Target with one output
    seeds : int
        Training sets 0 ... seeds - 1.
    width : int, optional
        Of the networks; missing: kernel regression.
    x_test : (points, dim), optional
        Missing: the domain's evaluation points.

    Returns
    -------
    (seeds, points) float64; networks that did not converge are nan
    """
    x_test = domain.evaluation()[0] if x_test is None else x_test
    samples = [domain.sample(train_size, seed) for seed in range(seeds)]
    x = np.stack([x for x, _ in samples])
    y = np.stack([target(x, index) for x, index in samples])
    if width is None:
        return np.stack(
            [
                ridge_regression(architecture.kernel(a), architecture.kernel(x_test, a), b)
                for a, b in zip(x, y, strict=True)
            ]
        )
    result = fit(architecture, width, range(seeds), x, y[..., None], x_test)
    return np.where(result.converged[:, None], result.predictions[..., 0].astype(float), np.nan)


def place_and_network(domain, architecture):
    """The objects that a cell's `domain` and `architecture` entries describe."""
    return domain_from(domain), FullyConnected(**architecture)
