"""A prediction that checks itself: exact regression on a few random halves, which costs less than the theory.

The per-sample theory is an approximation whose cavities fluctuate least where training sets are large and ridges are not
small. On kernels that are nearly singular (one to three columns with a smooth kernel, no ridge) it and regression itself
are at the mercy of single samples; see docs/research/rates.md, "Nearly singular kernels".
"""

from dataclasses import dataclass

import numpy as np

from ..common.errors import real
from ..common.groups import Groups, number_drawn, number_of
from ..regression.resampling import Resampled, resample, training_sets
from .classes import are_classes, class_of, least_log_loss
from .per_sample import predict_samples
from .sample_arguments import as_one_error, checked
from .sample_equations import smallest_ridge
from .sites import sites_of

SYSTEMATIC = 0.05  # of the measured error: what the theory's own corrections amount to
SCATTER = 3.0  # standard errors
PRECISE = 0.03  # relative standard error at which no more halves are drawn
LARGE = 0.15  # of the measured error: never allowed; and the relative standard error of a mean that says nothing
FEWEST, MOST = 12, 48
NO_MATTER = 0.01  # nats of a log-loss
LARGEST = 10.0  # of the mean of the kernel's diagonal: the last ridge that is tried


@dataclass(frozen=True)
class SelfCheck:
    """The per-sample prediction beside what random training sets measure.

    Attributes
    ----------
    train_size, ridge : int, float
        Where the two were compared; the ridge is the one that was used, at least that which a singular kernel needs.
    predicted, measured, standard_error : float
        Test error off the training set, and the standard error of the measured mean.
    holds : bool
        Whether they agree within 5 % and three standard errors, and within 15 %. Where the standard error itself stays
        above 15 % the mean is that of a few samples, and nothing holds.
    holding_ridge : float or None
        The smallest ridge of a ladder (factors of ten) at which they agree; None where none does or the prediction holds.
    on_test_set : bool
        Whether the error is that on a test set of its own, not off the training set.
    groups : int or None
        How many groups training sets consist of, where groups are drawn.
    """

    train_size: int
    ridge: float
    predicted: float
    measured: float
    standard_error: float
    holds: bool
    holding_ridge: float | None
    on_test_set: bool = False
    groups: int | None = None

    def remark(self) -> str | None:
        """One sentence for a report, None where the prediction holds."""
        if self.holds:
            return None
        of_groups = "" if self.groups is None else f" of {self.groups} groups"
        where = "on the test set " if self.on_test_set else "on new groups " if of_groups else ""
        what = (
            f"with {self.train_size} samples and ridge {self.ridge:.3g} the theory predicts an error "
            f"{where}of {self.predicted:.3g}, regression on random training sets{of_groups} measures "
            f"{self.measured:.3g} +- {self.standard_error:.2g}"
        )
        if self.holding_ridge is None:
            return f"{what}; trust the measured value"
        return f"{what}; trust the measured value, or use a ridge of {self.holding_ridge:.3g}, at which they agree"


def self_check(
    matrix: np.ndarray,
    y: np.ndarray,
    train_size: int | None = None,
    ridge: float = 0.0,
    predicted: float | None = None,
    seed: int = 0,
    tests: tuple[np.ndarray, np.ndarray] | None = None,
    groups: Groups | None = None,
) -> SelfCheck:
    """Compare the per-sample theory to exact regression on random training sets of the same samples.

    Parameters
    ----------
    matrix : (M, M), y : (M,) or (M, outputs)
    train_size : int, optional
        M / 2 without it.
    ridge : float, absolute
    predicted : float, optional
        The mean of the theory's error off the training set there, where it is known already.
    seed : int, of the training sets; 12 of them, and up to 48 while their mean is uncertain
    tests : ((T, M), (T,) or (T, outputs)), optional
        Of a test set, on which the two are compared then: the kernel between it and the samples, and the labels there.
    groups : (M,) of int from 0, optional
        Training sets are whole groups, as many as are nearest to train_size; at them the two are compared.

    Raises
    ------
    ValueError
        See `learnability.predict_samples` and `learnability.regression.resampling.resample`.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> from learnability.theory.self_check import self_check
    >>> x = np.random.default_rng(0).standard_normal((100, 1))
    >>> smooth = lb.Gaussian(1.0).kernel(x)
    >>> check = self_check(smooth, np.sin(3 * x[:, 0]) + 0.1 * np.cos(40 * x[:, 0]))
    >>> check.holds, check.holding_ridge is not None
    (False, True)
    """
    matrix, y = checked(matrix, y)
    labels = as_one_error(y.reshape(len(y), -1))
    size = len(matrix) // 2 if train_size is None else train_size
    if tests is not None:
        tests = tests[0], as_one_error(tests[1].reshape(len(tests[1]), -1))
    problem = _Problem(matrix, labels, size, seed, tests, groups)
    sites = sites_of(matrix)
    first = (sites if groups is None else sites.within(groups)).first
    used = float(max(real("ridge", ridge), smallest_ridge(matrix[np.ix_(first, first)])))
    check = problem.compared(used, predicted)
    if check.holds:
        return check
    scale = np.abs(matrix).sum(1).max()
    ladder = [step for step in 10.0 ** np.arange(-9, 2) * scale if used < step <= LARGEST * np.diag(matrix).mean()]
    for step in ladder:
        if problem.compared(float(step)).holds:
            return SelfCheck(**{**vars(check), "holding_ridge": float(step)})
    return check


