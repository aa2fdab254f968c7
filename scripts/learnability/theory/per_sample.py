r"""A data set as it is: what the theory says of every sample, for training sets drawn from M points without replacement.

For the M x M kernel matrix K, ridge delta, n = c M training samples, noise sigma^2 and labels y, give every sample
a ridge mu_x of its own such that

    Q = (K + delta + diag mu)^-1,     mu_x Q_xx = 1 - c        (unique: mu minimizes a function convex in log mu)

Then, with alpha = Q y, kappa_x = delta + mu_x, s_x = delta Q_xx / c, Theta_xz = Q_xz^2 / (Q_xx Q_zz),

    residual   E[y - fhat]_x = kappa_x alpha_x,  and alpha_x / Q_xx where x is not in the training set
    off        o_x = p_x / Q_xx,  (1 - (1 - c) Theta) p = c (alpha^2 + sigma^2 diag Q^2) / Q_xx
    train      t_x = s_x^2 o_x
    all        E_x = (1 - c + c s_x^2) o_x + 2 c (1 - s_x) sigma^2

are the mean squared errors at sample x when it is not in the training set, when it is (against the label it was trained
on), and over all training sets (against a new label), all containing the noise. At n = M they are exact, off is then
the leave-one-out error. With all points alike they reduce to closed forms in one kappa. Derivation:
docs/theory.md, "A data set as it is"; it is new here, so no paper can be cited.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from ..common.errors import reals, require, require_finite
from .classes import right_output_is_largest
from .sample_equations import Pool, SampleSolution, along, smallest_ridge
from .sites import RARE, shrinkage, sites_of

# by all outputs
SHARED = (
    "accuracy", "accuracy_off_train", "test_set_accuracy", "kappas", "overfitting_coefficients", "newton_steps",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class SamplePrediction:
    """What the theory says of a learner on M given samples, on the broadcast grid of its arguments (shape `grid`).

    Labels with several outputs add a last axis `outputs` to everything but kappas, overfitting_coefficients, accuracy.
    Errors are mean squared, against labels as noisy as the training labels: they contain noise_std^2.
    """

    train_size: np.ndarray  # grid
    ridge: np.ndarray
    noise_std: np.ndarray
    learnability: np.ndarray  # <y, E[fhat]> / <y, y>
    test_mse: np.ndarray  # all samples, those of the training set included
    test_mse_off_train: np.ndarray  # at n = M the leave-one-out error
    train_mse: np.ndarray  # at n = 0 its limit
    accuracy: (
        np.ndarray
    )  # over all samples, fhat taken as Gaussian: of signs for one output of +-1, of the largest of several
    accuracy_off_train: np.ndarray
    kappas: np.ndarray  # grid + (M,): kappa_x / M; all are equal to `predict`'s kappa if all points are alike
    overfitting_coefficients: np.ndarray  # grid + (M,): without noise test_mse = mean over x of this times residual^2
    residual: np.ndarray  # grid + (M,) or (M, outputs): y - E[fhat]
    off_train_errors: np.ndarray  # as residual: of each sample where it is not in the training set
    off_train_residual: np.ndarray  # as residual: y - E[fhat] there
    newton_steps: np.ndarray  # grid: factorizations of the matrix
    test_set_mse: np.ndarray  # of the points of `test_kernel`; nan without them
    test_set_accuracy: np.ndarray
    test_set_errors: np.ndarray  # grid + (T,) or (T, outputs)
    test_set_residual: np.ndarray  # as test_set_errors

    def to_frame(self):
        """A tidy table, a row per grid point (and output, where there are several), the columns of a study's table."""
        import pandas as pd

        outputs = self.test_mse.shape[self.train_size.ndim :]
        names = ("learnability", "train_mse", "test_mse", "test_mse_off_train")
        columns = {name: np.ravel(getattr(self, name)) for name in names}
        for name in ("train_size", "ridge", "noise_std"):
            columns[name] = np.repeat(np.ravel(getattr(self, name)), outputs[0] if outputs else 1)
        table = pd.DataFrame(columns)[["train_size", "ridge", "noise_std", *names]]
        if outputs:
            table.insert(0, "output", np.tile(np.arange(outputs[0]), self.train_size.size))
        return table

    def __repr__(self):
        number = self.kappas.shape[-1]
        return f"SamplePrediction on {number} samples:\n{self.to_frame().to_string(index=False, max_rows=10)}"

    def _repr_html_(self):
        return self.to_frame().to_html(index=False, max_rows=20)


