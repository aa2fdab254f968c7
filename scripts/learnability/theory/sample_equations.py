"""The fixed point of the per-sample theory: a ridge of its own for every sample.

    Q = (K + delta + diag mu)^-1,     mu_x Q_xx = 1 - c

The equations, and what follows from their solution, stand in `learnability.theory.per_sample`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from ..common.errors import require

EPSILON = np.finfo(float).eps
TOLERANCE = 1e-7  # of log(mu Q) or log(1 - mu Q); leaves about as much in the errors of samples, a tenth in means
SINGULAR = 1e-9  # reciprocal condition number: Q loses nine of its sixteen digits
ROUNDING = 1e-4  # an error this small that does not shrink further is rounding, of kernels that are nearly singular
LONGEST_STEP = 3.0  # in log mu
HARD = 5  # steps; then a singular kernel is at work
STEPS = 100


def smallest_ridge(matrix: np.ndarray) -> tuple[float, float]:
    """0, or for a singular matrix the ridge it needs; and its condition number by LAPACK's estimate, at most 1 / eps."""
    norm = np.abs(matrix).sum(1).max()
    factor, failed = linalg.lapack.dpotrf(matrix, lower=1)
    reciprocal = 0.0 if failed else linalg.lapack.dpocon(factor, norm, uplo="L")[0]
    condition = 1 / max(reciprocal, EPSILON)
    if reciprocal > SINGULAR:
        return 0.0, condition
    ridge = SINGULAR * (norm or 1.0)
    _inverse(matrix, ridge)
    return ridge, condition


@dataclass(frozen=True)
class SampleSolution:
    """At one c and delta; a column of off_train per pair of outputs, then one for the noise."""

    kappa: np.ndarray  # (M,)
    residual: np.ndarray  # (M, outputs), y - E[fhat]
    off_residual: np.ndarray  # (M, outputs)
    off_train: np.ndarray  # (M, pairs + 1): mean products of two residuals where x is not selected
    trained: np.ndarray  # (M,): s, by which training on a sample shrinks its residual
    overfitting: np.ndarray  # (M,)
    steps: int


def along(matrix, labels, shares, ridges, pairs):
    """Solve at every (c, delta), in order: c increases at each delta. pairs : two arrays, outputs i and j."""
    size = len(matrix)
    first = path = None  # of one delta: (logit c, log mu, d log mu / d logit c) solved before
    previous = None
    for c, delta in zip(shares, ridges, strict=True):
        if delta != previous:
            first, path, previous = path[0] if path else first, [], delta
        if c == 0:
            shrunk = delta / np.fmax(np.diag(matrix) + delta, np.finfo(float).tiny)
            off = np.hstack([labels[:, pairs[0]] * labels[:, pairs[1]], np.ones((size, 1))])
            yield SampleSolution(np.full(size, np.inf), labels, labels, off, shrunk, np.ones(size), 0)
            continue
        logit = special.logit(min(c, 1 - EPSILON))
        known = path or [first or (logit, np.log(np.diag(matrix) + delta) - logit, np.zeros(size))]
        start = _extrapolated(known, logit)
        log_mu, inverse, steps = _balance(matrix, delta, c, start)
        solution, slope = _errors(inverse, labels, log_mu, delta, c, steps, pairs)
        if c < 1:
            path.append((logit, log_mu, slope))
        yield solution


def _extrapolated(path, logit):
    """log mu at a new logit c: the cubic through the last two values and slopes, a straight line if they are far."""
    last, value, slope = path[-1]
    step = logit - last
    change = step * slope
    if len(path) > 1 and step < 2 * (last - path[-2][0]):
        before, old_value, old_slope = path[-2]
        width = last - before
        secant = (value - old_value) / width
        bend, twist = (slope - secant) / width, (slope - 2 * secant + old_slope) / width**2
        change = change + step**2 * (bend + (step + width) * twist)
    return value - step + np.clip(change + step, -LONGEST_STEP, LONGEST_STEP)  # mu c / (1 - c) changes slowly


