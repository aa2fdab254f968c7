"""Spectrum and learning curve from data statistics alone, against the kernel matrix and kernel regression.

"theory" is the ansatz with its leading modes mixed as on Gaussian data, "paper" the ansatz as published
(`learnability.spectra.hermite_ansatz`). Both see a data set's covariance and some of its labels, and no kernel matrix.
"""

import numpy as np

from ..domains import domain_from, target_from
from ..kernels import architecture_from
from ..regression.ridge import kernel_regression
from ..spectra.hermite_ansatz import hermite_ansatz
from ..tables.means import mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import predict


def run(
    domain, architecture, target, train_sizes, ridge=1e-3, labels=4000, seeds=20, test_points=1000, mixed=1000,
    spectrum_samples=1000,
):  # fmt: skip
    """Predict from the statistics of a data set, and measure on other samples of it.

    Parameters
    ----------
    domain : dict, of a data set with at least max(train_sizes) + test_points samples
    architecture, target : dicts
    labels : int
        Samples whose covariance and labels the prediction sees.
    seeds, test_points : int
        Training sets, and samples off each of them on which the error is measured.
    spectrum_samples : int
        Of the kernel matrix whose eigenvalues are compared.

    Returns
    -------
    DataFrame
        Rows "test_mse" against train_size, in units of the target's power, and "eigenvalue" against rank, of sources
        kernel (theory: mixed; paper: as published), theory and paper (curves).
    """
    data, network = domain_from(domain), architecture_from(architecture)
    f = np.asarray(target_from(data, target).values)
    f = f.reshape(len(f), -1)
    f = f / np.sqrt((f**2).mean(0).sum())
    seen = data.sample(min(labels, data.size), 0)[1]
    x, y = data.points[seen], f[seen]
    found = {
        "theory": hermite_ansatz(network, x, y, mixed=mixed),
        "paper": hermite_ansatz(network, x, y, mixed=0),
    }
    rows = []
    grid = np.unique(np.concatenate([np.geomspace(min(train_sizes), max(train_sizes), 60), train_sizes]))
    paper = Eigenlearning()
    curves = {source: _errors(predict(*ansatz, grid, ridge, theory=paper)) for source, ansatz in found.items()}
    for source, values in curves.items():
        rows += [_row(source, "test_mse", value, train_size=n) for n, value in zip(grid, values, strict=True)]
    for n in train_sizes:
        errors = [_measured(data, network, f, n, seed, ridge, test_points) for seed in range(seeds)]
        theory, paper = (values[np.searchsorted(grid, n)] for values in curves.values())
        rows.append({**mean_row("kernel", "test_mse", errors, theory, train_size=n), "paper": paper})
    x = x[:spectrum_samples]
    eigenvalues = np.linalg.eigvalsh(network.kernel(x) / len(x))[::-1]
    ranks = np.unique(np.geomspace(1, len(x) // 3, 40).astype(int))
    descending = {source: np.sort(spectrum.eigenvalues)[::-1] for source, (spectrum, _) in found.items()}
    for source, values in descending.items():
        rows += [_row(source, "eigenvalue", values[rank - 1], rank=rank) for rank in ranks]
    rows += [_row("kernel", "eigenvalue", eigenvalues[rank - 1], rank=rank) for rank in ranks]
    return table(rows)


def _row(source, measure, value, **keys):
    return {"source": source, "measure": measure, **keys, "mean": float(value)}


def _errors(prediction):
    """The test error, summed over outputs."""
    return prediction.test_mse.reshape(len(prediction.test_mse), -1).sum(1)


def _measured(data, network, f, train_size, seed, ridge, test_points):
    """The error of kernel regression on samples off the training set."""
    _, index = data.sample(train_size + test_points, seed)
    train, test = index[:train_size], index[train_size:]
    learned = kernel_regression(network, data.points[train], f[train], data.points[test], ridge)
    return ((learned - f[test]) ** 2).mean(0).sum()