def predict_samples(
    matrix: np.ndarray,
    y: np.ndarray,
    train_size: np.ndarray | float,
    ridge: np.ndarray | float = 0.0,
    noise_std: np.ndarray | float = 0.0,
    rates: np.ndarray | None = None,
    test_kernel: np.ndarray | None = None,
    test_y: np.ndarray | None = None,
) -> SamplePrediction:
    """Predict kernel regression's errors, in all and on every sample, from the kernel matrix and the labels.

    Parameters
    ----------
    matrix : (M, M) symmetric, positive semi-definite
        The kernel on all samples, not divided by M. Samples whose rows coincide are treated as what they are, copies
        (docs/theory-rates.md).
    y : (M,) or (M, outputs)
        Labels without the noise of noise_std.
    train_size, ridge, noise_std : floats or arrays, broadcast against each other
        n (any real, 0 <= n <= M), the absolute ridge delta, the standard deviation of independent label noise.
        A kernel that is singular (low rank; condition number above 1e9) gets at least the ridge
        1e-9 |K|, the norm being the largest row sum: the limit of a small ridge. Others are solved at ridge 0 itself.
    rates : (M,), >= 0, optional
        How often samples are selected, relative to each other: sample x is in a training set with the probability
        n rates_x / sum(rates), which must not exceed 1; so train_size = sum(rates) takes the rates as they are.
        All alike without it. A sample with the rate 0 is never selected: part of a test set.
    test_kernel, test_y : (T, M) and (T,) or (T, outputs), optional
        The kernel between the points of a test set, of any distribution, and the samples, and the labels there.

    Returns
    -------
    SamplePrediction

    Raises
    ------
    ValueError
        A matrix that is not square, finite, symmetric, positive semi-definite; labels that do not fit it or are not
        finite; a negative or non-finite train_size, ridge or noise_std; train_size > M; rates that are negative, all 0 or
        make a probability above 1; a test set without labels or that does not fit the samples.

    Notes
    -----
    One factorization and inverse of (M, M) per Newton step, two or three steps per pair of train_size and ridge;
    neighbours on the grid start each other. A test set costs one product of matrices (T, M) and (M, M) each.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((60, 3))
    >>> matrix, y = lb.FullyConnected(1, "relu").kernel(x), np.sin(x[:, 0])
    >>> often = np.where(x[:, 1] > 0, 2.0, 1.0)  # training sets see one half twice as often as the other
    >>> shifted = lb.predict_samples(matrix, y, [10, 20], ridge=0.1, rates=often)
    >>> shifted.off_train_errors.shape
    (2, 60)
    """
    matrix, y = _checked(matrix, y)
    names = {"train_size": train_size, "ridge": ridge, "noise_std": noise_std}
    grids = np.broadcast_arrays(*(reals(name, value) for name, value in names.items()))
    n, delta, sigma = (grid.copy() for grid in grids)
    require(n.size > 0, "train_size, ridge and noise_std hold no value")
    relative = _relative_rates(len(matrix), n, rates)
    test_kernel, test_y = _checked_test_set(test_kernel, test_y, matrix, y)
    layout = _Layout.of(matrix, y.reshape(len(y), -1), relative, test_kernel, test_y)

    cells, cell_of = np.unique(np.stack([delta.ravel(), n.ravel()], 1), axis=0, return_inverse=True)
    cell_of = cell_of.ravel()
    floor = smallest_ridge(layout.pool.matrix)
    rows = [{}] * n.size
    shares, ridges = cells[:, 1] / (relative > 0).sum(), np.fmax(cells[:, 0], floor)
    for cell, solution in enumerate(along(layout.pool, shares, ridges)):
        for point in np.flatnonzero(cell_of == cell):
            rows[point] = _summary(layout, solution, shares[cell], ridges[cell], sigma.ravel()[point])

    def gathered(name: str) -> np.ndarray:
        values = np.array([row[name] for row in rows])
        values = values.reshape((*n.shape, *values.shape[1:]))
        return values[..., 0] if y.ndim == 1 and name not in SHARED else values

    return SamplePrediction(n, delta, sigma, **{name: gathered(name) for name in rows[0]})


