"""The arguments of `learnability.predict_samples`: checked, and errors that say what to give instead."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

from ..common.arrays import Floats, finite_array
from ..common.arrays import labels as labels_from
from ..common.errors import reals, require
from ..common.groups import group_numbers
from ..kernels.matrix import LARGEST_MATRIX


def relative_rates(size: int, n: np.ndarray, rates: ArrayLike | None) -> np.ndarray:
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


def checked_groups(groups: ArrayLike, size: int, rates: ArrayLike | None = None) -> np.ndarray:
    """(M,) of int: the number of every sample's group."""
    require(rates is None, "rates are those of single samples, and groups are selected as a whole; give one of the two")
    require(
        size <= LARGEST_MATRIX,
        f"groups are solved for up to {LARGEST_MATRIX} samples, got {size}; give the samples of some groups, drawn at random",
    )
    return group_numbers(groups, size)


def checked(matrix: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """The kernel matrix and the labels as arrays of numbers."""
    matrix = checked_matrix(matrix)
    return matrix, checked_labels(matrix, y)


def checked_matrix(matrix: ArrayLike) -> Floats:
    """The kernel matrix as an array of numbers."""
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
    return matrix


def checked_labels(matrix: Floats, y: ArrayLike) -> Floats:
    """The labels of a checked matrix as an array of numbers."""
    y = labels_from("y", y, len(matrix), "the matrix")
    require(y.size > 0, f"y must be (M,) or (M, outputs), got shape {y.shape}")
    return y


def checked_test_set(
    kernel: ArrayLike | None, labels: ArrayLike | None, matrix: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The test set as (T, M) and (T, outputs); T = 0 without one."""
    require((kernel is None) == (labels is None), "test_kernel and test_y belong together; give both or neither")
    if kernel is None or labels is None:
        kernel, labels = np.empty((0, len(matrix))), np.empty((0, *y.shape[1:]))
    kernel, labels = finite_array("test_kernel", kernel), labels_from("test_y", labels, len(kernel), "test_kernel")
    require(
        kernel.ndim == 2 and kernel.shape[1] == len(matrix),
        f"test_kernel must be (T, {len(matrix)}), the kernel of test points with all samples, got shape {kernel.shape}",
    )
    require(
        labels.shape == (len(kernel), *y.shape[1:]),
        f"test_y must be {(len(kernel), *y.shape[1:])}, as test_kernel and y are, got shape {labels.shape}",
    )
    return kernel, labels.reshape(len(labels), y[:1].size)


def as_one_error(labels: np.ndarray) -> np.ndarray:
    """Labels (M, outputs) turned so that they are no classes: the mean error stays, and accuracies are not computed."""
    outputs = labels.shape[1]
    if outputs == 1:
        return labels
    return labels @ linalg.qr(np.random.default_rng(0).standard_normal((outputs, outputs)))[0]
