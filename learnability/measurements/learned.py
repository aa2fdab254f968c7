"""Learned functions of kernel regression and of trained networks on the same training sets."""

import numpy as np
from jaxtyping import Float

from ..common.threads import one_thread
from ..domains.domain import Domain
from ..ensembles.training.fit import fit
from ..kernels.matrix import KernelMatrix
from ..spectra.target import Target
from .regression import learned_function
from .task import LearningTask, Points


@one_thread
def learned_functions(
    domain: Domain,
    kernel: KernelMatrix,
    target: Target,
    train_size: int,
    seeds: int,
    width: int | None = None,
    test: Points | None = None,
) -> Float[np.ndarray, "seeds points"]:
    """Functions learned from the training sets 0 ... seeds - 1, on the domain's evaluation points or at given ones.

    Parameters
    ----------
    target : Target with one output
    width : int, optional
        Of the networks of the kernel's architecture; missing: kernel regression.
    test : points and their numbers, optional

    Returns
    -------
    (seeds, points) float64; networks that did not converge are nan
    """
    task = LearningTask(domain, {target.name: target})
    test = task.test if test is None else test
    training_sets = [task.training_set(train_size, seed) for seed in range(seeds)]
    if width is None:
        functions = [learned_function(kernel, one.points, one.labels[0], test)[:, 0] for one in training_sets]
        return np.stack(functions)
    x = np.stack([one.points[0] for one in training_sets])
    y = np.concatenate([one.labels for one in training_sets])
    result = fit(kernel.architecture, width, range(seeds), x, y, test[0])
    return np.where(result.converged[:, None], result.predictions[..., 0].astype(float), np.nan)
