"""Estimators of the test error from the training set alone, against the measured test error off the training set."""

import numpy as np

from ..domains import target_from
from ..estimators import estimate
from ..measures import mean_squared_error
from ..regression import ridge_regression
from ..theory import effective_regularization
from .learned import place_and_network
from .results import measured, table


def run(domain, architecture, target, train_sizes, ridges=(0.0,), seeds=30):
    """Compare GCV, leave-one-out and kappa = 1/Tr A^-1 to measured errors and to the theory's kappa.

    Returns
    -------
    DataFrame
        Rows "gcv", "leave-one-out" and "test_mse_off_train" against train_size; the first two are compared to the
        measured error (column theory), with the standard error of the difference. Rows "kappa" compare to the theory.
    """
    place, network = place_and_network(domain, architecture)
    aim, spectrum = target_from(place, target), place.spectrum(network)
    x, index = place.evaluation()
    f, matrix = np.asarray(aim(x, index)).reshape(len(x), -1), network.kernel(x)
    rows = []
    for ridge in ridges:
        for n in train_sizes:
            found = {"gcv": [], "leave-one-out": [], "kappa": [], "test_mse_off_train": []}
            for seed in range(seeds):
                _, chosen = place.sample(n, seed)
                inner = matrix[np.ix_(chosen, chosen)]
                e = estimate(inner, f[chosen], ridge)
                off = np.ones(len(x), dtype=bool)
                off[chosen] = False
                learned = ridge_regression(inner, matrix[:, chosen], f[chosen], ridge)
                found["gcv"].append(np.mean(e.gcv))
                found["leave-one-out"].append(np.mean(e.leave_one_out))
                found["kappa"].append(e.kappa)
                found["test_mse_off_train"].append(mean_squared_error(f, learned, off))
            error = np.array(found["test_mse_off_train"])
            keys = {"train_size": n, "ridge": float(ridge)}
            rows.append(measured("kernel", "test_mse_off_train", error, np.nan, **keys))
            rows.append(
                measured("kernel", "kappa", found["kappa"], effective_regularization(spectrum, n, ridge), **keys)
            )
            for name in ("gcv", "leave-one-out"):
                row = measured(name, name, found[name], error.mean(), **keys)
                row["standard_error"] = np.std(np.array(found[name]) - error, ddof=1) / np.sqrt(seeds)
                rows.append(row)
    return table(rows)
