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
docs/research/per-sample.md; it is new here, so no paper can be cited. Rates of selection of their own, points that
are never selected and samples that coincide: docs/research/rates.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..common.conditioning import IllConditioned
from ..common.errors import reals, require, warn_caller
from ..common.threads import one_thread
from ..kernels.matrix import LARGEST_MATRIX
from .group_equations import GroupSolution, along_groups
from .sample_arguments import checked_groups, checked_labels, checked_matrix, checked_test_set, relative_rates
from .sample_equations import SampleSolution, along, needed_ridge
from .sample_layout import Layout
from .sample_summary import OF_CLASSES, summary
from .theory import SampleTheory

if TYPE_CHECKING:
    import pandas

SHARED = (*OF_CLASSES, "kappas", "overfitting_coefficients", "newton_steps")  # by all outputs


@dataclass(frozen=True, repr=False)
class SamplePrediction:
    """What the theory says of a learner on M given samples, on the broadcast grid of its arguments (shape `grid`).

    Labels with several outputs add a last axis `outputs` to everything but kappas, overfitting_coefficients and what is said of
    classes. Errors are mean squared, against labels as noisy as the training labels: they contain noise_std^2.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((60, 3))
    >>> prediction = lb.predict_samples(lb.FullyConnected(1).kernel(x), x[:, 0], [10, 30], ridge=0.1)
    >>> prediction.learnability.round(2).tolist(), prediction.off_train_errors.shape
    ([0.89, 0.98], (2, 60))
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
    balanced_accuracy_off_train: np.ndarray  # the mean over classes of the accuracy of each
    log_loss_off_train: np.ndarray  # in nats, after temperature scaling (`learnability.theory.classes`)
    kappas: np.ndarray  # grid + (M,): kappa_x / M; all are equal to `predict`'s kappa if all points are alike
    # grid + (M,): without noise test_mse = mean over x of this times residual^2; nan with groups
    overfitting_coefficients: np.ndarray
    residual: np.ndarray  # grid + (M,) or (M, outputs): y - E[fhat]
    off_train_errors: np.ndarray  # as residual: of each sample where it is not in the training set
    off_train_residual: np.ndarray  # as residual: y - E[fhat] there
    newton_steps: np.ndarray  # grid: factorizations of the matrix
    test_set_mse: np.ndarray  # of the points of `test_kernel`; nan without them
    test_set_accuracy: np.ndarray
    test_set_balanced_accuracy: np.ndarray
    test_set_log_loss: np.ndarray  # at the temperature that is best off the training set
    test_set_errors: np.ndarray  # grid + (T,) or (T, outputs)
    test_set_residual: np.ndarray  # as test_set_errors

    def to_frame(self) -> "pandas.DataFrame":
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

    def __repr__(self) -> str:
        number = self.kappas.shape[-1]
        return f"SamplePrediction on {number} samples:\n{self.to_frame().to_string(index=False, max_rows=10)}"

    def _repr_html_(self) -> str:
        return self.to_frame().to_html(index=False, max_rows=20)


@dataclass(frozen=True)
class PerSample(SampleTheory):
    """The theory of given samples, of at most `most` of them: what it costs grows with their number to the third.

    Examples
    --------
    >>> import numpy as np
    >>> import learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((20, 3))
    >>> prediction = lb.PerSample().solve(lb.FullyConnected(1).kernel(x), x[:, 0], 10, 0.1, 0.0)
    >>> bool(0 < prediction.test_mse_off_train < 1)
    True
    """

    most: int = LARGEST_MATRIX

    name: ClassVar[str] = "per_sample"

    def solve(
        self,
        matrix: ArrayLike,
        y: ArrayLike,
        train_size: ArrayLike,
        ridge: ArrayLike,
        noise_std: ArrayLike,
        population: int | None = None,
    ) -> SamplePrediction:
        """`predict_samples`."""
        return predict_samples(matrix, y, train_size, ridge, noise_std, population=population)


@one_thread
def predict_samples(
    matrix: ArrayLike,
    y: ArrayLike,
    train_size: ArrayLike,
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    rates: ArrayLike | None = None,
    test_kernel: ArrayLike | None = None,
    test_y: ArrayLike | None = None,
    *,
    population: int | None = None,
    groups: ArrayLike | None = None,
) -> SamplePrediction:
    """Predict kernel regression's errors, in all and on every sample, from the kernel matrix and the labels.

    Parameters
    ----------
    matrix : (M, M) symmetric, positive semi-definite
        The kernel on all samples, not divided by M. Samples whose rows coincide are treated as what they are, copies
        (docs/research/rates.md).
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
    population : int, optional
        Samples of the data set that these M were drawn from at random: training sets are a smaller share of it, and so of all
        that is said of training points and the others together. Missing: M.
    groups : (M,) of numbers or texts, optional
        The group of every sample, such as the person that it was measured on. Training sets are then made of whole groups:
        train_size / M of the groups, and as many samples on average. Errors off the training set are those on the samples of
        groups that are not in it (docs/research/groups.md).

    Returns
    -------
    SamplePrediction

    Raises
    ------
    ValueError
        A matrix that is not square, finite, symmetric, positive semi-definite; labels that do not fit it or are not
        finite; a negative or non-finite train_size, ridge or noise_std; train_size > M; rates that are negative, all 0 or
        make a probability above 1; a test set without labels or that does not fit the samples; groups of another length, one
        group only, groups with rates or of more than 4096 samples.

    Warns
    -----
    IllConditioned
        The kernel is singular, and a ridge below 1e-9 |K| is asked for.

    Notes
    -----
    One factorization and inverse of (M, M) per Newton step, two or three steps per pair of train_size and ridge;
    neighbours on the grid start each other. A test set costs one product of matrices (T, M) and (M, M) each. With groups there
    are about five steps per pair, and twenty products of M^2 times the size of a group for every output, or pair of outputs
    where labels are classes.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> x = np.random.default_rng(0).standard_normal((60, 3))
    >>> matrix, y = lb.FullyConnected(1, "relu").kernel(x), np.sin(x[:, 0])
    >>> often = np.where(x[:, 1] > 0, 2.0, 1.0)  # training sets see one half twice as often as the other
    >>> shifted = lb.predict_samples(matrix, y, [10, 20], ridge=0.1, rates=often)
    >>> shifted.off_train_errors.shape
    (2, 60)
    >>> persons = np.repeat(np.arange(12), 5)
    >>> bool(lb.predict_samples(matrix, y, 20, 0.1, groups=persons).test_mse_off_train > 0)
    True
    """
    tests = None if test_kernel is None and test_y is None else (test_kernel, [test_y])
    (prediction,) = predict_targets(
        matrix, [y], train_size, ridge, noise_std, rates, tests, population=population, groups=groups
    )
    return prediction


@one_thread
def predict_targets(
    matrix: ArrayLike,
    targets: Sequence[ArrayLike],
    train_size: ArrayLike,
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    rates: ArrayLike | None = None,
    tests: tuple[ArrayLike | None, Sequence[ArrayLike | None]] | None = None,
    *,
    population: int | None = None,
    groups: ArrayLike | None = None,
) -> list[SamplePrediction]:
    """`predict_samples` of several targets on the same samples, for which the matrix is factorized once.

    Parameters
    ----------
    targets : sequence of (M,) or (M, outputs)
    tests : (T, M) and a (T,) or (T, outputs) for each target, optional
        See test_kernel and test_y of `predict_samples`, as for all other arguments.

    Returns
    -------
    list of SamplePrediction, one per target

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> from learnability.theory.per_sample import predict_targets
    >>> x = np.random.default_rng(0).standard_normal((60, 3))
    >>> matrix = lb.FullyConnected(1, "relu").kernel(x)
    >>> line, wave = predict_targets(matrix, [x[:, 0], np.sin(3 * x[:, 0])], [10, 30], ridge=0.1)
    >>> bool((line.learnability > wave.learnability).all())
    True
    """
    require(len(targets) > 0, "there is no target to predict")
    matrix = checked_matrix(matrix)
    labels = [checked_labels(matrix, y) for y in targets]
    names = {"train_size": train_size, "ridge": ridge, "noise_std": noise_std}
    grids = np.broadcast_arrays(*(reals(name, value) for name, value in names.items()))
    n, delta, sigma = (grid.copy() for grid in grids)
    require(n.size > 0, "train_size, ridge and noise_std hold no value")
    relative = relative_rates(len(matrix), n, rates)
    of_groups = None if groups is None else checked_groups(groups, len(matrix), rates)
    kernel, test_labels = (None, [None] * len(labels)) if tests is None else tests
    checked_tests = [checked_test_set(kernel, own, matrix, y) for own, y in zip(test_labels, labels, strict=True)]
    flat = [y.reshape(len(y), -1) for y in labels]
    layout = Layout.of(matrix, flat, relative, checked_tests[0][0], [own for _, own in checked_tests], of_groups)

    cells, cell_of = np.unique(np.stack([delta.ravel(), n.ravel()], 1), axis=0, return_inverse=True)
    cell_of = cell_of.ravel()
    floor, condition = needed_ridge(layout.pool.matrix)
    if (delta < floor).any():
        remark = f"smaller ridges are replaced by {floor:.2g}"
        warn_caller(IllConditioned("the kernel matrix of all samples", condition, floor, remark))
    share_of_all = len(matrix) / (len(matrix) if population is None else population)
    parts = [layout.part(columns) for columns in layout.targets]
    rows: list[list[dict]] = [[{}] * n.size for _ in labels]
    shares, ridges = cells[:, 1] / (relative > 0).sum(), np.fmax(cells[:, 0], floor)
    solutions: Iterator[SampleSolution | GroupSolution] = (
        along(layout.pool, shares, ridges)
        if layout.group is None
        else along_groups(layout.pool, layout.group, shares, ridges, noisy=bool(sigma.any()))
    )
    for cell, solution in enumerate(solutions):
        for own, part, columns in zip(rows, parts, layout.targets, strict=True):
            at, share = (part, solution.part(columns)), shares[cell] * share_of_all
            for point in np.flatnonzero(cell_of == cell):
                own[point] = summary(*at, share, ridges[cell], sigma.ravel()[point])
    return [
        SamplePrediction(n, delta, sigma, **_gathered(own, n.shape, y.ndim == 1))
        for own, y in zip(rows, labels, strict=True)
    ]


def _gathered(rows: list[dict], grid: tuple[int, ...], one_output: bool) -> dict[str, np.ndarray]:
    """The fields of SamplePrediction from those of its grid points."""
    fields = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        values = values.reshape((*grid, *values.shape[1:]))
        fields[name] = values[..., 0] if one_output and name not in SHARED else values
    return fields
