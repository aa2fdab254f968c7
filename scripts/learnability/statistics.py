r"""What follows from the first- and second-order statistics of the learned function: accuracy, gradients, other test sets.

All functions take a `Prediction`, whose learned coefficients have mean L_i v_i and variance E_test L_i^2 / n.
"""

import numpy as np
from scipy.special import ndtr

from .errors import require


def off_training_mse(prediction, points):
    """Test error off the training set of a finite domain, (M E_test - n E_train) / (M - n), for clean labels.

    prediction : Prediction with one output; points : int, M. Returns the grid's shape; nan at n >= M and with noise.
    """
    n, test, train = prediction.train_size, prediction.test_mse, prediction.train_mse
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (points * test - n * train) / (points - n)
    return np.where((prediction.noise_std == 0) & (n < points), values, np.nan)


def sign_accuracy(prediction, points):
    """Share of all M points on which the learned function has the sign of a +-1 target (Gaussian approximation).

    Without ridge the n training points are right. On the others the learned function times the target has mean
    m = (L - r)/(1 - r), r = n/M, and variance E_off - (1 - m)^2.
    """
    require(prediction.squeeze, "sign_accuracy needs a target with one output")
    share = np.minimum(prediction.train_size / points, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (prediction.learnability - share) / (1 - share)
        spread = np.sqrt(np.maximum(off_training_mse(prediction, points) - (1 - mean) ** 2, 0))
        off = np.where(spread > 0, ndtr(mean / np.where(spread > 0, spread, 1.0)), (np.sign(mean) + 1) / 2)
        return np.where(share < 1, share + (1 - share) * off, 1.0)


def mean_squared_gradient(prediction, laplacian):
    """E|grad fhat|^2 = sum_i mu_i E[vhat_i^2], with mu_i the eigenvalues of the (negative) Laplacian of the domain.

    Parameters
    ----------
    laplacian : (levels,)
        Per mode of the spectrum: k^2 on the circle, k (k + dim - 2) / radius^2 on the sphere.
    """
    require(prediction.squeeze, "mean_squared_gradient needs a target with one output")
    counts = prediction.spectrum.multiplicities
    mean_squares = prediction.coefficient_mean**2 + counts * prediction.coefficient_variance
    return (mean_squares * np.asarray(laplacian)).sum(-1)


def shifted_test_mse(prediction, coefficients, overlap):
    """Test error under a distribution other than the training one.

    sum_ij O_ij (1 - L_i)(1 - L_j) v_i v_j + (E_test / n) sum_i O_ii L_i^2, for clean labels.

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
    n = np.where(prediction.train_size > 0, prediction.train_size, np.inf)
    variance = prediction.test_mse / n * (learned**2 @ np.diag(overlap))
    return np.einsum("...i,ij,...j->...", missed, overlap, missed) + variance
