"""Trained networks on sampled training sets: a table with one row per learned function."""

import numpy as np
import pandas as pd

from ..common.threads import one_thread
from .labels import labels, rows_of, truth, with_measures


@one_thread
def network_experiment(domain, targets, train_size, noise_stds, seeds, fit):
    """Finite networks on the training sets of the given seeds, all targets and noise levels in one ensemble.

    Parameters
    ----------
    fit : callable
        (seeds (networks,), x (networks, n, dim), y (networks, n, outputs), x_test) -> TrainingResult

    Returns
    -------
    table : DataFrame
        As `kernel_experiment`, with the columns converged, steps, learning_rate, time.
    functions : (networks, points, outputs) float32
        The learned functions on the evaluation points.
    device : str
        Where they were trained.
    """
    x_test, index_test = domain.evaluation()
    f = truth(targets, x_test, index_test)
    samples = [domain.sample(train_size, seed) for seed in seeds]
    pairs = zip(samples, seeds, strict=True)
    y = np.stack([labels(domain, targets, x, index, train_size, seed, noise_stds) for (x, index), seed in pairs])
    each = y.shape[1]
    x = np.repeat(np.stack([x for x, _ in samples]), each, axis=0)
    result = fit(np.repeat(seeds, each), x, y.reshape(len(x), train_size, -1), x_test)
    tables = []
    for number, ((_, index), seed) in enumerate(zip(samples, seeds, strict=True)):
        rows = slice(number * each, (number + 1) * each)
        table = rows_of(targets, noise_stds, train_size=train_size, ridge=0.0, seed=seed)
        tables.append(with_measures(table, f, result.predictions[rows].astype(float), result.train_mse[rows], index))
    table = pd.concat(tables, ignore_index=True)
    for column in ("converged", "steps", "learning_rate", "time"):
        table[column] = getattr(result, column)
    return table, result.predictions.astype(np.float32), result.device
