"""Predictions as rows of a study's table."""

import numpy as np
import pandas as pd

from ..theory.prediction import predict
from ..theory.statistics import off_training_mse, sign_accuracy


def theory_table(spectrum, targets, train_sizes, ridges, noise_stds, points=None, signs=()):
    """Predictions on the grid train_sizes x ridges x noise_stds, one row per target and grid point.

    Parameters
    ----------
    points : int, optional
        Size of a finite domain, for the error off the training set.
    signs : collection of target labels
        Targets with values +-1, for which the accuracy is predicted.
    """
    n, ridge, noise = (a.ravel() for a in np.meshgrid(train_sizes, ridges, noise_stds, indexing="ij"))
    parts = []
    for name, target in targets.items():
        p = predict(spectrum, target, n, ridge, noise)
        total, power = p.power.sum() + p.beyond.sum(), p.power.reshape(len(spectrum), -1)
        test, train, learned = (_over_outputs(p, a) for a in (p.test_mse, p.train_mse, p.learnability))
        with np.errstate(invalid="ignore"):  # Var of <f, fhat>/<f, f>; infinite test errors have no spread to draw
            spread = (power * p.mode_learnabilities[..., None] ** 2).sum(-2)
            variance = (spread * p.test_mse.reshape(len(n), -1)).sum(-1) / total**2 / np.where(n > 0, n, np.inf)
        table = {
            "target": name,
            "train_size": n,
            "ridge": ridge,
            "noise_std": noise,
            "kappa": p.kappa,
            "overfitting_coefficient": p.overfitting_coefficient,
            "learnability": learned,
            "learnability_std": np.sqrt(np.where(np.isfinite(variance), variance, np.nan)),
            "train_mse": train,
            "test_mse": test,
            "test_mse_off_train": test,
            "accuracy": np.nan,
        }
        if points is not None:
            table["test_mse_off_train"] = off_training_mse(test, train, n, points, noise)
            if name in signs:
                table["accuracy"] = sign_accuracy(p, points)
        parts.append(pd.DataFrame(table))
    return pd.concat(parts, ignore_index=True)


def _over_outputs(prediction, values):
    """Errors averaged, learnabilities weighted by power, over the outputs of a target."""
    if prediction.power.ndim == 1:
        return values
    if values is prediction.learnability:
        return values @ (prediction.power.sum(0) / prediction.power.sum())
    return values.mean(-1)
