r"""The eigenlearning equations (Simon, Dickens, Karkada & DeWeese, arXiv 2110.03922, sec. 3).

For eigenvalues lambda_i of multiplicity m_i, target coefficients v_i, ridge delta, label noise sigma^2 and n samples,

    n = sum m_i L_i + delta/kappa,     L_i = lambda_i / (lambda_i + kappa)            (conservation of learnability)
    E0 = n / (n - sum m_i L_i^2)                                                      (overfitting coefficient)
    test = E0 (sum (1 - L_i)^2 v_i^2 + sigma^2),     train = (delta / (n kappa))^2 test
    E[vhat_i] = L_i v_i,     Cov[vhat_i, vhat_j] = delta_ij test L_i^2 / n

Trace beyond the listed modes (`Spectrum.tail`) is added to delta in the first equation. At delta = 0 and n at or above
the rank, kappa = 0 and the limits of all quantities are returned; at n = 0, kappa is infinite.
"""

from dataclasses import dataclass

import numpy as np

from .errors import require
from .spectrum import Spectrum

MOST_MODES = 2048  # spectra with more levels are summed by quadrature
NODES = 16  # per unit of log(lambda): the error is (2 pi / 0.5)^-16 = 3e-18


@dataclass(frozen=True)
class Measure:
    """A spectral measure sum_i w_i delta(lambda - lambda_i), for sums of f(lambda / kappa).

    Sums of functions of L = lambda/(lambda + kappa) are analytic in log(lambda) up to distance pi from the real axis.
    Many levels are therefore replaced, in each unit interval of log(lambda), by Chebyshev nodes whose weights
    integrate polynomials of degree 15 exactly (anterpolation): 500,000 power-law modes become a few hundred nodes
    at rounding error.
    """

    nodes: np.ndarray  # (nodes,) positive eigenvalues
    weights: np.ndarray  # (nodes, columns)

    @classmethod
    def of(cls, eigenvalues, weights):
        """eigenvalues (levels,) > 0; weights (levels, columns)."""
        if len(eigenvalues) <= MOST_MODES:
            return cls(eigenvalues, weights)
        position = np.log(eigenvalues)
        cell = np.floor(position).astype(int)
        angles = (np.arange(NODES) + 0.5) * np.pi / NODES
        local = np.cos(angles) / 2 + 0.5
        barycentric = np.sin(angles) * (-1.0) ** np.arange(NODES)
        nodes, compressed = [], []
        for number in np.unique(cell):
            inside = cell == number
            difference = (position[inside] - number)[:, None] - local
            on_node = difference == 0
            basis = barycentric / np.where(on_node, 1.0, difference)
            basis /= basis.sum(1, keepdims=True)
            basis = np.where(on_node.any(1, keepdims=True), on_node, basis)
            nodes.append(np.exp(number + local))
            compressed.append(basis.T @ weights[inside])
        return cls(np.concatenate(nodes), np.concatenate(compressed))

    def sums(self, kappa, *functions):
        """For each function of (L, 1 - L): the weighted sum at every kappa, shape (kappas, columns)."""
        totals = [np.empty((len(kappa), self.weights.shape[1])) for _ in functions]
        chunk = max(1, (1 << 22) // max(1, len(self.nodes)))
        for start in range(0, len(kappa), chunk):
            rows = slice(start, start + chunk)
            with np.errstate(over="ignore"):
                ratio = kappa[rows, None] / self.nodes
                learned = 1 / (1 + ratio)
                missed = 1 / (1 + 1 / np.where(ratio > 0, ratio, 1.0)) * (ratio > 0)
            for total, function in zip(totals, functions, strict=True):
                total[rows] = function(learned, missed) @ self.weights
        return totals


def effective_regularization(spectrum, train_size, ridge=0.0):
    """Solve the conservation law for kappa, to relative precision.

    Parameters
    ----------
    spectrum : Spectrum
    train_size, ridge : broadcastable arrays, >= 0; train_size need not be whole

    Returns
    -------
    kappa, broadcast shape; 0 at ridge + tail = 0 and train_size >= rank, inf at train_size = 0.
    """
    n, delta = np.broadcast_arrays(np.asarray(train_size, dtype=float), np.asarray(ridge, dtype=float) + spectrum.tail)
    positive = spectrum.eigenvalues > 0
    counts = spectrum.multiplicities[positive]
    rank = counts.sum()
    kappa = np.where(n > 0, 0.0, np.inf)
    open_ = (n > 0) & ((delta > 0) | (n < rank))
    if open_.any():
        # in units of the largest eigenvalue, so that no kernel's scale can overflow
        unit = spectrum.eigenvalues.max() if rank > 0 else delta.max()
        measure = Measure.of(spectrum.eigenvalues[positive] / unit, counts[:, None])
        kappa[open_] = unit * _solve(measure, rank, n[open_], delta[open_] / unit)
    return kappa


def _solve(measure, rank, n, delta):
    """Newton's method for x = log kappa on log(increasing side) = log(decreasing side), kept in a bracket.

    For n below half the rank the sides are n and sum m L + delta/kappa. Above it they are sum m (1 - L) + (n - rank)+
    and delta/kappa + (rank - n)+, which do not cancel when nearly everything is learned.
    """
    few = n <= rank / 2
    trace = float(measure.nodes @ measure.weights[:, 0])
    smallest = measure.nodes.min(initial=np.inf)
    high = np.log(trace + delta) - np.log(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.log(np.fmax(delta / n, np.where(n < rank, smallest * (rank - n) / n, 0.0)) / 2)
    x = np.where(np.isfinite(high + low), (high + low) / 2, high)
    high = high + 1e-9
    for _ in range(200):
        kappa = np.exp(x)
        learned, missed, slope = (
            total[:, 0] for total in measure.sums(kappa, lambda L, M: L, lambda L, M: M, lambda L, M: L * M)
        )
        ridge = delta / kappa
        up = np.where(few, n, missed + np.maximum(n - rank, 0))
        down = np.where(few, learned + ridge, ridge + np.maximum(rank - n, 0))
        gradient = np.where(few, (slope + ridge) / down, slope / up + ridge / down)
        step = (np.log(up) - np.log(down)) / gradient
        high = np.where(step > 0, np.minimum(high, x), high)
        low = np.where(step < 0, np.maximum(low, x), low)
        new = x - step
        new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
        done = np.abs(new - x) <= 4e-16 * np.maximum(1, np.abs(x))
        x = new
        if done.all():
            break
    return np.exp(x)


@dataclass(frozen=True)
class Prediction:
    """What the theory says of a learner, on the broadcast grid of train_size, ridge and noise_std (shape `grid`).

    Targets with several outputs add a last axis `outputs` to everything but kappa, overfitting_coefficient and
    mode_learnabilities.
    """

    spectrum: Spectrum
    power: np.ndarray  # (levels, outputs)
    beyond: np.ndarray  # (outputs,) power on modes in the tail
    squeeze: bool
    train_size: np.ndarray  # grid
    ridge: np.ndarray
    noise_std: np.ndarray
    kappa: np.ndarray  # effective regularization
    overfitting_coefficient: np.ndarray  # E0
    learnability: np.ndarray  # sum v^2 L / sum v^2
    bias: np.ndarray  # sum (1 - L)^2 v^2
    test_mse: np.ndarray  # against noisy labels: contains noise_std^2
    train_mse: np.ndarray
    variance: np.ndarray  # sum_i Var[vhat_i] = test - bias - noise_std^2

    @property
    def mode_learnabilities(self):
        """L_i of every level, grid + (levels,)."""
        kappa = self.kappa[..., None]
        values = self.spectrum.eigenvalues
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(values > 0, 1 / (1 + kappa / values), 0.0)

    @property
    def coefficient_mean(self):
        """E[vhat] = L v of a level's normalised component of the target, v = sqrt(power); grid + (levels, outputs)."""
        power = self.power[:, 0] if self.squeeze else self.power
        learned = self.mode_learnabilities
        return learned * np.sqrt(power) if self.squeeze else learned[..., None] * np.sqrt(power)

    @property
    def coefficient_variance(self):
        """Var[vhat_i] = test L_i^2 / n of each eigenfunction in the level; grid + (levels, outputs)."""
        n = np.where(self.train_size > 0, self.train_size, np.inf)
        if self.squeeze:
            return self.mode_learnabilities**2 * (self.test_mse / n)[..., None]
        return self.mode_learnabilities[..., None] ** 2 * (self.test_mse / n[..., None])[..., None, :]


def predict(spectrum, target, train_size, ridge=0.0, noise_std=0.0):
    """Predict generalization from a kernel's spectrum alone.

    Parameters
    ----------
    spectrum : Spectrum
    target : Target
        Its power per level; the norm need not be 1.
    train_size, ridge, noise_std : floats or arrays, broadcast against each other
        n (any real >= 0), the absolute ridge delta, the standard deviation of the label noise sigma.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        A negative or non-finite train_size, ridge or noise_std; powers that do not fit the spectrum.
    """
    arguments = {"train_size": train_size, "ridge": ridge, "noise_std": noise_std}
    for name, value in arguments.items():
        values = np.asarray(value, dtype=float)
        require(bool((np.isfinite(values) & (values >= 0)).all()), f"{name} must be finite and >= 0, got {value!r}")
    n, delta, sigma = (a.copy() for a in np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in arguments.values())))
    power, beyond = target.power_in(spectrum)
    squeeze = power.ndim == 1
    power, beyond = (power[:, None], beyond[None]) if squeeze else (power, beyond)
    kappa = effective_regularization(spectrum, n, delta)
    sums = _sums(spectrum, power, kappa.ravel())
    grid = n.shape
    spread, squares = (s.reshape(grid) for s in sums[:2])
    learned, missed = (s.reshape(*grid, power.shape[1]) for s in sums[2:])

    solved = (kappa > 0) & np.isfinite(kappa)
    rank = spectrum.multiplicities[spectrum.eigenvalues > 0].sum()
    safe = np.where(solved, kappa, 1.0)
    implicit = np.where(solved, (delta + spectrum.tail) / safe, np.maximum(n - rank, 0))  # delta/kappa
    with np.errstate(divide="ignore", invalid="ignore"):
        # n - sum m L^2 = sum m L (1 - L) + delta/kappa: a sum of positive terms
        overfitting = np.where(n > 0, n / (spread + implicit), 1.0)
        total = spectrum.trace
        explicit = np.where(solved, delta / (n * safe), np.where(n > 0, np.maximum(n - rank, 0) / n, 0.0))
        explicit = np.where(n > 0, explicit, delta / (total + delta) if total > 0 else 1.0)
        bias = missed + beyond
        unexplained = bias + sigma[..., None] ** 2
        # at n = rank E0 diverges like 1/kappa and the bias vanishes like kappa^2
        test = np.where(unexplained > 0, overfitting[..., None] * unexplained, 0.0)
        train = np.where(explicit[..., None] > 0, explicit[..., None] ** 2 * test, 0.0)
        share = np.where(n > 0, squares / np.where(n > 0, n, 1.0), 0.0)[..., None]
        variance = np.where(share > 0, test * share, 0.0)
        learnability = learned / (power.sum(0) + beyond)
    per_output = [a[..., 0] if squeeze else a for a in (learnability, bias, test, train, variance)]
    return Prediction(spectrum, power, beyond, squeeze, n, delta, sigma, kappa, overfitting, *per_output)


def _sums(spectrum, power, kappa):
    """sum m L(1-L), sum m L^2, both (kappas,), and sum v^2 L, sum v^2 (1-L)^2, both (kappas, outputs)."""
    positive = spectrum.eigenvalues > 0
    unit = spectrum.eigenvalues.max(initial=0.0) or 1.0
    weights = np.column_stack([spectrum.multiplicities[positive], power[positive]])
    measure = Measure.of(spectrum.eigenvalues[positive] / unit, weights)
    spread, squares, learned, missed = measure.sums(
        kappa / unit, lambda L, M: L * M, lambda L, M: L * L, lambda L, M: L, lambda L, M: M * M
    )
    return spread[:, 0], squares[:, 0], learned[:, 1:], missed[:, 1:] + power[~positive].sum(0)
