"""Exact kernel regression on sampled training sets."""

import numpy as np
import pandas as pd

from ..common.threads import one_thread
from ..regression.ridge import ridge_regression
from .labels import labels, rows_of, truth, with_measures


def learned_function(kernel, train, y, test, ridge=0.0):
    """The function that kernel regression learns from one training set.

    Parameters
    ----------
    kernel : KernelMatrix
    train, test : points, pairs (x, index) as `Domain.sample` and `Domain.evaluation` return them
    y : (n,) or (n, outputs)
    ridge : float, or a sequence of them for one function each

    Returns
    -------
    (n_test,) or (n_test, outputs); with several ridges, a list of these
    """
    inner = kernel.block(train)
    if test is train:
        across, row = inner, np.arange(len(inner))
    else:
        across, row = kernel.block(test, train), training_rows(train[1], test[1])
    if np.ndim(ridge) == 0:
        return ridge_regression(inner, across, y, ridge, row)
    return [ridge_regression(inner, across, y, each, row) for each in ridge]


def training_rows(index, index_test):
    """For every test point its row in the training set, else -1; None where points have no indices."""
    if index is None or index_test is None:
        return None
    rows = np.full(max(index.max(initial=-1), index_test.max(initial=-1)) + 1, -1)
    rows[index] = np.arange(len(index))
    return rows[index_test]


@one_thread
def kernel_experiment(domain, targets, kernel, train_sizes, ridges, noise_stds, seeds):
    """Exact kernel regression on the training sets of the given sizes and seeds.

    Parameters
    ----------
    targets : dict of label to Target
    kernel : KernelMatrix
    ridges, noise_stds, train_sizes, seeds : sequences

    Returns
    -------
    DataFrame with columns target, train_size, ridge, noise_std, seed and the measures
    """
    test = domain.evaluation()
    f = truth(targets, *test)
    tables = []
    for train_size in train_sizes:
        for seed in seeds:
            train = domain.sample(train_size, seed)
            y = labels(domain, targets, *train, train_size, seed, noise_stds)  # (functions, n, outputs)
            flat = np.moveaxis(y, 1, 0).reshape(train_size, len(y) * y.shape[2])
            learned = learned_function(kernel, train, flat, test, ridges)
            fitted = learned_function(kernel, train, flat, train, ridges)
            for ridge, *functions in zip(ridges, learned, fitted, strict=True):
                values, on_train = (np.moveaxis(a.reshape(len(a), len(y), y.shape[2]), 0, 1) for a in functions)
                rows = rows_of(targets, noise_stds, train_size=train_size, ridge=ridge, seed=seed)
                tables.append(with_measures(rows, f, values, _train_mse(y, on_train), train[1]))
    return pd.concat(tables, ignore_index=True)


def _train_mse(y, fitted):
    return ((y - fitted) ** 2).mean((1, 2)) if y.shape[1] else np.full(len(y), np.nan)
