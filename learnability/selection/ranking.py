"""Rank architectures by the test error that theory predicts, without training a network.

The theory is the one that `learnability.curves.choice` takes. The error is the one off the training set, where the domain is
finite. Where the theory knows the samples of a data set, the difference of two candidates has a standard error: both are
predicted for the same samples, whose errors differ by so much that another draw of the data would move their means.

What a candidate costs grows with the third power of the samples that it is predicted from. A fast ranking of a large data set
takes only as many as the largest training set needs, twice as many and at least 1024, the same for all candidates. They are
drawn systematically, in equal steps from a random start through the samples in order of their labels' distance from the mean:
errors go with that distance, and each sample has the same probability.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from time import perf_counter
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Int
from numpy.typing import ArrayLike

from ..common.conditioning import one_warning
from ..common.errors import choose, real, reals, require, warn_caller
from ..common.progress import counted
from ..common.seeding import stream
from ..common.threads import one_thread
from ..curves.beyond import checks
from ..curves.scatter import scatter
from ..curves.test_set import TestSet
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..domains.normalisation import normalised, variances
from ..domains.samples import Samples
from ..kernels.matrix import LARGEST_MATRIX
from ..kernels.odd import misses_the_mean, remark
from ..spectra.target import Target
from ..theory.per_sample import PerSample
from .candidate import initialisations, predicted
from .selection import KEY, PARAMETERS, Selection

SEEN, TIMES = 1024, 2  # samples of a large data set, at least; times the largest training set


@one_thread
def select(
    domain: Domain,
    architectures: Mapping[str, Any],
    target: Target,
    train_sizes: Sequence[float] | ArrayLike,
    ridges: Sequence[float] | ArrayLike | Literal["auto"] = (0.0,),
    noise_std: float = 0.0,
    kernels: Sequence[str] = ("ntk",),
    by: str = "error",
    fast: bool = False,
    test_set: tuple[ArrayLike, ArrayLike] | None = None,
) -> Selection:
    """Rank architectures by predicted test error, from the equations of `learnability.theory` for spectra and for samples.

    Errors are those of `learnability.learning_curve`. On a data set each candidate costs a kernel matrix (M, M) and a few
    factorizations per training size. M are its samples, at most 4096.

    Parameters
    ----------
    domain : Hypercube, Circle, Hypersphere or Samples
    architectures : dict of name to architecture, or to a list of them
        See `learnability.kernels.grid.expanded` for grids. A list is one candidate: a network's kernels at several
        initialisations, `[lb.TorchModule(factory, seed) for seed in range(3)]`, whose predicted errors are averaged.
    target : Target on the domain, with one output or several
    train_sizes, ridges : sequences of numbers
        Each ridge makes a candidate of its own. What is repeated, here and among the kernels, counts once. Of a data set
        ridges may be "auto": the best ridge of each architecture, kernel and size (`learnability.theory.best_ridge`).
    noise_std : float
        Of label noise that the labels do not hold yet; data sets have their own.
    kernels : sequence of "ntk" (networks trained to the end) and "nngp" (Bayesian networks, or only the readout trained)
    by : "error" or "accuracy"
        What candidates are ranked by; accuracy where labels are classes.
    fast : bool
        Take as few samples of a large data set as the largest training size needs: twice as many, at least 1024. Errors then
        have the sampling error `Selection.sampling_error` beside that of the data set itself.
    test_set : ((T, ...), (T,) or (T, outputs)), optional
        Points and labels, see `learnability.learning_curve`: candidates are ranked by their errors or accuracies there.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        No candidates or sizes; numbers that are negative or not finite; sizes that do not fit the domain; an accuracy where
        labels are no classes; see `learnability.predict` and `learnability.predict_samples`.

    Warns
    -----
    UserWarning
        Regression on random training sets contradicts the best candidate's error at the largest size (`Selection.remarks`).

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=6)
    >>> networks = {"shallow": lb.FullyConnected(1), "deep": lb.FullyConnected(4)}
    >>> selection = lb.select(cube, networks, cube.parity(2), train_sizes=[16], ridges=[0.0, 0.1])
    >>> selection.table[["architecture", "ridge", "nmse", "rank"]].round(3)
      architecture  ridge   nmse  rank
    0      shallow    0.0  0.757     1
    1      shallow    0.1  0.794     2
    2         deep    0.0  0.924     3
    3         deep    0.1  0.928     4
    """
    require(len(architectures) > 0 and len(kernels) > 0, "there is no architecture or kernel to choose from")
    kernels = [*dict.fromkeys(choose("kernel", kernel, ("ntk", "nngp")) for kernel in kernels)]
    choose("by", by, ("error", "accuracy"))
    sizes, noise_std = _distinct("train_sizes", train_sizes), real("noise_std", noise_std)
    automatic = isinstance(ridges, str)
    ridge_values = [choose("ridges", str(ridges), ["auto"])] if automatic else _distinct("ridges", ridges)
    require(
        domain.size is None or max(sizes) <= domain.size,
        f"train_sizes: candidates are ranked at sizes up to the {domain.size} points of {domain}, got {max(sizes):g}; rank at "
        "what there is, and ask learning_curve how far more samples take the best",
    )
    tests = None if test_set is None else TestSet.of(test_set, domain, target)
    spread = (variances(domain, target) if tests is None else tests.distances) + noise_std**2
    rows, errors = [], {}
    began = perf_counter()
    kernels_of = {name: initialisations(name, one) for name, one in architectures.items()}
    labels = target(*domain.evaluation())
    odd = [name for name, (network, *_) in kernels_of.items() if misses_the_mean(network, labels)]
    if odd:
        warn_caller(remark(odd, target.name))
    seen, aim, samples = _seen(domain, target, max(sizes)) if fast else (domain, target, None)
    for (name, networks), kernel in counted(product(kernels_of.items(), kernels), "kernels"):
        for mean in predicted(seen, networks, kernel, aim, sizes, ridge_values, noise_std, tests):
            for number, train_size in enumerate(sizes):
                key = (name, kernel, float(mean.ridge[number]), train_size)
                error, std = normalised([mean.test_mse[number], mean.spread[number]], spread.mean()).tolist()
                several = {"spread": std, "initialisations": len(networks)} if len(networks) > 1 else {}
                scores = {"test_mse": mean.test_mse[number], "nmse": error, "accuracy": mean.accuracy[number]}
                rows.append({**dict(zip(KEY, key)), **scores, "theory": mean.theory[number], **several})
                if mean.point_errors is not None and np.isfinite(mean.point_errors[number]).all():
                    errors[key] = mean.point_errors[number]
            if samples is None and mean.samples is not None and len(mean.samples) < (domain.size or 0):
                samples = mean.samples
    table = _ranked(pd.DataFrame(rows), by)
    with one_warning():  # of dozens of training sets
        remarks, scattered = _checked(
            table, seen, aim, {name: first for name, (first, *_) in kernels_of.items()}, noise_std, tests
        )
    parameters = [name for name in PARAMETERS if name != "ridge" or not automatic]
    seconds, on_test_set = perf_counter() - began, tests is not None
    return Selection(table, seconds, errors, spread, by, parameters, samples, remarks, scattered, on_test_set)


def _seen(domain: Domain, target: Target, largest: float) -> tuple[Domain, Target, Int[np.ndarray, " samples"] | None]:
    """Of a large data set the samples that training sets up to a size are predicted from, the target there, and which."""
    most = int(max(TIMES * largest, SEEN))
    if domain.alike or domain.size is None or domain.size <= most or largest > LARGEST_MATRIX:
        return domain, target, None
    rng = stream("samples of a ranking", domain=domain.identity)
    order = rng.permutation(domain.size)
    order = order[np.argsort(variances(domain, target)[order], kind="stable")]
    most = min(most, LARGEST_MATRIX)
    steps = (np.arange(most) + rng.random()) * domain.size / most
    index = np.sort(order[steps.astype(int)])
    samples = Samples(domain.evaluation()[0][index])
    return samples, samples.target(np.asarray(target.values)[index], target.name), index


def _ranked(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Rows in the order of their rank at each training size."""
    if by == "accuracy":
        require(
            table["accuracy"].notna().all(),
            "by accuracy: it is predicted where labels are classes, by the theory of samples or on a finite domain; rank by "
            "error",
        )
    column, rising = ("accuracy", False) if by == "accuracy" else ("test_mse", True)
    table = table.sort_values(["train_size", column], ascending=[True, rising], kind="stable", ignore_index=True)
    table["rank"] = table.groupby("train_size").cumcount() + 1
    return table


