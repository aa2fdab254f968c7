"""Sampled experiments: training sets, exact kernel regression and trained networks on them, measured alike.

Every experiment is a table with one row per learned function, and the functions themselves on the evaluation points.
"""

import numpy as np
import pandas as pd

from .measures import learnability, mean_squared_error
from .regression import ridge_regression
from .seeding import stream

LARGEST_MATRIX = 4096  # points of a finite domain whose kernel matrix is kept whole


def labels(domain, targets, x, index, train_size, seed, noise_stds):
    """Noisy labels of one training set, (n, noise_stds, targets).

    The noise follows from (domain, train_size, seed, target); it is the same at every level but for its scale.
    """
    clean = np.stack([target(x, index) for target in targets.values()], 1)
    identity = {"domain": domain.identity, "train_size": train_size, "seed": seed}
    streams = [stream("label noise", target=name, **identity) for name in targets]
    noise = np.stack([rng.standard_normal(len(x)) for rng in streams], 1)
    return clean[:, None, :] + np.asarray(noise_stds)[None, :, None] * noise[:, None, :]


def truth(domain, targets):
    """The targets on the evaluation points, (targets, points)."""
    x, index = domain.evaluation()
    return np.stack([target(x, index) for target in targets.values()])


def kernel_experiment(domain, targets, kernel, train_sizes, ridges, noise_stds, seeds):
    """Exact kernel regression on the training sets of the given sizes and seeds.

    Parameters
    ----------
    targets : dict of label to Target
    kernel : callable
        (x, x2, index, index2) -> kernel matrix; x2 None means x.
    ridges, noise_stds, train_sizes, seeds : sequences

    Returns
    -------
    table : DataFrame with columns target, train_size, ridge, noise_std, seed and the measures
    functions : (rows, points) float32, the learned functions on the evaluation points
    """
    x_test, index_test = domain.evaluation()
    f = truth(domain, targets)
    tables, functions = [], []
    for train_size in train_sizes:
        for seed in seeds:
            x, index = domain.sample(train_size, seed)
            y = labels(domain, targets, x, index, train_size, seed, noise_stds)
            train_kernel, test_kernel = kernel(x, None, index, None), kernel(x_test, x, index_test, index)
            place = _place(index, index_test)
            for ridge in ridges:
                flat = y.reshape(len(x), -1)
                learned = ridge_regression(train_kernel, test_kernel, flat, ridge, place).T
                fitted = ridge_regression(train_kernel, train_kernel, flat, ridge, np.arange(len(x))).T
                rows = _rows(targets, noise_stds, train_size=train_size, ridge=ridge, seed=seed)
                tables.append(_measured(rows, f, learned, mean_squared_error(flat.T, fitted), index))
                functions.append(learned.astype(np.float32))
    return pd.concat(tables, ignore_index=True), np.concatenate(functions)


def network_experiment(domain, targets, train_size, noise_stds, seeds, fit):
    """Finite networks on the training sets of the given seeds, all targets and noise levels in one ensemble.

    Parameters
    ----------
    fit : callable
        (seeds (networks,), x (networks, n, dim), y (networks, n, 1), x_test) -> TrainingResult

    Returns
    -------
    table, functions
        As `kernel_experiment`, with the columns converged, steps, learning_rate, time.
    """
    x_test, _ = domain.evaluation()
    f = truth(domain, targets)
    each = len(targets) * len(noise_stds)
    samples = [domain.sample(train_size, seed) for seed in seeds]
    x = np.repeat(np.stack([x for x, _ in samples]), each, axis=0)
    y = np.stack(
        [
            labels(domain, targets, x, index, train_size, seed, noise_stds).reshape(len(x), -1).T
            for (x, index), seed in zip(samples, seeds, strict=True)
        ]
    ).reshape(len(x), train_size, 1)
    result = fit(np.repeat(seeds, each), x, y, x_test)
    learned = result.predictions[..., 0]
    tables = []
    for number, ((_, index), seed) in enumerate(zip(samples, seeds, strict=True)):
        rows = slice(number * each, (number + 1) * each)
        table = _rows(targets, noise_stds, train_size=train_size, ridge=0.0, seed=seed)
        tables.append(_measured(table, f, learned[rows].astype(float), result.train_mse[rows], index))
    table = pd.concat(tables, ignore_index=True)
    for column in ("converged", "steps", "learning_rate", "time"):
        table[column] = getattr(result, column)
    return table, learned.astype(np.float32)


def _place(index, index_test):
    """For every evaluation point its number in the training set, else -1; None on a continuous domain."""
    if index is None:
        return None
    place = np.full(len(index_test), -1)
    place[index] = np.arange(len(index))
    return place


def _rows(targets, noise_stds, **constants):
    """One row per learned function, noise levels slow, targets fast."""
    columns = {
        "target": np.tile(list(targets), len(noise_stds)),
        "noise_std": np.repeat(np.asarray(noise_stds, dtype=float), len(targets)),
    }
    return pd.DataFrame(columns).assign(**constants)


def _measured(rows, f, learned, train_mse, index):
    """Add the measures of learned functions (rows, points) to their rows.

    The test error is against noisy labels, as in the theory: the error of the function plus noise_std^2.
    """
    noise = rows["noise_std"].to_numpy() ** 2
    f = np.tile(f, (len(rows) // len(f), 1))
    rows["learnability"] = learnability(f, learned)
    rows["train_mse"] = train_mse
    rows["test_mse"] = mean_squared_error(f, learned) + noise
    if index is None:
        rows["test_mse_off_train"] = rows["test_mse"]
    else:
        off = np.ones(f.shape[1], dtype=bool)
        off[index] = False
        rows["test_mse_off_train"] = mean_squared_error(f, learned, np.broadcast_to(off, f.shape)) + noise
    return rows
