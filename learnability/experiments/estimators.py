"""Estimators of the test error from the training set alone, against the measured test error off the training set."""

import numpy as np

from ..domains import target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..measurements.metrics import mean_squared_error
from ..measurements.regression import learned_function
from ..regression.cross_validation import estimate
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
    given = KernelOnDomain.of(domain, architecture, files=files)
    data, kernel = given.domain, given.kernel
    aim = target_from(data, target)
    f, rows = np.asarray(aim(*data.evaluation())), []
    for ridge in ridges:
        for n in train_sizes:
            found = [_estimates(data, kernel, aim, n, seed, ridge) for seed in range(seeds)]
            found = {name: np.array([one[name] for one in found]) for name in found[0]}
            error, keys = found["test_mse_off_train"], {"train_size": n, "ridge": float(ridge)}
            p = PerSample().solve(kernel.matrix, f, n, ridge, 0.0)
            rows.append(mean_row("kernel", "test_mse_off_train", error, p.test_mse_off_train.mean(), **keys))
            trace = ((1 - n / data.size) / (data.size * p.kappas - ridge)).sum()
            rows.append(mean_row("kernel", "kappa", found["kappa"], 1 / trace, **keys))
            for name in ("gcv", "leave-one-out"):
                row = mean_row(name, name, found[name], error.mean(), **keys)
                row["standard_error"] = np.std(found[name] - error, ddof=1) / np.sqrt(seeds)
                rows.append(row)
    return table(rows)


def _estimates(data, kernel, target, train_size, seed, ridge):
    """The estimators of one training set, and its error off it."""
    train, test = data.sample(train_size, seed), data.evaluation()
    f, y = (np.asarray(target(*points)).reshape(len(points[0]), -1) for points in (test, train))
    e = estimate(kernel.block(train), y, ridge)
    off = np.ones(len(f), dtype=bool)
    off[train[1]] = False
    return {
        "gcv": np.mean(e.gcv),
        "leave-one-out": np.mean(e.leave_one_out),
        "kappa": e.kappa,
        "test_mse_off_train": mean_squared_error(f, learned_function(kernel, train, y, test, ridge), off),
    }
