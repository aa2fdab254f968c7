"""Estimators of the test error from the training set alone, against the measured test error off the training set."""

import numpy as np
import pandas as pd

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.estimates import estimated
from ..measurements.task import LearningTask
from ..tables.means import mean_row, table
from ..theory.per_sample import PerSample


def run(domain, architecture, target, train_sizes, ridges=(0.0,), seeds=30, files=None):
    """Compare GCV, leave-one-out and 1/Tr A^-1 to measured errors and to the per-sample theory.

    Returns
    -------
    DataFrame
        Rows "gcv", "leave-one-out" and "test_mse_off_train" against train_size; the first two are compared to the
        measured error (column theory), with the standard error of the difference, the third to the theory. Rows "kappa"
        compare 1/Tr A^-1 to the theory's, 1/sum Q_xx with Q_xx = (1 - n/M)/(M kappa_x - ridge).
    """
    learner = KernelOnDomain.of(domain, architecture, files=files)
    data, kernel = learner.domain, learner.blocks
    aim = target_from(data, target)
    f, rows = np.asarray(aim(*data.evaluation())), []
    task = LearningTask(data, {"target": aim})
    for ridge in ridges:
        for n in train_sizes:
            measured = pd.DataFrame([estimated(task, kernel, n, seed, ridge) for seed in range(seeds)])
            error, keys = measured["test_mse_off_train"].to_numpy(), {"train_size": n, "ridge": float(ridge)}
            p = PerSample().solve(kernel.matrix, f, n, ridge, 0.0)
            rows.append(mean_row("kernel", "test_mse_off_train", error, p.test_mse_off_train.mean(), **keys))
            trace = ((1 - n / data.size) / (data.size * p.kappas - ridge)).sum()
            rows.append(mean_row("kernel", "kappa", measured["kappa"], 1 / trace, **keys))
            for name, column in (("gcv", "gcv"), ("leave-one-out", "leave_one_out")):
                row = mean_row(name, name, measured[column], error.mean(), **keys)
                row["standard_error"] = np.std(measured[column] - error, ddof=1) / np.sqrt(seeds)
                rows.append(row)
    return table(rows)
