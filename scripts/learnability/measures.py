"""From learned functions to numbers. Functions are given by their values on the evaluation points, the last axis."""

import numpy as np


def learnability(target, learned):
    """<f, fhat> / <f, f> over the evaluation points.

    target : (..., points), learned : (..., points), broadcastable. Returns (...); nan for the zero function.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return (target * learned).sum(-1) / (target * target).sum(-1)


def mean_squared_error(target, learned, points=None):
    """mean((f - fhat)^2) over the evaluation points, or over the ones where `points` (..., points) is true.

    Returns (...); nan where no point is left.
    """
    squared = (target - learned) ** 2
    if points is None:
        return squared.mean(-1)
    count = points.sum(-1)
    return np.where(count > 0, np.where(points, squared, 0.0).sum(-1) / np.maximum(count, 1), np.nan)


def coefficients(eigenfunctions, learned):
    """Eigencoefficients E[phi_i fhat] of learned functions on a finite domain.

    eigenfunctions : (points, modes), learned : (..., points). Returns (..., modes).
    """
    return learned @ eigenfunctions / len(eigenfunctions)
