"""From learned functions to numbers. Functions are given by their values, (..., points, outputs)."""

import numpy as np


def learnability(target, learned):
    """<f, fhat> / <f, f> over points and outputs. Returns (...); nan for the zero function."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (target * learned).sum((-2, -1)) / (target * target).sum((-2, -1))


def mean_squared_error(target, learned, points=None):
    """mean((f - fhat)^2) over points and outputs; `points`, a mask (points,), says over which points.

    Returns (...); nan where no point is left.
    """
    squared = ((target - learned) ** 2).mean(-1)
    if points is None:
        return squared.mean(-1)
    return squared[..., points].mean(-1) if points.any() else np.full(squared.shape[:-1], np.nan)


def accuracy(target, learned):
    """Share of points classified rightly: by sign for a +-1 target, by the largest of several outputs.

    Returns (...); nan for a single output that is not +-1.
    """
    if target.shape[-1] > 1:
        return (target.argmax(-1) == learned.argmax(-1)).mean(-1)
    signs = np.abs(target).min((-2, -1)) == np.abs(target).max((-2, -1))
    right = (np.sign(learned) == np.sign(target))[..., 0].mean(-1)
    return np.where(signs, right, np.nan)


def coefficients(eigenfunctions, learned):
    """Eigencoefficients E[phi_i fhat] of learned functions (..., points) on a finite domain.

    eigenfunctions : (points, modes). Returns (..., modes).
    """
    return learned @ eigenfunctions / len(eigenfunctions)
