"""Architectures ranked by predicted error, and the ranking confirmed by kernel regression and by trained networks."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ..common.errors import require
from ..common.progress import counted
from ..domains import domain_from, target_from
from ..domains.normalisation import normalised
from ..ensembles.families import trains
from ..ensembles.training.fit import fit
from ..kernels import architecture_from
from ..kernels.activations import activation_from
from ..kernels.fully_connected import FullyConnected
from ..kernels.grid import members
from ..kernels.kernel import Kernel
from ..kernels.matrix import KernelMatrix
from ..measurements.estimates import estimated
from ..measurements.networks import network_experiment
from ..measurements.task import LearningTask
from ..selection.ranking import select
from ..selection.selection import OF_CLASSES, Selection, level_of
from ..spectra.spectrum import Spectrum
from ..tables.means import Row, mean_row, table
from ..theory.finite_population import FinitePopulation
from ..theory.prediction import predict
from .entries import Entry, finite


def check(
    train_sizes: Sequence[int],
    grid: Mapping[str, Any] | None = None,
    architectures: Mapping[str, Entry | Sequence[Entry]] | None = None,
    kernels: Sequence[str] = ("ntk",),
    width: int | None = None,
    network_sizes: Sequence[int] | None = None,
    reach: float | None = None,
    r2: float | None = None,
    **_: Any,
) -> None:
    """ValueError without candidates, if networks are asked for that cannot be trained, or at other sizes, or a level twice."""
    _level(reach, r2)
    require(bool(grid or architectures), "there is nothing to rank; give a grid, or names of architectures, or both")
    if width is None:
        return
    require(
        "ntk" in kernels, f"width: {width} with kernels {[*kernels]}: trained networks follow the ntk; leave width out"
    )
    other = [n for n in network_sizes or () if n not in train_sizes]
    require(not other, f"network_sizes: {other} are not among the train_sizes {train_sizes}")
    for name, networks in _candidates(grid, architectures).items():
        trained = all(map(trains, networks))
        require(trained, f"width: {width} with {name}, which is a kernel only; leave width out")


def _candidates(
    grid: Mapping[str, Any] | None, architectures: Mapping[str, Entry | Sequence[Entry]] | None
) -> dict[str, list[Kernel]]:
    """The kernels of each candidate, one or one per initialisation.

    Raises
    ------
    ValueError
        A candidate of the grid with the name of an architecture.
    """
    of_grid, named = members("net", grid) if grid else {}, architectures or {}
    both = ", ".join(of_grid.keys() & named.keys())
    require(not both, f"architectures: {both} is the name of a candidate of the grid, too; rename the architecture")
    entries = {**of_grid, **named}
    return {
        name: [architecture_from(one) for one in ([entry] if isinstance(entry, Mapping) else entry)]
        for name, entry in entries.items()
    }


def run(
    domain: Entry,
    target: Entry,
    train_sizes: Sequence[int],
    grid: Mapping[str, Any] | None = None,
    architectures: Mapping[str, Entry | Sequence[Entry]] | None = None,
    ridge: float = 0.0,
    kernels: Sequence[str] = ("ntk",),
    seeds: int = 10,
    width: int | None = None,
    network_seeds: int = 3,
    network_sizes: Sequence[int] | None = None,
    reach: float | None = None,
    r2: float | None = None,
) -> pd.DataFrame:
    """Rank all candidates, measure all of them by kernel regression, train the best, the median and the worst.

    Parameters
    ----------
    domain, target : dicts; the domain is finite
    grid : dict, optional
        Parameters of an architecture, lists where there are several values (`learnability.kernels.grid`).
    architectures : list of names from the section `architectures`, optional
        Ranked beside the grid: lists of layers, modules of PyTorch, radial kernels. Of several initialisations errors are
        averaged. In Python a dict of name to the architecture's entry, or to those of its initialisations.
    seeds, network_seeds : int
        Training sets for kernel regression and for networks.
    width : int, optional
        Of trained networks; missing: none are trained.
    network_sizes : list of int, optional
        Of the train_sizes, those at which networks are trained; missing: all.
    reach, r2 : float, optional
        The normalised error, or R2 = 1 - reach in its place, for which the samples needed are listed; missing: reach 0.5.

    Returns
    -------
    DataFrame
        Rows "test_mse_off_train" against candidate, kernel_kind and train_size: sources kernel and network beside the
        prediction (theory), eigensystem (spectrum alone), gcv and leave-one-out (from the training sets); nmse is the mean
        over the labels' variance. Rows "best" per train_size: the candidate of least predicted error (mean and nmse: the
        normalised one), its runner_up, margin and margin_error. Rows "samples needed" per candidate to reach nmse, with
        their standard_error (see `learnability.selection.selection.Selection`). theory_spread is the standard deviation of
        the prediction over initialisations. Rows "rank correlation" (Spearman, of a
        source with the measured errors) against train_size. Rows "seconds": the ranking as a whole, and the training of
        all candidates, as estimated from those that were trained.
    """
    train_sizes, kernels = [*dict.fromkeys(train_sizes)], [*dict.fromkeys(kernels)]
    data = finite(domain_from(domain))
    labels = target_from(data, target)
    task = LearningTask(data, {"target": labels})
    networks = _candidates(grid, architectures)
    ranking = select(data, networks, labels, train_sizes, [ridge], kernels=kernels)
    rows: list[Row] = [{"source": "theory", "measure": "seconds", "mean": ranking.seconds}]
    by_candidate = ranking.table.set_index(["architecture", "kernel", "train_size"])
    predicted = by_candidate["test_mse"]
    for kind, (name, network) in counted(product(kernels, networks.items()), "kernel regression of candidates"):
        both = [(KernelMatrix.on(data, one, kind), data.spectrum(one, kind)) for one in network]
        keys = {"candidate": name, "kernel_kind": kind, **_shape(network[0])}
        for n in train_sizes:
            if len(network) > 1:
                keys["theory_spread"] = by_candidate["spread"][name, kind, n] * ranking.variances.mean()
            rows += _measured(task, both, n, ridge, seeds, predicted[name, kind, n], keys)
    rows += _correlations(rows, train_sizes)
    if width is not None:
        firsts = {name: network for name, (network, *_) in networks.items()}
        rows += _trained(task, firsts, predicted, network_sizes or train_sizes, width, network_seeds)
    for row in rows:
        if row["measure"] == "test_mse_off_train":
            row["nmse"] = float(normalised(row["mean"], ranking.variances.mean()))
    return table([*rows, *_recommended(ranking, _level(reach, r2))])


def _level(reach: float | None, r2: float | None) -> float:
    """The normalised error for which the samples needed are listed."""
    return 0.5 if reach is None and r2 is None else level_of(reach, r2)


def _shape(network: Kernel) -> dict[str, str | float]:
    """Activation and depth; of a kernel without any its kind."""
    if not isinstance(network, FullyConnected):
        return {"activation": type(network).__name__.lower(), "depth": np.nan}
    return {"activation": activation_from(network.activation).name, "depth": network.depth}


def _recommended(ranking: Selection, level: float) -> list[Row]:
    """The best candidate of each size with its margin, and the samples that each candidate needs."""
    best = ranking.best().drop(columns=["ridge", "test_mse", "test_mse_std", *OF_CLASSES]).assign(measure="best")
    best["mean"] = best["nmse"]
    needed = ranking.samples_needed(level).drop(columns="ridge").rename(columns={"samples": "mean"})
    both = pd.concat([best, needed.assign(measure="samples needed", nmse=level)]).assign(source="theory")
    names = {"architecture": "candidate", "kernel": "kernel_kind"}
    return [
        {key: value for key, value in row.items() if not pd.isna(value)}
        for row in both.rename(columns=names).to_dict("records")
    ]


def _measured(
    task: LearningTask,
    initialisations: Sequence[tuple[KernelMatrix, Spectrum]],
    n: int,
    ridge: float,
    seeds: int,
    predicted: float,
    keys: Mapping[str, Any],
) -> list[Row]:
    """One candidate at one size: kernel regression off the training set, and the estimates of its error.

    All are means over initialisations, with their errors over training sets.
    """
    tables = [
        pd.DataFrame([estimated(task, matrix, n, seed, ridge) for seed in range(seeds)])
        for matrix, _ in initialisations
    ]
    measured = sum(tables[1:], tables[0]) / len(tables)
    keys, (target,) = {**keys, "train_size": n}, task.targets.values()
    system = FinitePopulation(len(task.test[0]))
    error = np.mean([predict(one, target, n, ridge, theory=system).test_mse_off_train for _, one in initialisations])
    rows: list[Row] = [{"source": "eigensystem", "measure": "test_mse_off_train", **keys, "mean": float(error)}]
    columns = {"kernel": "test_mse_off_train", "gcv": "gcv", "leave-one-out": "leave_one_out"}
    for source, column in columns.items():
        theory = predicted if source == "kernel" else np.nan
        rows.append(mean_row(source, "test_mse_off_train", measured[column].dropna(), theory, **keys))
    return rows


def _correlations(rows: Sequence[Row], train_sizes: Sequence[int]) -> list[Row]:
    """Spearman's correlation of each source's ranking with the measured one."""
    correlations = []
    for n in train_sizes:
        of_size = [row for row in rows if row.get("train_size") == n]
        measured = [row for row in of_size if row["source"] == "kernel"]
        ranked = {"theory": [row["theory"] for row in measured]}
        for source in ("eigensystem", "gcv", "leave-one-out"):
            ranked[source] = [row["mean"] for row in of_size if row["source"] == source]
        means = [row["mean"] for row in measured]
        for source, values in ranked.items():
            if len(means) > 1:
                value = float(stats.spearmanr(values, means, nan_policy="omit").statistic)
                correlations.append({"source": source, "measure": "rank correlation", "train_size": n, "mean": value})
    return correlations


def _trained(
    task: LearningTask,
    networks: Mapping[str, Kernel],
    predicted: pd.Series,
    train_sizes: Sequence[int],
    width: int,
    seeds: int,
) -> list[Row]:
    """Networks of the best, the median and the worst candidate at each size, and what training all would have taken."""
    rows, seconds = [], 0.0
    for n in train_sizes:
        ranked = predicted.xs(("ntk", n), level=("kernel", "train_size")).sort_values(kind="stable")
        chosen = dict.fromkeys([ranked.index[0], ranked.index[len(ranked) // 2], ranked.index[-1]])
        began = perf_counter()
        for name in counted(chosen, f"networks of width {width}, n = {n}"):
            table, _, _ = network_experiment(
                task.domain, task.targets, n, [0.0], range(seeds), partial(fit, networks[name], width)
            )
            errors = table["test_mse_off_train"].where(table["converged"])
            keys = {"candidate": name, "kernel_kind": "ntk", "train_size": n, "width": width, **_shape(networks[name])}
            rows.append(mean_row("network", "test_mse_off_train", errors, ranked[name], **keys))
        seconds += (perf_counter() - began) / len(chosen) * len(ranked)
    return [*rows, {"source": "network", "measure": "seconds", "mean": seconds}]
