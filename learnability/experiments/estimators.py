"""Estimators of the test error from the training set alone, against the measured test error off the training set."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.estimates import estimated
from ..measurements.task import LearningTask
from ..tables.means import Row, mean_row, table
from ..theory.per_sample import PerSample
from .entries import Entry, Files, finite


def run(
    domain: Entry,
    architecture: Entry,
    target: Entry,
    train_sizes: Sequence[int],
    ridges: Sequence[float] = (0.0,),
    seeds: int = 30,
    files: Files | None = None,
) -> pd.DataFrame:
    """Compare GCV, leave-one-out and 1/Tr A^-1 to measured errors and to the per-sample theory.

    Returns
    -------
    DataFrame
        Rows "gcv", "leave-one-out" and "test_mse_off_train" against train_size; the first two are compared to the
        measured error (column theory), with the standard error of the difference, the third to the theory. Rows "kappa"
        compare 1/Tr A^-1 to the theory's, 1/sum Q_xx with Q_xx = (1 - n/M)/(M kappa_x - ridge).
    """
    learner = KernelOnDomain.of(domain, architecture, files=files)
    data, kernel = finite(learner.domain), learner.blocks
    task, rows = LearningTask(data, {"target": target_from(data, target)}), []
    matrix = kernel.block(data.evaluation())
    predicted = PerSample().solve(matrix, task.values[0], train_sizes, np.asarray(ridges)[:, None], 0.0)
    for place, ridge in enumerate(ridges):
        for number, n in enumerate(train_sizes):
            measured = pd.DataFrame([estimated(task, kernel, n, seed, ridge) for seed in range(seeds)])
            error, kappas = predicted.test_mse_off_train[place, number].mean(), predicted.kappas[place, number]
            trace = ((1 - n / data.size) / (data.size * kappas - ridge)).sum()
            rows += _rows(measured, error, 1 / trace, train_size=n, ridge=float(ridge))
    return table(rows)


def _rows(measured: pd.DataFrame, error: float, kappa: float, **keys: object) -> list[Row]:
    """The measured error and kappa beside the theory's, and the estimates beside the measured error."""
    errors = measured["test_mse_off_train"]
    rows = [
        mean_row("kernel", "test_mse_off_train", errors, error, **keys),
        mean_row("kernel", "kappa", measured["kappa"], kappa, **keys),
    ]
    for name, column in (("gcv", "gcv"), ("leave-one-out", "leave_one_out")):
        row = mean_row(name, name, measured[column], errors.mean(), **keys)
        row["standard_error"] = np.std(measured[column] - errors, ddof=1) / np.sqrt(len(measured))
        rows.append(row)
    return rows
