"""Spectrum and learning curve from data statistics alone, against the kernel matrix and kernel regression.

"theory" is the ansatz with its leading modes mixed as on Gaussian data, "paper" the ansatz as published
(`learnability.spectra.hermite_ansatz`). Both see a data set's covariance and some of its labels, and no kernel matrix.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..domains import domain_from, target_from
from ..domains.samples import Samples
from ..kernels import architecture_from
from ..kernels.kernel import Kernel
from ..regression.ridge import kernel_regression
from ..spectra.hermite_ansatz import hermite_ansatz
from ..tables.means import Row, curve, mean_row, table
from ..theory.eigenlearning import Eigenlearning
from ..theory.prediction import Prediction, predict
from .entries import Entry, of_kind


def run(
    domain: Entry,
    architecture: Entry,
    target: Entry,
    train_sizes: Sequence[int],
    ridge: float = 1e-3,
    labels: int = 4000,
    seeds: int = 20,
    test_points: int = 1000,
    mixed: int = 1000,
    spectrum_samples: int = 1000,
) -> pd.DataFrame:
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
    data, network = of_kind(domain_from(domain), Samples), architecture_from(architecture)
    f = np.asarray(target_from(data, target).values)
    f = f.reshape(len(f), -1)
    f = f / np.sqrt((f**2).mean(0).sum())
    x, index = data.sample(min(labels, data.size), 0)
    ansatz = {
        "theory": hermite_ansatz(network, x, f[index], mixed=mixed),
        "paper": hermite_ansatz(network, x, f[index], mixed=0),
    }
    grid = np.unique(np.concatenate([np.geomspace(min(train_sizes), max(train_sizes), 60), train_sizes]))
    curves = {}
    for source, (spectrum, power) in ansatz.items():
        assert power is not None  # labels have one
        curves[source] = _errors(predict(spectrum, power, grid, ridge, theory=Eigenlearning()))
    rows: list[Row] = []
    for source, values in curves.items():
        rows += curve("test_mse", grid, values, "train_size", source=source)
    for n in train_sizes:
        errors = [_measured(data, network, f, n, seed, ridge, test_points) for seed in range(seeds)]
        theory, paper = (values[np.searchsorted(grid, n)] for values in curves.values())
        rows.append({**mean_row("kernel", "test_mse", errors, theory, train_size=n), "paper": paper})
    x = x[:spectrum_samples]
    ranks = np.unique(np.geomspace(1, len(x) // 3, 40).astype(int))
    eigenvalues = {source: spectrum.eigenvalues for source, (spectrum, _) in ansatz.items()}
    eigenvalues["kernel"] = np.linalg.eigvalsh(network.kernel(x) / len(x))
    for source, values in eigenvalues.items():
        rows += curve("eigenvalue", ranks, np.sort(values)[::-1][ranks - 1], "rank", source=source)
    return table(rows)


def _errors(prediction: Prediction) -> Float[np.ndarray, " grid"]:
    """The test error, summed over outputs."""
    return prediction.test_mse.reshape(len(prediction.test_mse), -1).sum(1)


def _measured(
    data: Samples,
    network: Kernel,
    f: Float[np.ndarray, "points outputs"],
    train_size: int,
    seed: int,
    ridge: float,
    test_points: int,
) -> float:
    """The error of kernel regression on samples off the training set."""
    _, index = data.sample(train_size + test_points, seed)
    assert index is not None  # samples have numbers
    train, test = index[:train_size], index[train_size:]
    learned = kernel_regression(network, data.points[train], f[train], data.points[test], ridge)
    return float(((learned - f[test]) ** 2).mean(0).sum())
