r"""The per-sample equations beyond the samples: more samples are less ridge.

For c = n/M > 1 the ridge mu of every sample becomes -nu < 0 (docs/research/beyond-the-data.md):

    Q = (K + delta - diag nu)^-1,     nu_x Q_xx = c - 1,     (1 + (c - 1) Theta) p = c alpha^2 / Q_xx,     o_x = p_x / Q_xx.

In v = log nu the first makes Phi = -log det(K + delta - diag e^v) - (c - 1) sum v stationary. Its Hessian diag m + m Theta m,
m = nu Q_xx, is positive definite on a convex set, at the edge of which Phi grows without bound: one solution for every c > 1.
Single o_x may be negative, only means are errors.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

TOLERANCE = 1e-6  # of log(nu Q)
STEPS, HALVINGS = 40, 20
LONGEST_STEP = 2.0  # in log nu
NEARBY = 0.5  # an excess of log(nu Q) below which Newton's method on it is better than on nu Q


@dataclass(frozen=True)
class Continuation:
    """Errors beyond the samples, as far as Newton's method gets."""

    shares: np.ndarray  # (reached,): c > 1
    errors: np.ndarray  # (reached, M): off the training set, averaged over outputs
    exponent: float  # -d log kappa / d log n beyond M, kappa the mean of 1 / Q_xx; 1 where nothing is reached
    noise: float  # E_0 at n = M: what label noise is multiplied by in the test error


def continued(matrix: np.ndarray, labels: np.ndarray, ridge: float, shares: tuple[float, ...]) -> Continuation:
    """Solve at increasing c > 1.

    Parameters
    ----------
    matrix : (M, M), with the ridge positive definite; labels : (M, outputs)
    """
    inverse = _inverse(matrix, ridge, np.zeros(len(matrix)))
    diagonal = np.diag(inverse)
    noise, kappa = ((inverse**2).sum(1) / diagonal**2).mean(), (1 / diagonal).mean()
    nu, reached, errors, exponent, before = 1 / diagonal, [], [], 1.0, None
    for c in shares:
        solved = _balanced(matrix, ridge, c, nu * (c - 1 if before is None else np.sqrt((c - 1) / (before - 1))))
        if solved is None:
            break
        nu, inverse = solved
        diagonal = np.diag(inverse)
        system = (c - 1) * inverse**2 / diagonal[:, None] / diagonal
        system[np.diag_indices(len(system))] += 1
        squares = c * (inverse @ labels) ** 2 / diagonal[:, None]
        solution = linalg.cho_solve(linalg.cho_factor(system, lower=True, overwrite_a=True), squares)
        reached.append(c)
        errors.append((solution / diagonal[:, None]).mean(1))
        before, exponent = c, np.log(kappa / (1 / diagonal).mean()) / np.log(c)
    return Continuation(np.array(reached), np.reshape(errors, (-1, len(matrix))), float(exponent), float(noise))


def _factor(matrix: np.ndarray, ridge: float, nu: np.ndarray) -> np.ndarray | None:
    """The Cholesky factor of K + ridge - diag nu, None where that is not positive definite."""
    shifted = np.array(matrix, order="F")
    shifted[np.diag_indices(len(matrix))] += ridge - nu
    factor, failed = linalg.lapack.dpotrf(shifted, lower=1, overwrite_a=1)
    return None if failed else factor


def _inverse(matrix: np.ndarray, ridge: float, nu: np.ndarray) -> np.ndarray:
    factor = _factor(matrix, ridge, nu)
    if factor is None:
        raise ValueError("K + ridge is not positive definite; use a ridge, or a larger one")
    return _inverse_of(factor)


def _inverse_of(factor: np.ndarray) -> np.ndarray:
    lower = np.tril(linalg.lapack.dpotri(factor, lower=1)[0])
    return lower + np.tril(lower, -1).T


def _balanced(matrix: np.ndarray, ridge: float, c: float, nu: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """nu and Q with nu_x Q_xx = c - 1, by Newton's method with a line search on Phi; None where it does not converge."""
    factor = _factor(matrix, ridge, nu)
    while factor is None:
        nu = nu / 1.5
        factor = _factor(matrix, ridge, nu)
    for _ in range(STEPS):
        inverse = _inverse_of(factor)
        diagonal = np.diag(inverse)
        share = nu * diagonal
        excess = np.log(share / (c - 1))
        largest = np.abs(excess).max()
        if largest < TOLERANCE:
            return nu, inverse
        curvature = inverse**2 * nu[:, None] * nu  # m Theta m
        curvature[np.diag_indices(len(curvature))] += share
        right = share * excess if largest < NEARBY else share - (c - 1)
        change = -linalg.cho_solve(linalg.cho_factor(curvature, lower=True, overwrite_a=True), right)
        nu, factor = _descended(matrix, ridge, c, nu, factor, change)
        if factor is None:
            return None
    return None


def _descended(
    matrix: np.ndarray, ridge: float, c: float, nu: np.ndarray, factor: np.ndarray, change: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """nu after a step along `change` at which Phi is not larger."""

    def phi(nu: np.ndarray, factor: np.ndarray) -> float:
        return -2 * np.log(np.diag(factor)).sum() - (c - 1) * np.log(nu).sum()

    value, step = phi(nu, factor), min(1.0, LONGEST_STEP / np.abs(change).max())
    for _ in range(HALVINGS):
        trial = nu * np.exp(step * change)
        tried = _factor(matrix, ridge, trial)
        if tried is not None and phi(trial, tried) <= value + 1e-9 * abs(value):
            return trial, tried
        step /= 2
    return nu, None
