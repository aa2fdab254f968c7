"""Sampled experiments: training sets, exact kernel regression and trained networks on them, measured alike.

Every experiment is a table with one row per learned function. All targets of an experiment have the same number of
outputs; measures average over outputs.
"""

import numpy as np
import pandas as pd

from .errors import require
from .measures import accuracy, learnability, mean_squared_error
from .regression import ridge_regression
from .seeding import stream

LARGEST_MATRIX = 4096  # points of a finite domain whose kernel matrix is kept whole


def truth(targets, x, index):
    """The targets on points, (targets, points, outputs)."""
    values = [np.asarray(target(x, index), dtype=float).reshape(len(x), -1) for target in targets.values()]
    outputs = {v.shape[1] for v in values}
    require(len(outputs) == 1, f"the targets of a study need the same number of outputs, got {sorted(outputs)}")
    return np.stack(values)


def labels(domain, targets, x, index, train_size, seed, noise_stds):
    """Noisy labels of one training set, (noise_stds * targets, n, outputs), noise levels slow.

    The noise follows from (domain, train_size, seed, target); it is the same at every level but for its scale.
    """
    clean = truth(targets, x, index)
    identity = {"domain": domain.identity, "train_size": int(train_size), "seed": int(seed)}
    noise = [stream("label noise", target=name, **identity).standard_normal(clean.shape[1:]) for name in targets]
    noisy = clean + np.asarray(noise_stds)[:, None, None, None] * np.stack(noise)
    return noisy.reshape(-1, *clean.shape[1:])


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
    DataFrame with columns target, train_size, ridge, noise_std, seed and the measures
    """
    x_test, index_test = domain.evaluation()
    f = truth(targets, x_test, index_test)
    tables = []
    for train_size in train_sizes:
        for seed in seeds:
            x, index = domain.sample(train_size, seed)
            y = labels(domain, targets, x, index, train_size, seed, noise_stds)  # (functions, n, outputs)
            train_kernel, test_kernel = kernel(x, None, index, None), kernel(x_test, x, index_test, index)
            place = _place(index, index_test)
            flat = np.moveaxis(y, 1, 0).reshape(len(x), -1)
            for ridge in ridges:
                learned = ridge_regression(train_kernel, test_kernel, flat, ridge, place)
                fitted = ridge_regression(train_kernel, train_kernel, flat, ridge, np.arange(len(x)))
                learned, fitted = (np.moveaxis(a.reshape(len(a), len(y), -1), 0, 1) for a in (learned, fitted))
                rows = _rows(targets, noise_stds, train_size=train_size, ridge=ridge, seed=seed)
                tables.append(_measured(rows, f, learned, _train_mse(y, fitted), index))
    return pd.concat(tables, ignore_index=True)


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
        table = _rows(targets, noise_stds, train_size=train_size, ridge=0.0, seed=seed)
        tables.append(_measured(table, f, result.predictions[rows].astype(float), result.train_mse[rows], index))
    table = pd.concat(tables, ignore_index=True)
    for column in ("converged", "steps", "learning_rate", "time"):
        table[column] = getattr(result, column)
    return table, result.predictions.astype(np.float32)


def _place(index, index_test):
    """For every evaluation point its number in the training set, else -1; None on a continuous domain."""
    if index is None:
        return None
    place = np.full(len(index_test), -1)
    place[index] = np.arange(len(index))
    return place


def _train_mse(y, fitted):
    return ((y - fitted) ** 2).mean((1, 2)) if y.shape[1] else np.full(len(y), np.nan)


def _rows(targets, noise_stds, **constants):
    """One row per learned function, noise levels slow, targets fast."""
    columns = {
        "target": np.tile(list(targets), len(noise_stds)),
        "noise_std": np.repeat(np.asarray(noise_stds, dtype=float), len(targets)),
    }
    return pd.DataFrame(columns).assign(**constants)


def _measured(rows, f, learned, train_mse, index):
    """Add the measures of learned functions (rows, points, outputs) to their rows.

    The test error is against noisy labels, as in the theory: the error of the function plus noise_std^2.
    """
    noise = rows["noise_std"].to_numpy() ** 2
    f = np.tile(f, (len(rows) // len(f), 1, 1))
    off = np.ones(f.shape[1], dtype=bool)
    if index is not None:
        off[index] = False
    rows["learnability"] = learnability(f, learned)
    rows["train_mse"] = train_mse
    rows["test_mse"] = mean_squared_error(f, learned) + noise
    rows["test_mse_off_train"] = mean_squared_error(f, learned, off) + noise
    rows["accuracy"] = accuracy(f, learned)
    return rows
