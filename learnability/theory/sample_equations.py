r"""The fixed point of the per-sample theory: a ridge of its own for every site.

    Q = (K + delta / m + diag mu)^-1,     mu_x Q_xx = 1 - C_x

A site is a sample, or m samples that coincide; C is the probability c_x that a single sample is selected, and what
`learnability.theory.sites` says for several. With alpha = Q y, Theta_xz = Q_xz^2 / (Q_xx Q_zz) and the odds
omega = (1 - E[s])^2 / Var[s], which are c / (1 - c) for a single sample,

    o_x = (alpha_x / Q_xx)^2 + sum over z != x of (Q_xz / Q_xx)^2 (o_z / omega_z + nu_z)

is the mean squared error at a site of which no copy is selected, nu_z Q_zz^2 the noise of its dual coefficient. A point that is
never selected, t, reads its error off the others: with W = K_t Q,

    o_t = (y_t - K_t alpha)^2 + sum over z of W_z^2 (o_z / omega_z + nu_z).

Derivation: docs/research/rates.md. What follows for every sample: `learnability.theory.per_sample`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, special

from ..common.errors import require
from .sites import EPSILON, Occupation, shrinkage

TOLERANCE = 1e-7  # of log(mu Q) or log(1 - mu Q); leaves about as much in the errors of samples, a tenth in means
SINGULAR = 1e-9  # reciprocal condition number: Q loses nine of its sixteen digits
ROUNDING = 1e-4  # an error this small that does not shrink further is rounding, of kernels that are nearly singular
LONGEST_STEP = 3.0  # in log mu
HARD = 5  # steps; then a singular kernel is at work
STEPS = 100


def smallest_ridge(matrix: np.ndarray) -> float:
    """0, or for a singular matrix the ridge it needs."""
    return needed_ridge(matrix)[0]


def needed_ridge(matrix: np.ndarray) -> tuple[float, float]:
    """`smallest_ridge`, and the condition number by LAPACK's estimate, at most 1 / eps."""
    norm = np.abs(matrix).sum(1).max()
    factor, failed = linalg.lapack.dpotrf(matrix, lower=1)
    reciprocal = 0.0 if failed else linalg.lapack.dpocon(factor, norm, uplo="L")[0]
    condition = 1 / max(reciprocal, EPSILON)
    if reciprocal > SINGULAR:
        return 0.0, condition
    ridge = SINGULAR * (norm or 1.0)
    lower_inverse(matrix, ridge)
    return ridge, condition


@dataclass(frozen=True)
class Pool:
    """The sites that training sets are drawn from, and points that are never drawn.

    Errors have a column per pair of outputs; `pairs` are two arrays, outputs i and j.
    """

    matrix: np.ndarray  # (S, S)
    labels: np.ndarray  # (S, outputs)
    copies: np.ndarray  # (S,) of int
    relative: np.ndarray  # (S,): the selection probability of each over the mean of all samples
    scatter: np.ndarray  # (S, pairs): mean product of two labels' distances from their means over the copies
    pairs: tuple[np.ndarray, np.ndarray]
    cross: np.ndarray  # (T, S): the kernel between points that are never selected and sites
    cross_labels: np.ndarray  # (T, outputs)
    counted: int  # how many points of the last rows of `cross` count in the errors over all samples


@dataclass(frozen=True)
class Columns:
    """The columns of one target, where several are solved together."""

    outputs: slice
    pairs: slice


@dataclass(frozen=True)
class SampleSolution:
    """At one c and delta, at the sites where no copy of them is selected."""

    kappa: np.ndarray  # (S,)
    residual: np.ndarray  # (S, outputs), y - E[fhat], selected or not
    off_residual: np.ndarray  # (S, outputs)
    off_train: np.ndarray  # (S, pairs): mean products of two residuals
    noise: np.ndarray  # (S,): variance of fhat per unit variance of label noise
    variance: np.ndarray  # (S,): sigma^2
    trained: np.ndarray  # (S,): s, by which training on one copy shrinks a site's residual
    rates: np.ndarray  # (S,): c
    overfitting: np.ndarray  # (S,)
    cross_residual: np.ndarray  # (T, outputs)
    cross_errors: np.ndarray  # (T, pairs)
    cross_noise: np.ndarray  # (T,)
    steps: int

    def part(self, own: Columns) -> "SampleSolution":
        """That of one target."""
        return replace(
            self,
            residual=self.residual[:, own.outputs],
            off_residual=self.off_residual[:, own.outputs],
            off_train=self.off_train[:, own.pairs],
            cross_residual=self.cross_residual[:, own.outputs],
            cross_errors=self.cross_errors[:, own.pairs],
        )


Passed = tuple[float, np.ndarray, np.ndarray]  # logit c, log mu, d log mu / d logit c


