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
from dataclasses import dataclass, field
from itertools import product
from time import perf_counter
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from ..common.errors import choose, real, reals, require, warn_caller
from ..common.progress import counted
from ..common.seeding import stream
from ..common.threads import one_thread
from ..curves.beyond import checks
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..domains.normalisation import normalised, variances
from ..domains.samples import Samples
from ..kernels.matrix import LARGEST_MATRIX
from ..kernels.odd import misses_the_mean, remark
from ..spectra.target import Target
from ..theory.per_sample import PerSample
from .candidate import initialisations, predicted

PARAMETERS = ["architecture", "kernel", "ridge"]  # what tells candidates apart
KEY = (*PARAMETERS, "train_size")  # of a candidate's errors at one training size
SEEN, TIMES = 1024, 2  # samples of a large data set, at least; times the largest training set
ROUNDING = 1e-12  # of the labels' variance: an error below it is zero but for rounding


@dataclass(frozen=True)
class Selection:
    """Candidates ranked by predicted test error.

    Attributes
    ----------
    table : DataFrame
        A row per candidate (architecture, kernel, ridge) and train_size, best first for each size: test_mse (off the
        training set where the domain is finite), nmse (`learnability.domains.normalisation`: 1 is the error of the mean),
        accuracy off the training set (nan unless labels are classes), rank; spread, the standard deviation of nmse over
        initialisations, where a candidate has several.
    seconds : float
        What the ranking took.
    errors : dict of (architecture, kernel, ridge, train_size) to (samples,)
        On a data set the predicted error of every sample where it is not in the training set.
    variances : (points,)
        Expected squared distance of the label from the target's mean at each point of the domain's evaluation.
    by : "error" or "accuracy"
        What candidates are ranked by.
    parameters : list of str
        The columns that tell candidates apart: without the ridge where it was found for every size.
    samples : (samples,) of int or None
        Which of a large data set's samples the errors are those of; None: all.
    remarks : tuple of str
        Why the best candidate's prediction must not be trusted; each is a warning, too.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=6)
    >>> networks = {"shallow": lb.FullyConnected(1), "deep": lb.FullyConnected(4)}
    >>> selection = lb.select(cube, networks, cube.parity(2), train_sizes=[8, 16, 32])
    >>> selection.best()[["train_size", "architecture", "nmse"]].round(3)
       train_size architecture   nmse
    0           8         deep  1.071
    1          16      shallow  0.757
    2          32      shallow  0.060
    >>> selection.samples_needed(nmse=0.5)[["architecture", "samples"]].round(1)
      architecture  samples
    0      shallow     17.9
    1         deep      NaN
    """

    table: pd.DataFrame
    seconds: float
    errors: dict[tuple, Float[np.ndarray, " samples"]] = field(repr=False)
    variances: Float[np.ndarray, " points"] = field(repr=False)
    by: str = "error"
    parameters: Sequence[str] = tuple(PARAMETERS)
    samples: Int[np.ndarray, " samples"] | None = field(default=None, repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def sampling_error(self) -> float:
        """By what share another random choice of `samples` would move a predicted error, the median; 0 if all are seen.

        From the differences of errors of neighbours in the order that they are drawn in, which are what chance leaves.
        """
        if self.samples is None or not self.errors:
            return 0.0
        left = 1 - len(self.samples) / len(self.variances)
        order = np.argsort(self.variances[self.samples], kind="stable")
        within = [np.sqrt((np.diff(errors[order]) ** 2).mean() / 2) / errors.mean() for errors in self.errors.values()]
        return float(np.median(within) * np.sqrt(left / len(self.samples)))

    def best(self) -> pd.DataFrame:
        """The best candidate of each training size, with its margin.

        Returns
        -------
        DataFrame
            Per train_size: the candidate, its test_mse, nmse and accuracy, the runner_up of another architecture or kernel,
            margin (how much larger its error is, test_mse / test_mse - 1; ranked by accuracy, how much more often it is
            wrong) and margin_error, the margin's standard error over samples, and over initialisations where there are
            several; nan where there is no runner-up or no data set. Of a best error that is zero but for rounding the
            margin is infinite, or zero where the runner-up's vanishes too, and has no standard error.
        """
        rows = []
        for train_size, part in self.table.groupby("train_size"):
            first = part.iloc[0]
            same = (part["architecture"] == first["architecture"]) & (part["kernel"] == first["kernel"])
            row = first.reindex([*PARAMETERS, "test_mse", "nmse", "accuracy"]).to_dict()
            row |= {"train_size": train_size, "runner_up": None, "margin": np.nan, "margin_error": np.nan}
            if not same.all():
                second = part[~same].iloc[0]
                ridge = f", ridge {second['ridge']:.3g}" if second["ridge"] > 0 else ""
                row["runner_up"] = f"{second['architecture']} ({second['kernel']}{ridge})"
                row["margin"], row["margin_error"] = self._margin(first, second)
            rows.append(row)
        order = ["train_size", *PARAMETERS, "test_mse", "nmse", "accuracy", "runner_up", "margin", "margin_error"]
        return pd.DataFrame(rows)[order]

    def _margin(self, first: pd.Series, second: pd.Series) -> tuple[float, float]:
        """How much larger the second candidate's error is than the first's, and the standard error of that share."""
        if self.by == "accuracy":
            wrong, more = 1 - first["accuracy"], first["accuracy"] - second["accuracy"]
            return (more / wrong if wrong > 0 else np.inf if more > 0 else 0.0), np.nan
        zero = ROUNDING * self.variances.mean()
        if first["test_mse"] <= zero:
            return 0.0 if second["test_mse"] <= zero else np.inf, np.nan
        return second["test_mse"] / first["test_mse"] - 1, self._difference_error(first, second) / first["test_mse"]

    def _difference_error(self, first: pd.Series, second: pd.Series) -> float:
        """Standard error of the difference of two candidates' errors, over samples and over initialisations."""
        keys = [_key(row) for row in (first, second)]
        if keys[0] not in self.errors:
            return np.nan
        difference = self.errors[keys[0]] - self.errors[keys[1]]
        of_means = [self._mean_error(row) for row in (first, second)]
        return float(np.sqrt(difference.var(ddof=1) / len(difference) + np.nansum(np.square(of_means))))

    def _mean_error(self, row: pd.Series) -> float:
        """Standard error of a mean over initialisations, nan where there is one."""
        if "spread" not in row:
            return np.nan
        return row["spread"] * self.variances.mean() / np.sqrt(row["initialisations"])

    def samples_needed(self, nmse: float | None = None, *, r2: float | None = None) -> pd.DataFrame:
        """Training samples from which on each candidate's error stays at or below a level, fewest first.

        Parameters
        ----------
        nmse : float > 0
            The level as a normalised error, or
        r2 : float < 1
            as R2 = 1 - nmse.

        Returns
        -------
        DataFrame
            Per candidate: samples, interpolated between the ranked training sizes, linearly in the logarithms; nan where
            the error at the largest of them is above the level, and the smallest of them where it is above at none. A curve
            that falls below the level and rises again counts from its last descent. Where an error is zero or infinite, and
            has no logarithm, samples is the first ranked size at which the error is below. On a data set standard_error
            says how far another draw of the data would move samples (the delta method, over samples); nan elsewhere and
            where nothing is interpolated.

        Raises
        ------
        ValueError
            Neither or both of nmse and r2, or a value out of range.
        """
        level = level_of(nmse, r2)
        rows = []
        for candidate, part in self.table.groupby([*self.parameters], sort=False):
            part = part[part["train_size"] > 0].sort_values("train_size", kind="stable")
            samples, error = self._crossing(part, level)
            rows.append((*candidate, samples, error))
        table = pd.DataFrame(rows, columns=[*self.parameters, "samples", "standard_error"])
        return table.sort_values("samples", kind="stable", ignore_index=True)

    def _crossing(self, rows: pd.DataFrame, level: float) -> tuple[float, float]:
        """From where on one candidate's error stays at or below a level, and its standard error, from rows in order of size."""
        sizes, nmse = rows["train_size"].tolist(), rows["nmse"].to_numpy()
        above = np.flatnonzero(~(nmse <= level))
        first = above[-1] + 1 if len(above) else 0  # the size from which on no error is above
        if first == len(sizes):
            return np.nan, np.nan
        if first == 0 or nmse[first] <= ROUNDING or not np.isfinite(nmse[first - 1]):
            return float(sizes[first]), np.nan
        drop = np.log(nmse[first - 1] / nmse[first])
        share = np.log(nmse[first - 1] / level) / drop
        octave = np.log(sizes[first] / sizes[first - 1])
        samples = float(sizes[first - 1] * np.exp(octave * share))
        keys = [_key(row) for _, row in rows.iloc[first - 1 : first + 1].iterrows()]
        if keys[0] not in self.errors:
            return samples, np.nan
        ends = [self.errors[key] for key in keys]
        spread = self.variances if self.samples is None else self.variances[self.samples]
        before, after, unit = (values / values.mean() for values in (*ends, spread))
        moved = ((1 - share) * before + share * after - unit) / drop  # each sample's influence on the share
        return samples, float(samples * octave * moved.std(ddof=1) / np.sqrt(len(moved)))

    def __repr__(self) -> str:
        number = len(self.table[[*self.parameters]].drop_duplicates())
        best = self.best().to_string(index=False, float_format="{:.4g}".format)
        return f"Selection of {number} candidates in {self.seconds:.3g} s; the best:\n{best}"

    def _repr_html_(self) -> str:
        return self.best().to_html(index=False)


def _key(row: pd.Series) -> tuple:
    """Of a candidate's errors at one training size."""
    return tuple(row[[*KEY]])


def level_of(nmse: float | None = None, r2: float | None = None) -> float:
    """A normalised error, from itself or from R2 = 1 - nmse; ValueError unless it is one positive number."""
    require(
        (nmse is None) != (r2 is None), "give one of a normalised error (reach) and an R2 (r2 = 1 - reach), not both"
    )
    if r2 is None:
        return real("the normalised error to reach", nmse, positive=True)
    require(bool(np.isfinite(float(r2)) and r2 < 1), f"the R2 to reach must be finite and < 1, got {r2!r}")
    return 1 - float(r2)


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
    spread = variances(domain, target) + noise_std**2
    rows, errors = [], {}
    began = perf_counter()
    kernels_of = {name: initialisations(name, one) for name, one in architectures.items()}
    labels = target(*domain.evaluation())
    odd = [name for name, (network, *_) in kernels_of.items() if misses_the_mean(network, labels)]
    if odd:
        warn_caller(remark(odd, target.name))
    seen, aim, samples = _seen(domain, target, max(sizes)) if fast else (domain, target, None)
    for (name, networks), kernel in counted(product(kernels_of.items(), kernels), "kernels"):
        for mean in predicted(seen, networks, kernel, aim, sizes, ridge_values, noise_std):
            for number, train_size in enumerate(sizes):
                key = (name, kernel, float(mean.ridge[number]), train_size)
                error, std = normalised([mean.test_mse[number], mean.spread[number]], spread.mean()).tolist()
                several = {"spread": std, "initialisations": len(networks)} if len(networks) > 1 else {}
                scores = {"test_mse": mean.test_mse[number], "nmse": error, "accuracy": mean.accuracy[number]}
                rows.append({**dict(zip(KEY, key)), **scores, "theory": mean.theory[number], **several})
                if mean.sample_errors is not None and np.isfinite(mean.sample_errors[number]).all():
                    errors[key] = mean.sample_errors[number]
            if samples is None and mean.samples is not None and len(mean.samples) < (domain.size or 0):
                samples = mean.samples
    table = _ranked(pd.DataFrame(rows), by)
    remarks = _checked(table, seen, aim, {name: first for name, (first, *_) in kernels_of.items()})
    parameters = [name for name in PARAMETERS if name != "ridge" or not automatic]
    return Selection(table, perf_counter() - began, errors, spread, by, parameters, samples, remarks)


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


def _checked(table: pd.DataFrame, domain: Domain, target: Target, architectures: Mapping[str, Any]) -> tuple[str, ...]:
    """Remarks where regression contradicts the best candidate of the largest size; each is a warning, too."""
    best = table[(table["train_size"] == table["train_size"].max()) & (table["rank"] == 1)].iloc[0]
    if best["theory"] != PerSample.name:
        return ()
    learner = KernelOnDomain(domain, architectures[best["architecture"]], best["kernel"])
    found = checks(learner, target, best["train_size"], np.array([best["ridge"]]))
    remarks = tuple(f"{best['architecture']} ({best['kernel']}): {text}" for text in found)
    for text in remarks:
        warn_caller(text)
    return remarks


def _distinct(name: str, values: Sequence[float] | ArrayLike) -> list[float]:
    """Numbers without repetition, in their order; ValueError if there is none, or one negative or not finite."""
    reals(name, values)
    numbers = [*dict.fromkeys(np.atleast_1d(values).tolist())]
    require(len(numbers) > 0, f"{name}: at least one number is needed")
    return numbers
