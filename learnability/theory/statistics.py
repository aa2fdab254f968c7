r"""What follows from the first- and second-order statistics of the learned function: accuracy, gradients, other test sets.

All functions take a `Prediction`, whose learned coefficients have mean L_i v_i and variance E_test L_i^2 / n.
"""

import numpy as np
from scipy.special import ndtr

from ..common.errors import require
from ..common.threads import one_thread


def off_training_mse(test_mse, train_mse, train_size, points, noise_std=0.0):
    """Test error off the training set of a finite domain, (M E_test - n E_train) / (M - n).

    test_mse, train_mse, train_size, noise_std : arrays of one shape; points : int, M. Returns nan at n >= M and where
    labels are noisy, because the train error is then not that of the function.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (points * test_mse - train_size * train_mse) / (points - train_size)
    return np.where((np.asarray(noise_std) == 0) & (train_size < points), values, np.nan)


@one_thread
def sign_accuracy(prediction, points, off_train=False):
    """Share of all M points, or of those off the training set, on which the learned function has the sign of a +-1 target.

    Learned functions are taken as Gaussian. Off the training set the learned function times the target has mean
    m = 1 - (1 - L)/u and variance V = E_off - sigma^2 - (1 - m)^2, on it mean 1 - s (1 - m) and variance
    s^2 V + (1 - s)^2 sigma^2, with u and s those of the prediction's `population`. Without one, u = 1 - n/M, s = 0, and nan is
    returned with a ridge or noise.
    """
    require(prediction.power.size == len(prediction.power), "sign_accuracy needs a target with one output")
    n, noise = prediction.train_size, prediction.noise_std**2
    learnability, test_mse, train_mse = (
        values.reshape(n.shape) for values in (prediction.learnability, prediction.test_mse, prediction.train_mse)
    )
    share = np.minimum(n / points, 1.0)
    known = prediction.test_mse_off_train is not None
    if known:
        off_mse = prediction.test_mse_off_train.reshape(n.shape) - noise
        unlearned, kept = (
            a.reshape(n.shape) for a in (prediction.solution.unlearned, prediction.solution.residual_kept)
        )
    else:
        off_mse = off_training_mse(test_mse, train_mse, n, points)
        unlearned, kept = 1 - share, np.zeros(n.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        missed = np.where(unlearned > 0, (1 - learnability) / unlearned, 0.0)
        variance = np.maximum(off_mse - missed**2, 0)
        off = _positive(1 - missed, variance)
        on = _positive(1 - kept * missed, kept**2 * variance + (1 - kept) ** 2 * noise)
        everywhere = np.where(share < 1, share * on + (1 - share) * off, on)
        accuracy = np.where(share < 1, off, np.nan) if off_train else everywhere
    stated = known | ((prediction.ridge == 0) & (noise == 0))
    return np.where(stated, accuracy, np.nan)


def _positive(mean, variance):
    """Probability that a Gaussian is positive; of a constant, that of its sign."""
    spread = np.sqrt(variance)
    return np.where(spread > 0, ndtr(mean / np.where(spread > 0, spread, 1.0)), (np.sign(mean) + 1) / 2)


@one_thread
def mean_squared_gradient(prediction, laplacian):
    """E|grad fhat|^2 = sum_i mu_i E[vhat_i^2], with mu_i the eigenvalues of the (negative) Laplacian of the domain.

    Parameters
    ----------
    laplacian : (levels,)
        Per mode of the spectrum: k^2 on the circle, k (k + dim - 2) / radius^2 on the sphere.
    """
    require(prediction.power.ndim == 1, "mean_squared_gradient needs a target with one output")
    counts = prediction.spectrum.multiplicities
    mean_squares = prediction.coefficient_mean**2 + counts * prediction.coefficient_variance
    return (mean_squares * np.asarray(laplacian)).sum(-1)


@one_thread
def shifted_test_mse(prediction, coefficients, overlap):
    """Test error under a distribution other than the training one.

    sum_ij O_ij (1 - L_i)(1 - L_j) v_i v_j + sum_i O_ii Var[vhat_i], for clean labels.

    Parameters
    ----------
    prediction : Prediction of a spectrum with one mode per level and one output
    coefficients : (modes,), signed target coefficients v_i
    overlap : (modes, modes)
        O_ij = E_test[phi_i phi_j]; the identity for the training distribution.

    Raises
    ------
    ValueError
        A spectrum whose levels hold several modes.
    """
    require(bool((prediction.spectrum.multiplicities == 1).all()), "shifted_test_mse needs one mode per level")
    learned = prediction.mode_learnabilities
    missed = (1 - learned) * coefficients
    variance = prediction.coefficient_variance @ np.diag(overlap)
    return np.einsum("...i,ij,...j->...", missed, overlap, missed) + variance
