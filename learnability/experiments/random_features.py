r"""Networks of finite width whose last layer alone is trained: n samples, k features, theory and experiment.

One hidden layer of k units at its initial weights is a draw of k random features phi(w.x + b) / sqrt(k), whose kernel is
the NNGP kernel on average. Ridge regression on them is averaged over training sets and initial weights together, and
set against the random-feature eigenframework, which knows the NNGP spectrum only (`learnability.theory.random_features`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from ..domains import target_from
from ..domains.domain import FiniteDomain
from ..domains.kernel_on_domain import KernelOnDomain
from ..ensembles.networks import Ensemble, as_tensor
from ..kernels.fully_connected import FullyConnected
from ..regression.ridge import minimum_norm_solve, ridge_regression
from ..spectra.target import Target
from ..tables.means import curve, mean_row, table
from ..theory.prediction import predict
from ..theory.random_features import RandomFeatures
from .entries import Entry, Files, finite


def run(
    domain: Entry,
    architecture: Entry,
    target: Entry,
    train_sizes: Sequence[int],
    features: Sequence[int],
    ridges: Sequence[float],
    draws: int = 100,
    files: Files | None = None,
) -> pd.DataFrame:
    """Test error over the plane of training sizes and features.

    Parameters
    ----------
    domain, architecture, target : dicts; a finite domain, one hidden layer
    train_sizes, features : lists of int
    ridges : list of float
    draws : int
        Training sets, each with weights of its own.

    Returns
    -------
    DataFrame
        Rows "test_mse" with columns train_size, features, ridge; sources theory (on a finer grid) and kernel (experiment).
    """
    learner = KernelOnDomain.of(domain, architecture, "nngp", files)
    listed, network = finite(learner.domain), learner.architecture
    if not isinstance(network, FullyConnected) or network.depth != 1:
        raise ValueError(f"the NNGP kernel has independent features at depth 1 only, got {network!r}")
    function = target_from(listed, target)
    widths = np.unique(np.concatenate([np.geomspace(min(features) / 2, max(features) * 2, 150), train_sizes, features]))
    sizes = np.unique(np.concatenate([np.geomspace(min(train_sizes), max(train_sizes), 40), train_sizes]))
    rows = []
    for ridge in map(float, ridges):
        keys: dict[str, Any] = {"target": function.name, "ridge": ridge}
        theory = predict(learner.spectrum, function, sizes[:, None], ridge, theory=RandomFeatures(widths)).test_mse
        theory = theory.reshape(len(sizes), len(widths))  # of a target with one output
        for size, values in zip(sizes.tolist(), theory, strict=True):
            rows += curve("test_mse", widths, values, "features", **keys, train_size=size)
            for width in features if size in train_sizes else ():
                errors = draw_errors(listed, network, function, int(size), width, ridge, draws)
                expected = values[np.searchsorted(widths, width)]
                rows.append(mean_row("kernel", "test_mse", errors, expected, **keys, train_size=size, features=width))
    return table(rows)


def draw_errors(
    domain: FiniteDomain,
    architecture: FullyConnected,
    target: Target,
    train_size: int,
    features: int,
    ridge: float,
    draws: int,
) -> Float[np.ndarray, " draws"]:
    """Test errors over the whole domain, (draws,)."""
    truth = np.asarray(target(*domain.evaluation()), dtype=float).reshape(domain.size)
    errors = np.empty(draws)
    for draw in range(draws):
        _, index = domain.sample(train_size, draw)
        values = hidden_features(architecture, domain.points, features, draw)
        learned = regression(values[index], truth[index], values, ridge)
        errors[draw] = ((learned - truth) ** 2).mean()
    return errors


def hidden_features(
    architecture: FullyConnected, x: Float[np.ndarray, "points ..."], features: int, seed: int
) -> Float[np.ndarray, "points features"]:
    """phi(w.x + b) / sqrt(k) of one network at initialisation, (points, features) float64."""
    x = x.reshape(len(x), -1)
    network = Ensemble.initial(architecture, x.shape[1], features, [seed], dtype=torch.float64)
    inputs = network.evaluate(as_tensor(x, torch.float64, "cpu")).inputs
    return inputs[-1][0].numpy() / np.sqrt(features)


def regression(
    train: Float[np.ndarray, "n features"],
    labels: Float[np.ndarray, " n"],
    test: Float[np.ndarray, "points features"],
    ridge: float,
) -> Float[np.ndarray, " points"]:
    """Ridge regression on k features, solved in the smaller of n and k dimensions; least norm at ridge 0."""
    if len(train) <= train.shape[1]:
        return ridge_regression(train @ train.T, test @ train.T, labels, ridge)
    matrix = train.T @ train + ridge * np.eye(train.shape[1])
    return test @ minimum_norm_solve(matrix, train.T @ labels)
