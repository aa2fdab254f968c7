"""Rank architectures by the test error that theory predicts, without training a network.

The theory is the one that `learnability.curves.choice` takes. The error is the one off the training set, where the domain is
finite. Where the theory knows the samples of a data set, the difference of two candidates has a standard error: both are
predicted for the same samples, whose errors differ by so much that another draw of the data would move their means.

A fast ranking of a large data set takes at most 4096 of its samples, in pools (`learnability.selection.pools`), the same for
all candidates.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from time import perf_counter
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..common.conditioning import one_warning
from ..common.errors import choose, real, reals, require, warn_caller
from ..common.groups import renumbered
from ..common.threads import one_thread
from ..curves.beyond import checks
from ..curves.scatter import scatter
from ..curves.test_set import TestSet
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..domains.normalisation import normalised, variances
from ..domains.samples import grouped
from ..kernels.odd import misses_the_mean, remark
from ..spectra.target import Target
from ..theory.per_sample import PerSample
from .candidate import initialisations, predicted
from .pools import Pools
from .selection import KEY, PARAMETERS, RANKED_BY, Selection


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
    groups: ArrayLike | None = None,
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
    by : "error", or "accuracy", "balanced_accuracy" or "log_loss" where labels are classes
        What candidates are ranked by. Balanced accuracy is the mean over classes of the accuracy of each; log_loss is that of
        the probabilities of temperature scaling, in nats (`learnability.theory.classes`).
    fast : bool
        Take at most 4096 samples of a data set, in pools that are as small as each training size allows
        (`learnability.selection.pools`). Errors then have the sampling error `Selection.sampling_error` beside that of the data
        set itself, and take a tenth of the time.
    test_set : ((T, ...), (T,) or (T, outputs)), optional
        Points and labels, see `learnability.learning_curve`: candidates are ranked by their errors or accuracies there.
    groups : (samples,) of numbers or texts, optional
        What every sample was measured on, see `learnability.learning_curve`: candidates are ranked by their errors on new
        groups. Missing: those that the data set has, or single samples.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        No candidates or sizes; numbers that are negative or not finite; sizes that do not fit the domain; a measure of classes
        where labels are none or no theory says it; see `learnability.predict` and `learnability.predict_samples`.

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
    domain = grouped(domain, groups)
    require(len(architectures) > 0 and len(kernels) > 0, "there is no architecture or kernel to choose from")
    kernels = [*dict.fromkeys(choose("kernel", kernel, ("ntk", "nngp")) for kernel in kernels)]
    choose("by", by, RANKED_BY)
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
    kernels_of = {name: initialisations(name, one) for name, one in architectures.items()}
    firsts, labels = {name: first for name, (first, *_) in kernels_of.items()}, target(*domain.evaluation())
    odd = [name for name, network in firsts.items() if misses_the_mean(network, labels)]
    if odd:
        warn_caller(remark(odd, target.name))
    began = perf_counter()
    pools = Pools.few(domain, target, max(sizes)) if fast else Pools(domain, target)
    networks = {(name, kernel): kernels_of[name] for name, kernel in product(architectures, kernels)}
    predictions = predicted(pools, networks, ridge_values, sizes, noise_std, tests)
    rows, errors, samples = [], {}, pools.samples
    for name, kernel, ridge, train_size in product(architectures, kernels, ridge_values, sizes):
        mean = predictions[name, kernel, ridge, train_size]
        key = (name, kernel, mean.ridge, train_size)
        nmse, std = normalised([mean.error, mean.spread], spread.mean()).tolist()
        several = {"spread": std, "initialisations": mean.initialisations} if mean.initialisations > 1 else {}
        scores = {"test_mse": mean.error, "nmse": nmse, **mean.scores, "theory": mean.theory}
        rows.append({**dict(zip(KEY, key)), **scores, **several})
        if mean.of_points is not None and np.isfinite(mean.of_points).all():
            errors[key] = mean.of_points
        samples = mean.samples if samples is None else samples
    if samples is not None and len(samples) == domain.size:
        samples = None
    of_samples = domain.groups if samples is None else renumbered(domain.groups, samples)
    table = _ranked(pd.DataFrame(rows), by)
    with one_warning():  # of dozens of training sets
        remarks, scattered = _checked(table, pools.domain, pools.target, firsts, noise_std, tests)
    parameters = [name for name in PARAMETERS if name != "ridge" or not automatic]
    seconds, on_test_set = perf_counter() - began, tests is not None
    return Selection(
        table, seconds, errors, spread, by, parameters, samples, remarks, scattered, on_test_set, of_samples
    )


def _ranked(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Rows in the order of their rank at each training size."""
    column = RANKED_BY[by]
    where = "by the theory of samples or on a finite domain" if by == "accuracy" else "by the theory of samples"
    require(
        by == "error" or bool(table[column].notna().all()),
        f"by {by}: it is predicted where labels are classes, {where}; rank by error",
    )
    rising = not column.endswith("accuracy")
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