def _checked(
    table: pd.DataFrame,
    domain: Domain,
    target: Target,
    architectures: Mapping[str, Any],
    noise_std: float,
    tests: TestSet | None,
) -> tuple[tuple[str, ...], dict[float, float]]:
    """Remarks where regression contradicts the best candidate of the largest size; the scatter of the best of every size.

    Each remark is a warning, too.
    """
    best = table[(table["rank"] == 1) & (table["theory"] == PerSample.name)]
    learners = {
        pair: KernelOnDomain(domain, architectures[pair[0]], pair[1])
        for pair in dict.fromkeys(zip(best["architecture"], best["kernel"], strict=True))
    }
    scattered: dict[float, float] = {}
    for pair, rows in best.groupby(["architecture", "kernel"], sort=False):
        n, delta = (rows[name].to_numpy(float) for name in ("train_size", "ridge"))
        spread = scatter(learners[pair], target, n, delta, np.full(len(rows), noise_std), tests)
        scattered |= dict(zip(rows["train_size"], spread.tolist(), strict=True))
    if best.empty or best["train_size"].max() < table["train_size"].max():
        return (), scattered
    last = best.iloc[-1]
    found = checks(
        learners[last["architecture"], last["kernel"]], target, last["train_size"], np.array([last["ridge"]]), tests
    )
    remarks = tuple(f"{last['architecture']} ({last['kernel']}): {text}" for text in found)
    for text in remarks:
        warn_caller(text)
    return remarks, scattered


def _distinct(name: str, values: Sequence[float] | ArrayLike) -> list[float]:
    """Numbers without repetition, in their order; ValueError if there is none, or one negative or not finite."""
    reals(name, values)
    numbers = [*dict.fromkeys(np.atleast_1d(values).tolist())]
    require(len(numbers) > 0, f"{name}: at least one number is needed")
    return numbers