def log_loss_remark(
    matrix: np.ndarray,
    y: np.ndarray,
    train_size: int,
    ridge: float = 0.0,
    seed: int = 0,
    groups: Groups | None = None,
) -> str | None:
    """Where the log-loss off training sets is not what the theory predicts, what regression measures; None where it is.

    They agree within 5 % and three standard errors, and within 15 %, or within 0.01 nats. The theory takes outputs as Gaussian,
    and the tails of their distribution are what the log-loss is made of.

    Parameters
    ----------
    matrix : (M, M), y : (M,) or (M, outputs), which need not be classes
    train_size, ridge, seed, groups : as of `self_check`

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((100, 2))
    >>> labels = np.where(x[:, 0] + 0.5 * np.random.default_rng(1).standard_normal(100) > 0, 1.0, -1.0)
    >>> log_loss_remark(lb.FullyConnected(1).kernel(x), labels, 50, ridge=3.0)
    """
    labels = np.reshape(y, (len(y), -1))
    if not are_classes(labels):
        return None
    ridge = float(max(real("ridge", ridge), smallest_ridge(matrix)))
    classes, losses = class_of(labels), []
    for train, rest, alpha in training_sets(matrix, labels, train_size, ridge, MOST, seed, groups):
        losses.append(least_log_loss(matrix[np.ix_(rest, train)] @ alpha, classes[rest]))
    predicted = float(
        predict_samples(matrix, y, _mean_size(train_size, groups), ridge, groups=groups).log_loss_off_train
    )
    measured, error = float(np.mean(losses)), float(np.std(losses, ddof=1) / np.sqrt(MOST))
    if abs(predicted - measured) <= max(_allowed(measured, error), NO_MATTER):
        return None
    return (
        f"with {train_size} samples and ridge {ridge:.3g} the theory predicts a log-loss of {predicted:.3g}, "
        f"regression on random training sets measures {measured:.3g} +- {error:.2g}; trust the measured value"
    )


def _allowed(measured: float, standard_error: float) -> float:
    """How far a prediction may be from a measured mean."""
    return min(SYSTEMATIC * measured + SCATTER * standard_error, LARGE * measured)


def _mean_size(train_size: int, groups: Groups | None) -> float:
    """Samples of a training set on average, where whole groups are drawn."""
    return train_size if groups is None else number_drawn(train_size, groups) * len(groups) / number_of(groups)


@dataclass(frozen=True)
class _Problem:
    """What is learned from how many samples, and where the error is measured: off the training set, or on a test set."""

    matrix: np.ndarray  # (M, M)
    labels: np.ndarray  # (M, outputs)
    size: int
    seed: int
    tests: tuple[np.ndarray, np.ndarray] | None  # (T, M) and (T, outputs)
    groups: Groups | None

    def compared(self, ridge: float, predicted: float | None = None) -> SelfCheck:
        predicted = self._predicted(ridge) if predicted is None else predicted
        measured = self._measured(ridge)
        allowed = _allowed(measured.mean, measured.standard_error)
        agree = abs(predicted - measured.mean) <= allowed and measured.standard_error <= LARGE * measured.mean
        return SelfCheck(
            self.size,
            ridge,
            predicted,
            measured.mean,
            measured.standard_error,
            bool(agree),
            None,
            self.tests is not None,
            None if self.groups is None else number_drawn(self.size, self.groups),
        )

    def _predicted(self, ridge: float) -> float:
        kernel, labels = self.tests or (None, None)
        size = _mean_size(self.size, self.groups)
        prediction = predict_samples(
            self.matrix, self.labels, size, ridge, test_kernel=kernel, test_y=labels, groups=self.groups
        )
        return float((prediction.test_mse_off_train if self.tests is None else prediction.test_set_mse).mean())

    def _measured(self, ridge: float) -> Resampled:
        draws = FEWEST
        while True:
            measured = resample(self.matrix, self.labels, self.size, ridge, draws, self.seed, self.tests, self.groups)
            if measured.standard_error <= PRECISE * measured.mean or draws >= MOST:
                return measured
            draws *= 2