def along(pool: Pool, shares: np.ndarray, ridges: np.ndarray) -> Iterator[SampleSolution]:
    """Solve at every (mean of c, delta), in order: c increases at each delta."""
    path: list[Passed] = []  # of one delta: what was solved before
    first: Passed | None = None  # of the delta before
    previous = None
    for share, delta in zip(shares, ridges, strict=True):
        if delta != previous:
            first, path, previous = path[0] if path else first, [], delta
        if share == 0:
            yield _nothing(pool, delta)
            continue
        whole = share == 1
        rates = np.ones(len(pool.copies)) if whole else np.fmin(share * pool.relative, 1 - EPSILON)
        logit = special.logit(min(share, 1 - EPSILON))
        guess = (logit, _guess(pool, rates, delta, logit if whole else special.logit(rates)), np.zeros(len(rates)))
        start = _extrapolated(path or [first or guess], logit)
        state = _balance(pool, rates, delta, start)
        solution, slope = _errors(pool, rates, delta, share, *state)
        if not whole:
            path.append((logit, state[0], slope))
        yield solution


def _guess(pool: Pool, rates: np.ndarray, delta: float, logits: np.ndarray | float) -> np.ndarray:
    """log mu as if no site told anything of another."""
    variance = np.diag(pool.matrix)
    selected, rest, *_ = Occupation(pool.copies, rates).share(variance, delta)
    return np.log(variance + delta) - np.where(pool.copies == 1, logits, np.log(selected / rest))


def _nothing(pool: Pool, delta: float) -> SampleSolution:
    """Without a training sample."""
    size, (first, second) = len(pool.copies), pool.pairs
    variance = np.diag(pool.matrix).copy()
    return SampleSolution(
        kappa=np.full(size, np.inf),
        residual=pool.labels,
        off_residual=pool.labels,
        off_train=pool.labels[:, first] * pool.labels[:, second],
        noise=np.zeros(size),
        variance=variance,
        trained=delta / np.fmax(variance + delta, np.finfo(float).tiny),
        rates=np.zeros(size),
        overfitting=np.ones(size),
        cross_residual=pool.cross_labels,
        cross_errors=pool.cross_labels[:, first] * pool.cross_labels[:, second],
        cross_noise=np.zeros(len(pool.cross)),
        steps=0,
    )


def _extrapolated(path: list[Passed], logit: float) -> np.ndarray:
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


def _balance(pool: Pool, rates: np.ndarray, delta: float, log_mu: np.ndarray) -> tuple:
    """Newton's method for mu_x Q_xx = 1 - C_x on the logarithm of mu_x Q_xx or of 1 - mu_x Q_xx, whichever is smaller.

    Its matrix diag(m) - m Theta m, m_x = mu_x Q_xx, is positive definite: for single samples the equations are the gradient of
    log det(K + delta + diag mu) - sum (1 - c) log mu, convex in log mu. For sites its diagonal grows by the change of C.
    Returns log mu, the inverse's lower triangle, the occupation of sites and the number of steps.
    """
    occupation, own = Occupation(pool.copies, rates), delta / pool.copies
    if (rates == 1).all():
        return np.full(len(rates), -np.inf), lower_inverse(pool.matrix, own), occupation, 1
    best = np.inf
    for step in range(1, STEPS + 1):
        mu = np.exp(log_mu)
        inverse = lower_inverse(pool.matrix, own + mu)
        diagonal = np.diag(inverse)
        retained = np.clip(mu * diagonal, EPSILON, 1 - EPSILON)
        lost = (1 - retained) / retained
        share, rest, slope, _ = occupation.share(_variance(1 - retained, diagonal, own), delta)
        feedback = 1 - np.clip(slope / (rest * diagonal), 0, 1 - EPSILON)
        rare = share < 0.5
        excess = np.log(np.where(rare, (1 - retained) / share, retained / rest))
        largest = np.abs(excess).max()
        if largest <= TOLERANCE or best <= ROUNDING and largest >= best / 2:
            return log_mu, inverse, occupation, step
        best = largest
        right = np.where(rare, lost * excess, -excess) if step < HARD else rest / retained - 1
        curvature = _curvature(inverse, lost / feedback, np.float32 if step < HARD else float)
        change = linalg.cho_solve(curvature, right / feedback) / retained
        length = np.abs(change).max()
        log_mu = log_mu + change * (min(1.0, LONGEST_STEP / length) if step < HARD else np.log1p(length) / length)
    raise ArithmeticError(
        f"no convergence at n/M = {rates.mean():g}, ridge {delta:g}: mu Q is still off by {largest:.1g}"
    )


def _variance(share: np.ndarray, diagonal: np.ndarray, own: np.ndarray) -> np.ndarray:
    """sigma^2 = C / Q_xx - delta / m, at least 0."""
    return np.fmax(share / diagonal - own, 0.0)


