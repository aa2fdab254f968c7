r"""What training makes of the kernel: a target under the infinite-width, the initial and the after-training tangent kernel.

The after-kernel has seen the labels of the network's training set. All three kernels are therefore judged on the points that
the network did *not* see: what would each learn of the target from n further of them? The theory of these points (per sample,
and by the eigensystem) stands beside kernel regression on random draws of n. The alignment y^T K y / (|K| y^T y), with the
Frobenius norm, is that of Cristianini et al. (2001, On kernel-target alignment).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..common.errors import require
from ..common.seeding import stream
from ..domains import domain_from, target_from
from ..domains.domain import Domain
from ..domains.samples import Samples
from ..ensembles.networks import Ensemble
from ..ensembles.tangent_kernel import TangentKernel
from ..ensembles.training.fit import fit
from ..kernels import architecture_from
from ..kernels.fully_connected import FullyConnected
from ..measurements.task import LearningTask
from ..regression.ridge import ridge_regression
from ..spectra.target import Target
from ..tables.means import Row, mean_row, table
from ..theory.finite_population import FinitePopulation
from ..theory.per_sample import PerSample
from ..theory.prediction import predict
from .entries import Entry, finite

Measured = dict[tuple[str, str], float]  # {(source, measure): value}
KERNELS = ("infinite width", "at initialisation", "after training")


def check(domain: Entry, train_size: int, **_: Any) -> None:
    """ValueError if too few points are left to judge kernels on."""
    _require_points(domain_from(domain), train_size)


def run(
    domain: Entry,
    architecture: Entry,
    target: Entry,
    width: int,
    train_size: int,
    ridge: float = 0.0,
    seeds: int = 10,
    draws: int = 5,
    training: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Train networks and compare their kernels on the points that they did not see.

    Parameters
    ----------
    domain, architecture, target : dicts; the domain is finite, with at least 2 train_size points, the target has one output
    train_size : int
        Of the networks, and of the kernel regressions on other points.
    seeds, draws : int
        Networks, each on its own training set, and draws of further points for each.
    training : dict, optional
        Settings of `learnability.ensembles.training.fit.fit`: method, target_mse, ...

    Returns
    -------
    DataFrame
        Rows "learnability" and "test_mse_off_train" for every `kernel`: sources kernel (regression), theory (per sample) and
        eigensystem, mean and spread over networks. Rows "alignment" and "alignment on the training set", source matrix.
        Rows "error with the network's samples", of kernel regression on the network's own training set, and of the network
        itself (source network, kernel "network"). Networks that did not converge are left out.
    """
    data, network = finite(domain_from(domain)), architecture_from(architecture)
    _require_points(data, train_size)
    task = LearningTask(data, {"target": target_from(data, target)})
    points, f = data.points, task.values[0]
    require(f.shape[1] == 1, f"target: {target} has {f.shape[1]} outputs, a tangent kernel has one")
    training_sets = [task.training_set(train_size, seed) for seed in range(seeds)]
    x = np.stack([training_set.points[0] for training_set in training_sets])
    y = np.concatenate([training_set.labels for training_set in training_sets])
    result = fit(network, width, x, y, points, range(seeds), keep_networks=True, **(training or {}))
    assert isinstance(network, FullyConnected) and isinstance(result.networks, Ensemble)  # no others are trained
    start, wide = Ensemble.initial(network, points[0].size, width, range(seeds)), network.kernel(points)
    measured: dict[str, list[Measured]] = {kernel: [] for kernel in (*KERNELS, "network")}
    for seed in np.flatnonzero(result.converged).tolist():
        kernels = [wide, *(TangentKernel(networks, seed).kernel(points) for networks in (start, result.networks))]
        training_set = training_sets[seed]
        trained_on, others = training_set.points[1], np.flatnonzero(training_set.off_train)
        assert trained_on is not None  # the points of a finite domain have numbers
        for name, matrix in zip(KERNELS, kernels, strict=True):
            rng = stream("further points", domain=data.identity, train_size=train_size, seed=seed)
            measured[name].append(_judged(matrix, f[:, 0], trained_on, others, ridge, draws, rng))
        error = task.errors_off_train(training_set, result.predictions[[seed]])[0]
        measured["network"].append({("network", "error with the network's samples"): error})
    return table(_rows(measured, train_size=train_size, width=width))


