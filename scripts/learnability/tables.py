"""The tables of a study: predictions on its grid, experiments joined to them, and how far apart they are."""

import numpy as np
import pandas as pd

from .statistics import off_training_mse, sign_accuracy
from .theory import predict

KEYS = ["source", "architecture", "width", "target", "ridge", "noise_std", "train_size", "seed"]
MEASURES = ["learnability", "train_mse", "test_mse", "test_mse_off_train", "accuracy"]


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
        total = p.power.sum() + p.beyond.sum()
        test, train, learned = (_over_outputs(p, a) for a in (p.test_mse, p.train_mse, p.learnability))
        with np.errstate(invalid="ignore"):  # Var of <f, fhat>/<f, f>; infinite test errors have no spread to draw
            spread = (p.power * p.mode_learnabilities[..., None] ** 2).sum(-2)
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
    if prediction.squeeze:
        return values
    if values is prediction.learnability:
        return values @ (prediction.power.sum(0) / prediction.power.sum())
    return values.mean(-1)


def joined(parts):
    """All sources of a study in one table, sorted; the key columns first.

    parts : list of (DataFrame, dict of constant columns such as source, architecture, width)
    """
    table = pd.concat([part.assign(**constants) for part, constants in parts], ignore_index=True)
    others = [column for column in table if column not in KEYS]
    if "converged" not in others:  # no networks
        others.append("converged")
    return table.reindex(columns=KEYS + others).sort_values(KEYS, kind="stable", ignore_index=True)


def agreement(table):
    """How far the experiments' means are from the theory.

    Parameters
    ----------
    table : DataFrame from `joined`, or an experiment's (see `learnability.experiments.results`)

    Returns
    -------
    DataFrame
        One row per source (kernel, network), architecture, width, target, ridge, noise_std, train_size and measure:
        number of converged functions, mean, standard error, theory, z = (mean - theory) / standard error, relative =
        mean / theory - 1. z is empty where the measure does not vary.
    """
    if "measure" in table:
        table = table.reindex(columns=dict.fromkeys([*table, "theory", "standard_error", "functions"]))
        return _distances(table[table["theory"].notna() & table["mean"].notna() & (table["source"] != "theory")].copy())
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
    return _distances(pd.concat(parts, ignore_index=True))


def _distances(table):
    """Add z and relative errors to means, standard errors and theory; sort, and drop what was not measured."""
    table = table[table["functions"] > 0]
    difference = table["mean"] - table["theory"]
    with np.errstate(divide="ignore", invalid="ignore"):
        varies = table["standard_error"] > 1e-12 * table["mean"].abs().clip(lower=1e-300)
        z = np.where(varies, difference / table["standard_error"], np.nan)
        relative = np.where(table["theory"] != 0, difference / table["theory"], np.nan)
    order = ["source", "architecture", "width", "target", "ridge", "noise_std", "train_size", "measure"]
    columns = [*order, "functions", "mean", "standard_error", "theory", "z", "relative"]
    table = table.assign(z=z, relative=relative).reindex(columns=columns)
    return table.sort_values(order, kind="stable", ignore_index=True)
