"""Candidates ranked by predicted error: the best of each training size with its margin, and the samples that each needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..common.errors import real, require
from ..common.groups import Groups, sums_of

PARAMETERS = ["architecture", "kernel", "ridge"]  # what tells candidates apart
KEY = (*PARAMETERS, "train_size")  # of a candidate's errors at one training size
RANKED_BY = {  # and the column of each
    "error": "test_mse", "accuracy": "accuracy", "balanced_accuracy": "balanced_accuracy", "log_loss": "log_loss",
}  # fmt: skip
OF_CLASSES = ("accuracy", "balanced_accuracy", "log_loss")
ROUNDING = 1e-12  # of the labels' variance: an error below it is zero but for rounding


@dataclass(frozen=True)
class Selection:
    """Candidates ranked by predicted test error.

    Attributes
    ----------
    table : DataFrame
        A row per candidate (architecture, kernel, ridge) and train_size, best first for each size: test_mse (on the test set,
        else off the training set where the domain is finite), nmse (`learnability.domains.normalisation`: 1 is the error of the
        mean), accuracy, balanced_accuracy and log_loss there (nan unless labels are classes), rank; spread, the
        standard deviation of nmse over initialisations, where a candidate has several.
    seconds : float
        What the ranking took.
    errors : dict of (architecture, kernel, ridge, train_size) to (samples,)
        On a data set the predicted error of every sample where it is not in the training set; of every point of a test set.
    variances : (points,)
        Expected squared distance of the label from the target's mean at each point of the domain's evaluation, or from their
        mean at each point of a test set.
    by : "error", "accuracy", "balanced_accuracy" or "log_loss"
        What candidates are ranked by.
    parameters : list of str
        The columns that tell candidates apart: without the ridge where it was found for every size.
    samples : (samples,) of int or None
        Which of a large data set's samples it is predicted from; None: all.
    scatter : dict of train_size to float
        On a data set, of the best candidate: the standard deviation of test_mse over training sets, measured by exact
        regressions (`learnability.curves.scatter`).
    on_test_set : bool
        Whether errors and accuracies are those on a test set of its own.
    groups : (samples,) of int or None
        The group of each of the samples, where training sets are whole groups: errors are then those on other groups, and
        standard errors say how far other groups would move them.
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
    scatter: Mapping[float, float] = field(default_factory=dict)
    on_test_set: bool = False
    groups: Groups | None = field(default=None, repr=False)

    @property
    def sampling_error(self) -> float:
        """By what share another random choice of `samples` would move a predicted error, the median; 0 if all are seen.

        Not known (nan) on a test set, whose own points the errors belong to.
        From the differences of errors of neighbours in the order that they are drawn in, which are what chance leaves.
        """
        if self.samples is None or not self.errors:
            return 0.0
        if self.on_test_set or self.groups is not None:
            return np.nan
        left = 1 - len(self.samples) / len(self.variances)
        order = np.argsort(self.variances[self.samples], kind="stable")
        within = [np.sqrt((np.diff(errors[order]) ** 2).mean() / 2) / errors.mean() for errors in self.errors.values()]
        return float(np.median(within) * np.sqrt(left / len(self.samples)))

    def best(self) -> pd.DataFrame:
        """The best candidate of each training size, with its margin.

        Returns
        -------
        DataFrame
            Per train_size: the candidate, its test_mse, test_mse_std (`scatter`), nmse, accuracy, balanced_accuracy and
            log_loss, the runner_up of another architecture or kernel, margin (how much larger its error is, test_mse /
            test_mse - 1, or its log-loss; ranked by accuracy, how much more often it is wrong, in the mean over classes where
            that is balanced) and margin_error, the margin's standard error over samples; nan where there is no runner-up or no
            data set. Of a best error that is zero but for rounding the margin is infinite, or zero where the runner-up's
            vanishes too, and has no standard error.
        """
        rows = []
        for train_size, part in self.table.groupby("train_size"):
            first = part.iloc[0]
            same = (part["architecture"] == first["architecture"]) & (part["kernel"] == first["kernel"])
            row = first.reindex([*PARAMETERS, "test_mse", "nmse", *OF_CLASSES]).to_dict()
            row["test_mse_std"] = self.scatter.get(train_size, np.nan)
            row |= {"train_size": train_size, "runner_up": None, "margin": np.nan, "margin_error": np.nan}
            if not same.all():
                second = part[~same].iloc[0]
                ridge = f", ridge {second['ridge']:.3g}" if second["ridge"] > 0 else ""
                row["runner_up"] = f"{second['architecture']} ({second['kernel']}{ridge})"
                row["margin"], row["margin_error"] = self._margin(first, second)
            rows.append(row)
        measures = ["test_mse", "test_mse_std", "nmse", *OF_CLASSES]
        return pd.DataFrame(rows)[["train_size", *PARAMETERS, *measures, "runner_up", "margin", "margin_error"]]

    def _margin(self, first: pd.Series, second: pd.Series) -> tuple[float, float]:
        """How much larger the second candidate's error is than the first's, and the standard error of that share."""
        if self.by != "error":
            column = RANKED_BY[self.by]
            of_first, of_second = (row[column] if column == "log_loss" else 1 - row[column] for row in (first, second))
            more = of_second - of_first
            return (more / of_first if of_first > 0 else np.inf if more > 0 else 0.0), np.nan
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
        return float(np.sqrt(self._of_mean(difference) ** 2 + np.nansum(np.square(of_means))))

    def _of_mean(self, values: Float[np.ndarray, " samples"]) -> float:
        """Standard error of a mean over samples, or over the samples of independent groups."""
        if self.groups is None or self.on_test_set:
            return float(values.std(ddof=1) / np.sqrt(len(values)))
        sums = sums_of(self.groups, values - values.mean())
        return float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(values))

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
        everywhere = self.samples is None or self.on_test_set
        spread = self.variances if everywhere else self.variances[self.samples]
        before, after, unit = (values / values.mean() for values in (*ends, spread))
        moved = ((1 - share) * before + share * after - unit) / drop  # each sample's influence on the share
        return samples, float(samples * octave * self._of_mean(moved))

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
