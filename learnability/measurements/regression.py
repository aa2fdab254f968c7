"""What exact kernel regression learns from training sets."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..common.threads import one_thread
from ..domains.domain import Domain
from ..kernels.matrix import KernelMatrix
from ..regression.ridge import ridge_regressions
from ..spectra.target import Target
from .task import LearningTask, Points, TrainingSet, table_of


def learned_function(
    kernel: KernelMatrix,
    train: Points,
    y: Float[np.ndarray, "samples ..."],
    test: Points,
    ridge: float = 0.0,
) -> Float[np.ndarray, "points ..."]:
    """The function that kernel regression learns from one training set.

    Parameters
    ----------
    kernel : KernelMatrix
    train, test : points and their numbers, as `Domain.sample` and `Domain.evaluation` return them
    y : (n,) or (n, outputs)
    ridge : float

    Returns
    -------
    (n_test,) or (n_test, outputs)
    """
    return _learned_functions(kernel, train, y, [test], [ridge])[0][0]


def _learned_functions(
    kernel: KernelMatrix,
    train: Points,
    y: Float[np.ndarray, "samples ..."],
    tests: Sequence[Points],
    ridges: Sequence[float],
) -> list[list[Float[np.ndarray, "points ..."]]]:
    """For several ridges, from one kernel matrix and one factorization each: `learned_function` at each set of points."""
    inner = kernel.block(train)
    blocks = [
        (inner, np.arange(len(inner)))
        if test is train
        else (kernel.block(test, train), training_rows(train[1], test[1]))
        for test in tests
    ]
    return [ridge_regressions(inner, blocks, y, ridge) for ridge in ridges]


def training_rows(
    index: Int[np.ndarray, " samples"] | None, index_test: Int[np.ndarray, " points"] | None
) -> Int[np.ndarray, " points"] | None:
    """For every test point its row in the training set, else -1; None where points have no numbers."""
    if index is None or index_test is None:
        return None
    rows = np.full(max(index.max(initial=-1), index_test.max(initial=-1)) + 1, -1)
    rows[index] = np.arange(len(index))
    return rows[index_test]


def regressed(
    kernel: KernelMatrix, training_set: TrainingSet, tests: Sequence[Points], ridges: Sequence[float]
) -> list[list[Float[np.ndarray, "functions points outputs"]]]:
    """All functions that kernel regression learns from a training set: for every ridge an array at each set of points."""
    y = training_set.labels
    columns = np.moveaxis(y, 1, 0).reshape(y.shape[1], len(y) * y.shape[2])
    learned = _learned_functions(kernel, training_set.points, columns, tests, ridges)
    return [[np.moveaxis(f.reshape(len(f), len(y), y.shape[2]), 0, 1) for f in of_ridge] for of_ridge in learned]


@one_thread
def kernel_experiment(
    domain: Domain,
    targets: Mapping[str, Target],
    kernel: KernelMatrix,
    train_sizes: Iterable[int],
    ridges: Sequence[float],
    noise_stds: Sequence[float],
    seeds: Iterable[int],
) -> pd.DataFrame:
    """Exact kernel regression on the training sets of the given sizes and seeds.

    Returns
    -------
    DataFrame with columns target, train_size, ridge, noise_std, seed and the measures
    """
    task, seeds, scores = LearningTask(domain, targets, noise_stds), list(seeds), []
    for train_size in train_sizes:
        for seed in seeds:
            training_set = task.training_set(train_size, seed)
            learned = regressed(kernel, training_set, [task.test, training_set.points], ridges)
            for ridge, (values, on_train) in zip(ridges, learned, strict=True):
                train_mse = _train_mse(training_set.labels, on_train)
                scores.append(task.score(training_set, values, train_mse, train_size=train_size, ridge=ridge))
    return table_of(scores)


def _train_mse(
    y: Float[np.ndarray, "functions samples outputs"], fitted: Float[np.ndarray, "functions samples outputs"]
) -> Float[np.ndarray, " functions"]:
    return ((y - fitted) ** 2).mean((1, 2)) if y.shape[1] else np.full(len(y), np.nan)
