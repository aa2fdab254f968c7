"""Exact kernel regression on sampled training sets: a table with one row per learned function."""

import numpy as np
import pandas as pd

from .regression import ridge_regression
from .sampling import labels, measured, rows_of, truth

LARGEST_MATRIX = 4096  # points of a finite domain whose kernel matrix is kept whole


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
            flat = np.moveaxis(y, 1, 0).reshape(len(x), len(y) * y.shape[2])
            for ridge in ridges:
                learned = ridge_regression(train_kernel, test_kernel, flat, ridge, place)
                fitted = ridge_regression(train_kernel, train_kernel, flat, ridge, np.arange(len(x)))
                learned, fitted = (np.moveaxis(a.reshape(len(a), len(y), y.shape[2]), 0, 1) for a in (learned, fitted))
                rows = rows_of(targets, noise_stds, train_size=train_size, ridge=ridge, seed=seed)
                tables.append(measured(rows, f, learned, _train_mse(y, fitted), index))
    return pd.concat(tables, ignore_index=True)


def _place(index, index_test):
    """For every evaluation point its number in the training set, else -1; None on a continuous domain."""
    if index is None:
        return None
    place = np.full(len(index_test), -1)
    place[index] = np.arange(len(index))
    return place


def _train_mse(y, fitted):
    return ((y - fitted) ** 2).mean((1, 2)) if y.shape[1] else np.full(len(y), np.nan)