def lower_inverse(matrix: np.ndarray, nugget: np.ndarray | float) -> np.ndarray:
    """The lower triangle of (matrix + diag nugget)^-1, zero above."""
    shifted = np.array(matrix, order="F")
    shifted[np.diag_indices(len(matrix))] += nugget
    factor, failed = linalg.lapack.dpotrf(shifted, lower=1, overwrite_a=1)
    require(failed == 0, "matrix is not positive semi-definite; a kernel's is, up to rounding")
    return linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)[0]


def _curvature(inverse: np.ndarray, diagonal: np.ndarray, dtype: type = np.float64) -> tuple[np.ndarray, bool]:
    """The Cholesky factor of 1 + diag(diagonal) - Theta, of which the lower triangle is formed."""
    root: np.ndarray = (1 / np.sqrt(np.diag(inverse))).astype(dtype)
    theta: np.ndarray = inverse.astype(dtype)
    theta *= root[:, None]
    theta *= root
    np.multiply(theta, -theta, out=theta)
    theta[np.diag_indices(len(theta))] = diagonal
    return linalg.cho_factor(theta, lower=True, overwrite_a=True, check_finite=False)


def _errors(
    pool: Pool,
    rates: np.ndarray,
    delta: float,
    share: float,
    log_mu: np.ndarray,
    inverse: np.ndarray,
    occupation: Occupation,
    steps: int,
) -> tuple[SampleSolution, np.ndarray]:
    """Errors of every site once mu is known, and d log mu / d logit of the mean c."""
    (first, second), own = pool.pairs, delta / pool.copies
    diagonal, mu = np.diag(inverse).copy(), np.exp(log_mu)
    alpha = linalg.blas.dsymm(1.0, inverse, pool.labels, lower=1)
    kappa, single = own + mu, pool.copies == 1
    variance = _variance(np.where(single, rates, 1 - mu * diagonal), diagonal, own)
    trained = np.where(single, np.fmin(delta * diagonal / rates, 1.0), shrinkage(1.0, variance, delta))
    cross_weights = linalg.blas.dsymm(1.0, inverse, pool.cross.T, lower=1).T ** 2  # W^2

    own_noise, scattered = occupation.noise(variance, delta)
    sources = np.column_stack([scattered[:, None] * pool.scatter, own_noise]) / diagonal[:, None]  # nu Q
    products = alpha[:, first] * alpha[:, second] / diagonal[:, None]
    right = np.column_stack([products, np.zeros(len(rates))]) + _neighbours(inverse, diagonal, sources)
    weight = occupation.squared_shrinkage(variance, trained, delta) * pool.copies
    if (rates < 1).all():
        _, rest, slope, growth = occupation.share(variance, delta)
        retained = np.where(single, mu * diagonal, rest)
        odds = occupation.odds(variance, delta)
        weight = odds * weight + cross_weights[len(cross_weights) - pool.counted :].sum(0)
        feedback = np.fmax(1 - slope / (retained * diagonal), EPSILON)
        change = growth / (retained * feedback) * (1 - share) / (1 - rates)
        columns = np.column_stack([right, weight / diagonal, change])
        solved = linalg.cho_solve(_curvature(inverse, odds), columns)
        spread, overfit, slopes = solved[:, :-2], solved[:, -2], -solved[:, -1] / retained
        off = odds[:, None] * spread / diagonal[:, None]
    else:
        spread, overfit, slopes = np.zeros_like(right), weight / diagonal, np.zeros(len(rates))
        off = right / diagonal[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # it diverges at n = M without a ridge, where residuals vanish
        overfitting = np.where(kappa > 0, overfit / (kappa**2 * diagonal) / pool.copies, np.inf)
    cross_errors = cross_weights @ ((spread + sources) / diagonal[:, None])  # o / omega + nu
    cross_residual = pool.cross_labels - pool.cross @ alpha
    means = cross_residual[:, first] * cross_residual[:, second]
    solution = SampleSolution(
        kappa, kappa[:, None] * alpha, alpha / diagonal[:, None], off[:, :-1], off[:, -1], variance, trained, rates,
        overfitting, cross_residual, means + cross_errors[:, :-1], cross_errors[:, -1], steps,
    )  # fmt: skip
    return solution, slopes


def _neighbours(inverse: np.ndarray, diagonal: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """(Theta - 1) applied to the columns of sources; columns of zeros stay what they are."""
    result, filled = np.zeros_like(sources), (sources != 0).any(0)
    entries = inverse**2
    entries /= diagonal[:, None]
    entries /= diagonal
    np.fill_diagonal(entries, 0)
    columns = np.asfortranarray(sources[:, filled])
    result[:, filled] = linalg.blas.dsymm(1.0, entries, columns, lower=1)
    return result