def _balance(matrix, delta, c, log_mu):
    """Newton's method for mu_x Q_xx = 1 - c on the logarithm of mu_x Q_xx or of 1 - mu_x Q_xx, whichever is smaller.

    Its matrix diag(m) - m Theta m, m_x = mu_x Q_xx, is positive definite: the equations are the gradient of
    log det(K + delta + diag mu) - (1 - c) sum log mu, convex in log mu.
    """
    if c == 1:
        return np.full(len(matrix), -np.inf), _inverse(matrix, delta), 1
    best = np.inf
    for step in range(1, STEPS + 1):
        mu = np.exp(log_mu)
        inverse = _inverse(matrix, delta + mu)
        kept = np.clip(mu * np.diag(inverse), EPSILON, 1 - EPSILON)
        lost = (1 - kept) / kept
        excess = np.log((1 - kept) / c) if c < 0.5 else np.log(kept / (1 - c))
        largest = np.abs(excess).max()
        if largest <= TOLERANCE or best <= ROUNDING and largest >= best / 2:
            return log_mu, inverse, step
        best = largest
        if step < HARD:
            right = lost * excess if c < 0.5 else -excess
        else:
            right = (1 - c) / kept - 1
        change = linalg.cho_solve(_curvature(inverse, lost, np.float32 if step < HARD else float), right) / kept
        length = np.abs(change).max()
        log_mu = log_mu + change * (min(1.0, LONGEST_STEP / length) if step < HARD else np.log1p(length) / length)
    raise ArithmeticError(f"no convergence at n/M = {c:g}, ridge {delta:g}: mu Q is still off by {largest:.1g}")


def _inverse(matrix, nugget):
    """The lower triangle of (matrix + diag nugget)^-1, zero above."""
    shifted = np.array(matrix, order="F")
    shifted[np.diag_indices(len(matrix))] += nugget
    factor, failed = linalg.lapack.dpotrf(shifted, lower=1, overwrite_a=1)
    require(failed == 0, "matrix is not positive semi-definite; a kernel's is, up to rounding")
    return linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)[0]


def _curvature(inverse, diagonal, dtype=np.float64):
    """The Cholesky factor of 1 + diag(diagonal) - Theta, of which the lower triangle is formed."""
    root = (1 / np.sqrt(np.diag(inverse))).astype(dtype)
    theta = inverse.astype(dtype)
    theta *= root[:, None]
    theta *= root
    np.multiply(theta, -theta, out=theta)
    theta[np.diag_indices(len(theta))] = diagonal
    return linalg.cho_factor(theta, lower=True, overwrite_a=True, check_finite=False)


def _errors(inverse, labels, log_mu, delta, c, steps, pairs):
    """Errors of every sample once mu is known, and d log mu / d logit c."""
    diagonal = np.diag(inverse).copy()
    alpha = linalg.blas.dsymm(1.0, inverse, labels, lower=1)
    entries = inverse**2
    lengths = entries.sum(0) + entries.sum(1) - diagonal**2  # diag Q^2
    kappa = delta + np.exp(log_mu)
    shrunk = np.fmin(delta * diagonal / c, 1.0)
    weight = 1 - c + c * shrunk**2
    squares = np.column_stack([alpha[:, pairs[0]] * alpha[:, pairs[1]], lengths, weight, diagonal])
    right = squares / diagonal[:, None]
    if c < 1:
        right = linalg.cho_solve(_curvature(inverse, c / (1 - c)), right) / (1 - c)
    off = c * right[:, :-2] / diagonal[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # it diverges at n = M without a ridge, where residuals vanish
        overfitting = np.where(kappa > 0, c * right[:, -2] / (kappa**2 * diagonal), np.inf)
    residual, off_residual = kappa[:, None] * alpha, alpha / diagonal[:, None]
    return SampleSolution(kappa, residual, off_residual, off, shrunk, overfitting, steps), -c * right[:, -1]
