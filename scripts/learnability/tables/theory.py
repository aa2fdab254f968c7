"""Predictions as rows of a study's table."""

import numpy as np
import pandas as pd

from ..domains.normalisation import variances
from ..theory.per_sample import predict_samples
from ..theory.prediction import predict
from ..theory.statistics import off_training_mse, sign_accuracy


def domain_table(domain, targets, spectrum, matrix, train_sizes, sample_sizes, ridges, noise_stds, population="domain"):
    """The theory's rows of a study: on a data set that of its samples, and the spectrum's beside it as "eigensystem".

    Parameters
    ----------
    domain : Domain, targets : dict of label to Target on it
    spectrum : Spectrum; matrix : (M, M), the kernel on a data set, not used elsewhere
    train_sizes, sample_sizes : of the theory that knows the spectrum, and of the one that knows the samples
    population : "domain" or "infinite"
        Whether training sets are drawn without replacement from the points of a finite domain.
    """
    signs = [name for name, target in targets.items() if _is_of_signs(target(*domain.evaluation()))]
    drawn_from = domain.size if population == "domain" else None
    table = theory_table(spectrum, targets, train_sizes, ridges, noise_stds, domain.size, signs, drawn_from)
    if drawn_from and not domain.alike:
        per_sample = sample_table(matrix, targets, sample_sizes, ridges, noise_stds)
        table = pd.concat([per_sample, table.assign(source="eigensystem")], ignore_index=True)
    return _with_variance(table, domain, targets)


def _is_of_signs(values):
    """Whether a target's values (points,) or (points, 1) are all +-1; of several outputs there is no accuracy of signs."""
    return values.size == len(values) and bool((abs(values) == 1).all())


def large_table(domain, targets, spectra, train_sizes, ridges, noise_stds, population="domain"):
    """The theory's rows on a data set too large for its matrix.

    Parameters
    ----------
    spectra : dict of label to LargeSpectrum, as `learnability.large_spectrum` makes them from the targets
    others : as of `domain_table`
    """
    drawn_from, parts = domain.size if population == "domain" else None, []
    for name, large in spectra.items():
        grid = (train_sizes, ridges, noise_stds)
        parts.append(theory_table(large.spectrum, {name: large.target}, *grid, domain.size, population=drawn_from))
    return _with_variance(pd.concat(parts, ignore_index=True), domain, targets)


def _with_variance(table, domain, targets):
    spread = {name: variances(domain, target).mean() for name, target in targets.items()}
    return table.assign(target_variance=table["target"].map(spread))


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
            "source": "theory",
            **_accuracies(p, points if name in signs else None),
            "population": np.inf if population is None else float(population),
        }
        parts.append(pd.DataFrame(table))
    return pd.concat(parts, ignore_index=True)


def _accuracies(prediction, points):
    """Accuracies of a target of signs on a finite domain; nan where `points`, its size, is None."""
    return {
        "accuracy": np.nan if points is None else sign_accuracy(prediction, points),
        "accuracy_off_train": np.nan if points is None else sign_accuracy(prediction, points, off_train=True),
    }


def sample_table(matrix, targets, train_sizes, ridges, noise_stds):
    """Predictions of the per-sample theory on the grid train_sizes x ridges x noise_stds, columns as `theory_table`.

    Parameters
    ----------
    matrix : (M, M), the kernel on all samples
    targets : dict of label to Target known by its values on them
    """
    grid = np.meshgrid(train_sizes, ridges, noise_stds, indexing="ij")
    parts = []
    for name, target in targets.items():
        p = predict_samples(matrix, target.values, *grid)
        several = target.values.ndim == 2
        power = (target.values**2).mean(0)
        table = {name: getattr(p, name) for name in ("train_mse", "test_mse", "test_mse_off_train")}
        table = {name: values.mean(-1) if several else values for name, values in table.items()}
        table["learnability"] = p.learnability @ (power / power.sum()) if several else p.learnability
        columns = dict(zip(("train_size", "ridge", "noise_std"), grid, strict=True)) | table
        columns |= {"accuracy": p.accuracy, "accuracy_off_train": p.accuracy_off_train}
        columns = {column: np.ravel(values) for column, values in columns.items()}
        parts.append(pd.DataFrame(columns).assign(target=name, source="theory", population=float(len(matrix))))
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