def _require_points(domain: Domain, train_size: int) -> None:
    require(
        domain.size is not None and domain.size >= 2 * train_size,
        f"train_size: {train_size} leaves fewer than {train_size} points of {domain} to judge kernels on",
    )


def _judged(
    matrix: Float[np.ndarray, "points points"],
    f: Float[np.ndarray, " points"],
    trained_on: Int[np.ndarray, " n"],
    others: Int[np.ndarray, " others"],
    ridge: float,
    draws: int,
    rng: np.random.Generator,
) -> Measured:
    """What one kernel makes of the target on the points that the network was not trained on."""
    n, among_others, y = len(trained_on), matrix[np.ix_(others, others)], f[others]
    on_train = matrix[np.ix_(trained_on, trained_on)]
    own = ridge_regression(on_train, matrix[np.ix_(others, trained_on)], f[trained_on], ridge)
    learnability, error = _regression(among_others, y, n, ridge, draws, rng)
    values = {
        ("kernel", "learnability"): learnability,
        ("kernel", "test_mse_off_train"): error,
        ("kernel", "error with the network's samples"): float(((y - own) ** 2).mean()),
        ("matrix", "alignment"): alignment(among_others, y),
        ("matrix", "alignment on the training set"): alignment(on_train, f[trained_on]),
    }
    spectrum = Samples(np.zeros((len(others), 1))).spectrum_of({"matrix": among_others})
    theories = {
        "theory": PerSample().solve(among_others, y, n, ridge, 0.0),
        "eigensystem": predict(spectrum, Target(values=y), n, ridge, theory=FinitePopulation(len(others))),
    }
    for source, prediction in theories.items():
        for name in ("learnability", "test_mse_off_train"):
            values[source, name] = float(getattr(prediction, name))
    return values


def _regression(
    matrix: Float[np.ndarray, "points points"],
    y: Float[np.ndarray, " points"],
    train_size: int,
    ridge: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Mean learnability and error off the training set of kernel regression on random training sets."""
    learned, errors = [], []
    for _ in range(draws):
        train = rng.permutation(len(y))[:train_size]
        row = np.full(len(y), -1)
        row[train] = np.arange(train_size)
        function = ridge_regression(matrix[np.ix_(train, train)], matrix[:, train], y[train], ridge, row)
        learned.append(y @ function / (y @ y))
        errors.append(((y - function)[row < 0] ** 2).mean())
    return float(np.mean(learned)), float(np.mean(errors))


def alignment(matrix: Float[np.ndarray, "points points"], y: Float[np.ndarray, " points"]) -> float:
    """y^T K y / (|K| y^T y), between 0 and 1: the cosine of the angle between K and y y^T as vectors."""
    return float(y @ matrix @ y / (np.linalg.norm(matrix) * (y @ y)))


def _rows(measured: Mapping[str, Sequence[Measured]], **keys: object) -> list[Row]:
    """Means over networks of every kernel, source and measure.

    Every network has a kernel, and so a theory, of its own: where kernel regression is compared, the standard error is that
    of its difference to theory.
    """
    rows = []
    for kernel, own in measured.items():
        for source, measure in dict.fromkeys(key for values in own for key in values):
            draws = np.array([values[source, measure] for values in own])
            row = mean_row(source, measure, draws, np.nan, kernel=kernel, **keys)
            if source == "kernel" and ("theory", measure) in own[0]:
                theory = np.array([values["theory", measure] for values in own])
                row |= {
                    "theory": theory.mean(),
                    "standard_error": mean_row(source, measure, draws - theory, 0)["standard_error"],
                }
            rows.append(row)
    return rows
