"""Predictions as rows of a study's table."""

import numpy as np
import pandas as pd

from ..theory.prediction import predict
from ..theory.statistics import off_training_mse, sign_accuracy


def theory_table(spectrum, targets, train_sizes, ridges, noise_stds, points=None, signs=(), population=None):
    """Predictions on the grid train_sizes x ridges x noise_stds, one row per target and grid point.

    Parameters
    ----------
    points : int, optional
        Size of a finite domain, for the error off the training set.
    signs : collection of target labels
        Targets with values +-1, for which the accuracy is predicted.
    population : float, optional
        See `learnability.theory.prediction.predict`; missing: infinite.
    """
    n, ridge, noise = (a.ravel() for a in np.meshgrid(train_sizes, ridges, noise_stds, indexing="ij"))
    parts = []
    for name, target in targets.items():
        p = predict(spectrum, target, n, ridge, noise, population=population)
        test, train, learned = (_over_outputs(p, a) for a in (p.test_mse, p.train_mse, p.learnability))
        if p.test_mse_off_train is not None:
            off = _over_outputs(p, p.test_mse_off_train)
        else:
            off = test if points is None else off_training_mse(test, train, n, points, noise)
        table = {
            "target": name,
            "train_size": n,
            "ridge": ridge,
            "noise_std": noise,
            "kappa": p.kappa,
            "overfitting_coefficient": p.overfitting_coefficient,
            "learnability": learned,
            "learnability_std": _learnability_std(p),
            "train_mse": train,
            "test_mse": test,
            "test_mse_off_train": off,
            "accuracy": sign_accuracy(p, points) if points is not None and name in signs else np.nan,
            "population": np.inf if population is None else float(population),
        }
        parts.append(pd.DataFrame(table))
    return pd.concat(parts, ignore_index=True)


def _learnability_std(prediction):
    """Standard deviation of <f, fhat>/<f, f>; nan where the test error is infinite."""
    power = prediction.power.reshape(len(prediction.power), -1)
    variances = prediction.coefficient_variance.reshape(*prediction.kappa.shape, *power.shape)
    with np.errstate(invalid="ignore"):
        variance = (power * variances).sum((-2, -1)) / (power.sum() + prediction.beyond.sum()) ** 2
    return np.sqrt(np.where(np.isfinite(variance), variance, np.nan))


def _over_outputs(prediction, values):
    """Errors averaged, learnabilities weighted by power, over the outputs of a target."""
    if prediction.power.ndim == 1:
        return values
    if values is prediction.learnability:
        return values @ (prediction.power.sum(0) / prediction.power.sum())
    return values.mean(-1)
