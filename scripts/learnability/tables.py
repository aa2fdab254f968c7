"""The tables of a study: predictions on its grid, experiments joined to them, and how far apart they are."""

import numpy as np
import pandas as pd

from .theory import predict

KEYS = ["source", "architecture", "width", "target", "ridge", "noise_std", "train_size", "seed"]
MEASURES = ["learnability", "train_mse", "test_mse", "test_mse_off_train"]


def theory_table(spectrum, targets, train_sizes, ridges, noise_stds, points=None):
    """Predictions on the grid train_sizes x ridges x noise_stds, one row per target and grid point.

    points : int, optional
        Size of a finite domain. There, n E_train + (points - n) E_off = points E_test gives the error off the
        training set, test_mse_off_train (without noise).
    """
    n, ridge, noise = (a.ravel() for a in np.meshgrid(train_sizes, ridges, noise_stds, indexing="ij"))
    parts = []
    for name, target in targets.items():
        p = predict(spectrum, target, n, ridge, noise)
        power = target.power_in(spectrum)[0]
        spread = power * p.mode_learnabilities**2 / max(power.sum(), np.finfo(float).tiny) ** 2
        test = np.where(np.isfinite(p.test_mse), p.test_mse, np.nan)
        table = {
            "target": name,
            "train_size": n,
            "ridge": ridge,
            "noise_std": noise,
            "kappa": p.kappa,
            "overfitting_coefficient": p.overfitting_coefficient,
            "learnability": p.learnability,
            "learnability_std": np.sqrt(spread.sum(-1) * test / np.where(n > 0, n, np.inf)),
            "train_mse": p.train_mse,
            "test_mse": p.test_mse,
            "test_mse_off_train": _off_train(p, points),
        }
        parts.append(pd.DataFrame(table))
    return pd.concat(parts, ignore_index=True)


def _off_train(prediction, points):
    if points is None:
        return prediction.test_mse
    n, test, train = prediction.train_size, prediction.test_mse, prediction.train_mse
    left = points - n
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((prediction.noise_std == 0) & (left > 0), (points * test - n * train) / left, np.nan)


def joined(parts):
    """All sources of a study in one table, sorted; the key columns first.

    parts : list of (DataFrame, dict of constant columns such as source, architecture, width)
    """
    table = pd.concat([part.assign(**constants) for part, constants in parts], ignore_index=True)
    keys = [key for key in KEYS if key in table]
    others = [column for column in table if column not in keys]
    return table[keys + others].sort_values(keys, kind="stable", ignore_index=True)


def agreement(table):
    """How far the experiments' means are from the theory.

    Parameters
    ----------
    table : DataFrame from `joined`

    Returns
    -------
    DataFrame
        One row per source (kernel, network), architecture, width, target, ridge, noise_std, train_size and measure:
        number of converged functions, mean, standard error, theory, z = (mean - theory) / standard error, relative =
        mean / theory - 1. z is empty where the measure does not vary.
    """
    keys = ["architecture", "target", "ridge", "noise_std", "train_size"]
    theory = table[table["source"] == "theory"].set_index(keys)[MEASURES]
    theory = theory[~theory.index.duplicated()]
    experiments = table[table["source"] != "theory"]
    usable = experiments[experiments["converged"].astype("boolean").fillna(True)]
    parts = []
    for measure in MEASURES:
        groups = usable.groupby([*keys, "source", "width"], dropna=False)[measure]
        part = groups.agg(functions="count", mean="mean", standard_error="sem").reset_index()
        part.insert(part.columns.get_loc("functions"), "measure", measure)
        part["theory"] = theory[measure].reindex(pd.MultiIndex.from_frame(part[keys])).to_numpy()
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    difference = table["mean"] - table["theory"]
    with np.errstate(divide="ignore", invalid="ignore"):
        varies = table["standard_error"] > 1e-12 * table["mean"].abs().clip(lower=1e-300)
        table["z"] = np.where(varies, difference / table["standard_error"], np.nan)
        table["relative"] = np.where(table["theory"] != 0, difference / table["theory"], np.nan)
    order = ["source", "architecture", "width", "target", "ridge", "noise_std", "train_size", "measure"]
    return table[order + ["functions", "mean", "standard_error", "theory", "z", "relative"]].sort_values(
        order, kind="stable", ignore_index=True
    )
