"""Test sets of another distribution than the training sets: digits with noisy pixels and classes in other proportions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..common.seeding import stream
from ..curves.learning_curve import curve_of
from ..domains.kernel_on_domain import KernelOnDomain
from ..domains.samples import Samples
from ..kernels import architecture_from
from ..regression.ridge import dual_coefficients
from ..tables.means import Row, mean_row, table
from .entries import Entry


def run(
    architecture: Entry,
    digits: Sequence[int] = (3, 8),
    pool: int = 200,
    train_sizes: Sequence[int] = (20, 40, 80, 160),
    ridge: float = 0.1,
    noises: Sequence[float] = (0.0, 0.5),
    shares: Sequence[float] = (0.5, 0.9),
    draws: int = 100,
) -> pd.DataFrame:
    """Predict and measure error and accuracy on test sets that training sets are not drawn from.

    Parameters
    ----------
    architecture : dict
    digits : two of scikit-learn's digits, learned as +1 and -1
    pool : int
        Images that training sets are drawn from; test sets are of the others.
    noises : sequence of floats
        Standard deviation of Gaussian noise on the pixels of the test set, in units of the pixels' own.
    shares : sequence of floats between 0 and 1
        Of the first digit in the test set; every pair of noise and share is a test set.
    draws : int, training sets per size

    Returns
    -------
    DataFrame
        Rows "error" and "accuracy" per shift (noise, share) and train_size: measured (mean) and predicted (theory).
    """
    x, y, others, labels = _images(digits, pool)
    data, index = Samples(x, y), np.arange(pool)
    learner = KernelOnDomain(data, architecture_from(architecture))
    rows: list[Row] = []
    for noise in noises:
        for share in shares:
            kept = _in_proportion(labels, share)
            dirt = stream("noisy pixels of shifted_test", noise=noise, share=share).standard_normal(others[kept].shape)
            tests = others[kept] + noise * dirt, labels[kept]
            curve = curve_of(learner, data.all(), [*train_sizes], ridge, test_set=tests)
            keys = {"shift": f"noise {noise:g}, {100 * share:.0f} % digit {digits[0]}", "noise": noise, "share": share}
            across = learner.cross(tests[0], index)
            for number, n in enumerate(train_sizes):
                errors, accuracies = _measured(learner.matrix(index), y, across, tests[1], n, ridge, draws)
                at = {**keys, "train_size": n}
                rows.append(mean_row("kernel", "error", errors, curve.test_set_mse[number], **at))
                rows.append(mean_row("kernel", "accuracy", accuracies, curve.test_set_accuracy[number], **at))
    return table(rows)


def _images(digits: Sequence[int], pool: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images and labels of the pool and of the others, scaled by the pool."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x, y = x[np.isin(y, digits)], y[np.isin(y, digits)]
    order = stream("images of shifted_test", digits=[*digits]).permutation(len(x))
    x, y = x[order], np.where(y[order] == digits[0], 1.0, -1.0)
    x = (x - x[:pool].mean(0)) / x[:pool].std()
    return x[:pool], y[:pool], x[pool:], y[pool:]


def _in_proportion(labels: Float[np.ndarray, " images"], share: float) -> np.ndarray:
    """The first images of each class, as many as there are in this proportion."""
    first, second = np.flatnonzero(labels > 0), np.flatnonzero(labels < 0)
    total = min(len(first) / share if share else np.inf, len(second) / (1 - share) if share < 1 else np.inf)
    return np.sort(np.concatenate([first[: round(share * total)], second[: round((1 - share) * total)]]))


def _measured(
    matrix: np.ndarray, y: np.ndarray, across: np.ndarray, labels: np.ndarray, train_size: int, ridge: float, draws: int
) -> tuple[Float[np.ndarray, " draws"], Float[np.ndarray, " draws"]]:
    """Errors and accuracies of kernel regression on random training sets."""
    errors, accuracies = np.empty(draws), np.empty(draws)
    for draw in range(draws):
        train = stream("training set of shifted_test", n=train_size, draw=draw).permutation(len(y))[:train_size]
        learned = across[:, train] @ dual_coefficients(matrix[np.ix_(train, train)], y[train], ridge)[0]
        errors[draw], accuracies[draw] = ((labels - learned) ** 2).mean(), (labels * learned > 0).mean()
    return errors, accuracies