def _relative_rates(size: int, n: np.ndarray, rates: np.ndarray | None) -> np.ndarray:
    """(M,): selection probabilities over their mean over the samples that can be selected."""
    if rates is None:
        require(bool((n <= size).all()), f"train_size {n.max():g} is more than the {size} samples of the matrix")
        return np.ones(size)
    rates = reals("rates", rates)
    require(rates.shape == (size,), f"rates must be ({size},), one per sample, got shape {rates.shape}")
    require(bool((rates > 0).any()), "rates are all 0; give the samples of the training sets a rate above 0")
    relative = rates / rates[rates > 0].mean()
    largest = rates.sum() / rates.max()
    require(
        bool((n <= largest * (1 + 1e-9)).all()),
        f"train_size {n.max():g} gives sample {rates.argmax()} a selection probability of {n.max() / largest:.3g} with these "
        f"rates; at most {largest:g} samples can be drawn in these proportions",
    )
    return relative


def _checked(matrix, y):
    matrix, y = np.asarray(matrix, dtype=float), np.asarray(y, dtype=float)
    require(
        matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and len(matrix) > 0,
        f"matrix must be the square kernel matrix (M, M) of all samples, got shape {matrix.shape}",
    )
    require_finite("matrix", matrix)
    asymmetry = np.abs(matrix - matrix.T).max()
    require(
        asymmetry <= 1e-8 * np.abs(matrix).max(),
        f"matrix is not symmetric, K_xz and K_zx differ by up to {asymmetry:.3g}; give the kernel of the samples "
        "with themselves, or (K + K.T) / 2 if this is rounding",
    )
    require(
        y.ndim in (1, 2) and len(y) == len(matrix) and y.size > 0,
        f"y must be (M,) or (M, outputs) with M = {len(matrix)}, the rows of the matrix; got shape {y.shape}",
    )
    require_finite("y", y)
    return matrix, y


