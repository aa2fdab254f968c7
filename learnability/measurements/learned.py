"""Learned functions of kernel regression and of trained networks on the same training sets."""

import numpy as np

from ..ensembles.training.fit import fit
from .regression import learned_function


def learned_functions(domain, kernel, target, train_size, seeds, width=None, test=None):
    """Learned functions on the domain's evaluation points, or at given ones.

    Parameters
    ----------
    domain : Domain, kernel : KernelMatrix, target : Target with one output
    seeds : int
        Training sets 0 ... seeds - 1.
    width : int, optional
        Of the networks of the kernel's architecture; missing: kernel regression.
    test : points, a pair (x, index), optional

    Returns
    -------
    (seeds, points) float64; networks that did not converge are nan
    """
    test = domain.evaluation() if test is None else test
    samples = [domain.sample(train_size, seed) for seed in range(seeds)]
    if width is None:
        return np.stack([learned_function(kernel, train, target(*train), test) for train in samples])
    x = np.stack([x for x, _ in samples])
    y = np.stack([target(*train) for train in samples])
    result = fit(kernel.architecture, width, range(seeds), x, y[..., None], test[0])
    return np.where(result.converged[:, None], result.predictions[..., 0].astype(float), np.nan)
