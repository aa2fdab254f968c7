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
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..common.arrays import finite_array
from ..common.arrays import labels as labels_from
from ..common.conditioning import IllConditioned
from ..common.errors import reals, require, warn_caller
from ..common.threads import one_thread
from ..kernels.matrix import LARGEST_MATRIX
from .classes import are_classes, right_output_is_largest
from .sample_equations import along, smallest_ridge
from .theory import SampleTheory

SHARED = ("accuracy", "accuracy_off_train", "kappas", "overfitting_coefficients", "newton_steps")  # by all outputs


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
        matrix: NDArray,
        y: NDArray,
        train_size: ArrayLike,
        ridge: ArrayLike,
        noise_std: ArrayLike,
        population: int | None = None,
    ) -> SamplePrediction:
        """`predict_samples`."""
        return predict_samples(matrix, y, train_size, ridge, noise_std, population=population)


@one_thread
def predict_samples(
    matrix: NDArray,
    y: NDArray,
    train_size: ArrayLike,
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    *,
    population: int | None = None,
) -> SamplePrediction:
    """Predict kernel regression's errors, in all and on every sample, from the kernel matrix and the labels.

    Parameters
    ----------
    matrix : (M, M) symmetric, positive semi-definite
        The kernel on all samples, not divided by M.
    y : (M,) or (M, outputs)
        Labels without the noise of noise_std.
    train_size, ridge, noise_std : floats or arrays, broadcast against each other
        n (any real, 0 <= n <= M), the absolute ridge delta, the standard deviation of independent label noise.
        A kernel that is singular (duplicated samples, low rank; condition number above 1e9) gets at least the ridge
        1e-9 |K|, the norm being the largest row sum: the limit of a small ridge. Others are solved at ridge 0 itself.
    population : int, optional
        Samples of the data set that these M were drawn from at random: training sets are a smaller share of it, and so of all
        that is said of training points and the others together. Missing: M.

    Returns
    -------
    SamplePrediction

    Raises
    ------
    ValueError
        A matrix that is not square, finite, symmetric, positive semi-definite; labels that do not fit it or are not
        finite; a negative or non-finite train_size, ridge or noise_std; train_size > M.

    Warns
    -----
    IllConditioned
        The kernel is singular, and a ridge below 1e-9 |K| is asked for.

    Notes
    -----
    One factorization and inverse of (M, M) per Newton step, two or three steps per pair of train_size and ridge;
    neighbours on the grid start each other.
    """
    matrix, y = _checked(matrix, y)
    size = len(matrix)
    given = {"train_size": train_size, "ridge": ridge, "noise_std": noise_std}
    grids = np.broadcast_arrays(*(reals(name, value) for name, value in given.items()))
    n, delta, sigma = (grid.copy() for grid in grids)
    require(bool((n <= size).all()), f"train_size {n.max(initial=0.0):g} is more than the {size} samples of the matrix")
    single, labels = y.ndim == 1, y.reshape(size, -1)
    pairs = np.triu_indices(labels.shape[1]) if are_classes(labels) else (np.arange(labels.shape[1]),) * 2

    cells, cell_of = np.unique(np.stack([delta.ravel(), n.ravel()], 1), axis=0, return_inverse=True)
    cell_of = cell_of.ravel()
    floor, condition = smallest_ridge(matrix)
    if (delta < floor).any():
        remark = f"smaller ridges are replaced by {floor:.2g}"
        warn_caller(IllConditioned("the kernel matrix of all samples", condition, floor, remark))
    rows = [None] * n.size
    for cell, solution in enumerate(along(matrix, labels, cells[:, 1] / size, np.fmax(cells[:, 0], floor), pairs)):
        for point in np.flatnonzero(cell_of == cell):
            share = cells[cell, 1] / (size if population is None else population)
            rows[point] = _summary(labels, solution, share, sigma.ravel()[point], pairs)

    def gathered(name):
        values = np.array([row[name] for row in rows])
        values = values.reshape((*n.shape, *values.shape[1:]))
        return values[..., 0] if single and name not in SHARED else values

    require(bool(rows), "train_size, ridge and noise_std hold no value")
    return SamplePrediction(n, delta, sigma, **{name: gathered(name) for name in rows[0]})


def _checked(matrix, y):
    matrix = finite_array("matrix", matrix)
    require(
        matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and len(matrix) > 0,
        f"matrix must be the square kernel matrix (M, M) of all samples, got shape {matrix.shape}",
    )
    asymmetry = np.abs(matrix - matrix.T).max()
    require(
        asymmetry <= 1e-8 * np.abs(matrix).max(),
        f"matrix is not symmetric, K_xz and K_zx differ by up to {asymmetry:.3g}; give the kernel of the samples "
        "with themselves, or (K + K.T) / 2 if this is rounding",
    )
    y = labels_from("y", y, len(matrix), "the matrix")
    require(y.size > 0, f"y must be (M,) or (M, outputs), got shape {y.shape}")
    return matrix, y


def _summary(labels, solution, c, sigma, pairs):
    """The fields of SamplePrediction at one grid point; c is the share of all samples that is trained on."""
    shrunk, noise = solution.trained[:, None], sigma**2
    own = pairs[0] == pairs[1]
    residual = (1 - c + c * shrunk) * solution.off_residual
    off = solution.off_train[:, :-1][:, own] + noise * solution.off_train[:, -1:]
    everywhere = (1 - c + c * shrunk**2) * off + 2 * c * (1 - shrunk) * noise
    accuracy = off_accuracy = np.nan
    if are_classes(labels):
        accuracy, off_accuracy = _accuracies(labels, solution, c, noise, pairs)
    with np.errstate(invalid="ignore"):
        learnability = 1 - (labels * residual).sum(0) / (labels**2).sum(0)
    return {
        "learnability": learnability,
        "test_mse": everywhere.mean(0),
        "test_mse_off_train": off.mean(0),
        "train_mse": (shrunk**2 * off).mean(0),
        "accuracy": accuracy,
        "accuracy_off_train": off_accuracy,
        "kappas": solution.kappa / len(labels),
        "overfitting_coefficients": solution.overfitting,
        "residual": residual,
        "off_train_errors": off,
        "off_train_residual": solution.off_residual,
        "newton_steps": solution.steps,
    }


def _accuracies(labels, solution, c, noise, pairs):
    """Over all samples, and where they are not in the training set; the learned function is taken as Gaussian."""
    missed, shrunk, outputs = solution.off_residual, solution.trained[:, None], labels.shape[1]
    spread = np.empty((len(labels), outputs, outputs))
    products = solution.off_train[:, :-1] - missed[:, pairs[0]] * missed[:, pairs[1]]
    spread[:, pairs[0], pairs[1]] = spread[:, pairs[1], pairs[0]] = products
    spread += (noise * np.fmax(solution.off_train[:, -1] - 1, 0))[:, None, None] * np.eye(outputs)
    kept = shrunk[:, :, None] ** 2 * spread + noise * (1 - shrunk[:, :, None]) ** 2 * np.eye(outputs)
    off, on = (_right(labels, labels - missed, spread), _right(labels, labels - shrunk * missed, kept))
    return (1 - c) * off + c * on, off


def _right(labels, mean, covariance):
    """Mean probability of the right sign, or that the right output is the largest."""
    if labels.shape[1] > 1:
        return right_output_is_largest(mean, covariance, labels.argmax(1)).mean()
    margin, variance = (labels * mean)[:, 0], np.fmax(covariance[:, 0, 0], 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return special.ndtr(np.where(margin == 0, 0.0, margin / np.sqrt(variance))).mean()