def _checked_test_set(
    kernel: np.ndarray | None, labels: np.ndarray | None, matrix: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The test set as (T, M) and (T, outputs); T = 0 without one."""
    require((kernel is None) == (labels is None), "test_kernel and test_y belong together; give both or neither")
    if kernel is None:
        kernel, labels = np.empty((0, len(matrix))), np.empty((0, *y.shape[1:]))
    kernel, labels = np.asarray(kernel, dtype=float), np.asarray(labels, dtype=float)
    require(
        kernel.ndim == 2 and kernel.shape[1] == len(matrix),
        f"test_kernel must be (T, {len(matrix)}), the kernel of test points with all samples, got shape {kernel.shape}",
    )
    require(
        labels.shape == (len(kernel), *y.shape[1:]),
        f"test_y must be {(len(kernel), *y.shape[1:])}, as test_kernel and y are, got shape {labels.shape}",
    )
    require_finite("test_kernel", kernel)
    require_finite("test_y", labels)
    return kernel, labels.reshape(len(labels), y[:1].size)


def _are_classes(labels):
    """Whether every sample is of one class: one output of +-1, or several of which one is the larger of two values."""
    if labels.shape[1] == 1:
        return bool((np.abs(labels) == 1).all())
    high = labels == labels.max()
    return bool((high.sum(1) == 1).all() and np.ptp(labels[~high]) == 0)


@dataclass(frozen=True)
class _Layout:
    """Where the samples stand in the pool of sites that `along` solves."""

    pool: Pool
    labels: np.ndarray  # (M, outputs)
    test_labels: np.ndarray  # (T, outputs)
    relative: np.ndarray  # (M,)
    drawn: np.ndarray  # (M,) of bool: whether the sample can be selected
    site: np.ndarray  # (drawn samples,) of int
    deviation: np.ndarray  # (drawn samples, outputs): of the label from its site's

    @classmethod
    def of(
        cls, matrix: np.ndarray, labels: np.ndarray, relative: np.ndarray, test_kernel: np.ndarray, test_y: np.ndarray
    ) -> "_Layout":
        outputs = labels.shape[1]
        pairs = np.triu_indices(outputs) if _are_classes(labels) else (np.arange(outputs),) * 2
        drawn = relative > 0
        samples = np.flatnonzero(drawn)
        sites = sites_of(matrix if drawn.all() else matrix[np.ix_(drawn, drawn)])
        rates, first = relative[drawn], samples[sites.first]
        means = sites.mean(labels[drawn], rates)
        deviation = labels[drawn] - means[sites.of]
        pool = Pool(
            matrix=matrix if len(first) == len(matrix) else matrix[np.ix_(first, first)],
            labels=means,
            copies=sites.copies,
            relative=sites.mean(rates[:, None], np.ones(len(rates)))[:, 0],
            scatter=sites.mean(deviation[:, pairs[0]] * deviation[:, pairs[1]], rates),
            pairs=pairs,
            cross=np.concatenate([test_kernel[:, first], matrix[np.ix_(~drawn, first)]]),
            cross_labels=np.concatenate([test_y, labels[~drawn]]),
            counted=int((~drawn).sum()),
        )
        return cls(pool, labels, test_y, relative, drawn, sites.of, deviation)


def _summary(layout: _Layout, solution: SampleSolution, share: float, ridge: float, sigma: float) -> dict:
    """The fields of SamplePrediction at one grid point."""
    labels, noise, drawn = layout.labels, sigma**2, layout.drawn
    own = layout.pool.pairs[0] == layout.pool.pairs[1]
    number, probability = len(labels), np.where(layout.drawn, np.fmin(share * layout.relative, 1.0), 0.0)
    cases = _Cases.of(layout, solution, ridge)
    off, on = (_Learned.at_samples(layout, solution, cases, ridge, selected) for selected in (False, True))
    points = _Learned.at_points(layout, solution)
    tests, never = points.part(slice(len(layout.test_labels))), points.part(slice(len(layout.test_labels), None))

    def spread_out(values: np.ndarray, never_selected: np.ndarray) -> np.ndarray:
        """(M, ...) from means over cases, and values of samples that are never selected."""
        everywhere = np.empty((number, *values.shape[1:]))
        everywhere[drawn], everywhere[~drawn] = cases.mean(values), never_selected
        return everywhere

    off_errors = spread_out(off.errors(own, noise), never.errors(own, noise))
    train_errors = spread_out(on.errors(own, 0.0) + noise * on.own_noise[:, None], never.errors(own, noise))
    new_errors = spread_out(on.errors(own, noise), never.errors(own, noise))
    left, taken = 1 - probability, probability if probability.any() else layout.relative * drawn
    left = left if left.any() else np.ones(number)
    everywhere = (1 - probability)[:, None] * off_errors + probability[:, None] * new_errors
    accuracy = off_accuracy = test_accuracy = np.nan
    if _are_classes(labels):
        right = [part.right(labels[drawn][cases.row], noise) for part in (off, on)]
        right_off, right_on = (spread_out(part, never.right(labels[~drawn], noise)) for part in right)
        accuracy = ((1 - probability) * right_off + probability * right_on).mean()
        off_accuracy = np.average(right_off, weights=left)
        if len(layout.test_labels):
            test_accuracy = tests.right(layout.test_labels, noise).mean()

    residual = layout.deviation + solution.residual[layout.site]
    residual = spread_out(residual[cases.row], never.mean)
    test_errors = tests.errors(own, noise)
    with np.errstate(invalid="ignore"):
        learnability = 1 - (labels * residual).sum(0) / (labels**2).sum(0)
    return {
        "learnability": learnability,
        "test_mse": everywhere.mean(0),
        "test_mse_off_train": np.average(off_errors, axis=0, weights=left),
        "train_mse": np.average(train_errors, axis=0, weights=taken),
        "accuracy": accuracy,
        "accuracy_off_train": off_accuracy,
        "kappas": _of_samples(layout, solution.kappa * layout.pool.copies / number, np.inf),
        "overfitting_coefficients": _of_samples(layout, solution.overfitting, 1.0),
        "residual": residual,
        "off_train_errors": off_errors,
        "off_train_residual": spread_out(off.mean, never.mean),
        "newton_steps": solution.steps,
        "test_set_mse": test_errors.mean(0) if len(test_errors) else np.full(labels.shape[1], np.nan),
        "test_set_accuracy": test_accuracy,
        "test_set_errors": test_errors,
        "test_set_residual": tests.mean,
    }


def _of_samples(layout: _Layout, values: np.ndarray, never_selected: float) -> np.ndarray:
    """(sites,) -> (M,)."""
    result = np.full(len(layout.labels), never_selected)
    result[layout.drawn] = values[layout.site]
    return result


@dataclass(frozen=True)
class _Cases:
    """How many other copies of a sample's site are selected: a list of (sample, number) with probabilities.

    A sample that coincides with no other is one case.
    """

    row: np.ndarray  # (cases,) of int, in ascending order: the sample, among those that can be drawn
    others: np.ndarray  # (cases,): selected copies
    probability: np.ndarray  # (cases,)
    samples: int

    @classmethod
    def of(cls, layout: _Layout, solution: SampleSolution, ridge: float) -> "_Cases":
        copies = layout.pool.copies[layout.site]
        row = np.repeat(np.arange(len(copies)), copies)
        others = np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies)
        probability = stats.binom.pmf(others, copies[row] - 1, solution.rates[layout.site][row])
        likely = probability > RARE
        return cls(row[likely], others[likely].astype(float), probability[likely], len(copies))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(cases, ...) -> (samples, ...)."""
        if len(self.row) == self.samples:
            return values
        result = np.zeros((self.samples, *values.shape[1:]))
        np.add.at(result, self.row, values * self.probability.reshape(-1, *[1] * (values.ndim - 1)))
        return result


@dataclass(frozen=True)
class _Learned:
    """Mean and spread of y - fhat over training sets, at a list of cases or points.

    Without noise; `noise` is the variance of fhat per unit variance of label noise, `own_noise` that of y - fhat where y is
    the label that fhat was trained on.
    """

    mean: np.ndarray  # (cases, outputs)
    spread: np.ndarray  # (cases, pairs): covariances
    noise: np.ndarray  # (cases,)
    own_noise: np.ndarray  # (cases,)
    pairs: tuple[np.ndarray, np.ndarray]

    @classmethod
    def at_samples(
        cls, layout: _Layout, solution: SampleSolution, cases: _Cases, ridge: float, selected: bool
    ) -> "_Learned":
        """Where a sample is selected, or is not; docs/theory-rates.md, "Copies"."""
        (first, second), site = layout.pool.pairs, layout.site[cases.row]
        copies, others = layout.pool.copies[site], cases.others
        count = others + selected
        shrunk = np.where(count == 1, solution.trained[site], shrinkage(count, solution.variance[site], ridge))
        followed = (1 - shrunk) / np.fmax(count, 1)  # how far fhat follows the sum of the selected labels' deviations
        rest = np.fmax(copies - 1, 1)
        deviation = layout.deviation[cases.row]
        sum_of_deviations = (selected - others / rest)[:, None] * deviation
        cavity = solution.off_residual[site]
        products = deviation[:, first] * deviation[:, second]
        of_others = (copies[:, None] * layout.pool.scatter[site] - products) / rest[:, None] - products / rest[
            :, None
        ] ** 2
        drawn = others * (rest - others) / np.fmax(rest - 1, 1)  # without replacement
        spread = solution.off_train[site] - cavity[:, first] * cavity[:, second]
        own = shrunk**2 * solution.noise[site]
        return cls(
            mean=deviation + shrunk[:, None] * cavity - followed[:, None] * sum_of_deviations,
            spread=shrunk[:, None] ** 2 * spread + (followed**2 * drawn)[:, None] * of_others,
            noise=own + followed**2 * count,
            own_noise=own + followed**2 * count + 1 - 2 * followed,
            pairs=layout.pool.pairs,
        )

    @classmethod
    def at_points(cls, layout: _Layout, solution: SampleSolution) -> "_Learned":
        """At the points that are never selected."""
        (first, second), mean = layout.pool.pairs, solution.cross_residual
        spread, noise = solution.cross_errors - mean[:, first] * mean[:, second], solution.cross_noise
        return cls(mean, spread, noise, noise + 1, layout.pool.pairs)

    def part(self, which: slice) -> "_Learned":
        return _Learned(self.mean[which], self.spread[which], self.noise[which], self.own_noise[which], self.pairs)

    def errors(self, own: np.ndarray, noise: float) -> np.ndarray:
        """(cases, outputs): mean squared, against new labels; own : which pairs are of one output."""
        return self.mean**2 + self.spread[:, own] + noise * (self.noise[:, None] + 1)

    def right(self, labels: np.ndarray, noise: float) -> np.ndarray:
        """(cases,): probability of the right sign, or that the right output is the largest; fhat taken as Gaussian."""
        outputs = labels.shape[1]
        covariance = np.empty((len(labels), outputs, outputs))
        covariance[:, self.pairs[0], self.pairs[1]] = covariance[:, self.pairs[1], self.pairs[0]] = self.spread
        covariance += noise * self.noise[:, None, None] * np.eye(outputs)
        mean = labels - self.mean
        if outputs > 1:
            return right_output_is_largest(mean, covariance, labels.argmax(1))
        margin, variance = (labels * mean)[:, 0], np.fmax(covariance[:, 0, 0], 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return special.ndtr(np.where(margin == 0, 0.0, margin / np.sqrt(variance)))
