"""What trained networks learn from training sets."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..common.threads import one_thread
from ..domains.domain import Domain
from ..ensembles.training.fit import fit
from ..ensembles.training.result import TrainingResult
from ..kernels.matrix import KernelMatrix
from ..spectra.target import Target
from .regression import learned_function
from .task import LearningTask, Points

Fit = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], TrainingResult]


@one_thread
def network_experiment(
    domain: Domain,
    targets: Mapping[str, Target],
    train_size: int,
    noise_stds: Sequence[float],
    seeds: Sequence[int],
    fit: Fit,
) -> tuple[pd.DataFrame, Float[np.ndarray, "networks points outputs"], str]:
    """Finite networks on the training sets of the given seeds, all targets and noise levels in one ensemble.

    Parameters
    ----------
    fit : callable
        (seeds (networks,), x (networks, n, ...), y (networks, n, outputs), x_test) -> TrainingResult

    Returns
    -------
    table : DataFrame
        As `kernel_experiment`, with the columns converged, steps, learning_rate, time.
    functions : (networks, points, outputs) float32
        The learned functions on the evaluation points.
    device : str
        Where they were trained.
    """
    task = LearningTask(domain, targets, noise_stds)
    training_sets = [task.training_set(train_size, seed) for seed in seeds]
    each = len(training_sets[0].labels)
    x = np.repeat(np.stack([training_set.points[0] for training_set in training_sets]), each, axis=0)
    y = np.concatenate([training_set.labels for training_set in training_sets])
    result = fit(np.repeat(seeds, each), x, y, task.test[0])
    tables = []
    for number, training_set in enumerate(training_sets):
        rows = slice(number * each, (number + 1) * each)
        learned = result.predictions[rows].astype(float)
        tables.append(task.score(training_set, learned, result.train_mse[rows], train_size=train_size, ridge=0.0))
    table = pd.concat(tables, ignore_index=True)
    for column in ("converged", "steps", "learning_rate", "time"):
        table[column] = getattr(result, column)
    return table, result.predictions.astype(np.float32), result.device


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
