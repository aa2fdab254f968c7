r"""The random-feature eigenframework (Simon, Karkada, Ghosh & Belkin, arXiv 2311.14646, sec. 4).

Ridge regression on k random features whose mean kernel has eigenvalues lambda_i of multiplicity m_i. With
L_i = lambda_i / (lambda_i + kappa), Z = sum m_i L_i, S = sum m_i L_i (1 - L_i), q = sum m_i L_i^2 (kappa is the paper's
gamma; the paper's kappa is kappa (1 - Z/k) here),

    (n - Z) (k - Z) = k delta / kappa                                             (conservation of learnability)
    a = n - Z,  b = k - Z,  t = S / (S + b)
    E0 = n / (a + (1 - t) S)                                                       (overfitting coefficient)
    test = E0 (sum (1 - L_i)^2 v_i^2 + t sum L_i (1 - L_i) v_i^2 + sigma^2),     train = (a / n)^2 test
    E[vhat_i] = L_i v_i,     Var[vhat_i] = test/n (L_i^2 + t L_i (1 - L_i)) + L_i (1 - L_i) sum_j L_j (1 - L_j) v_j^2 / (S + b)

with means over data, features and noise. The paper's forms of E0 and test are the same numbers; these are sums of
positive terms. Trace beyond the listed modes (`Spectrum.tail`) adds tail/kappa to Z and S: infinitely many modes that
are never learned. As k goes to infinity b does, t = 0: the equations of `learnability.theory.eigenlearning` remain.
With delta = 0 the smaller of n and k is exhausted: kappa(n, k) = kappa(min(n, k)), E0 is infinite at n = k below the
rank, and as n goes to infinity test = sum (1 - L_i) v_i^2 + sigma^2. At delta + tail = 0 and n and k at or above the
rank, kappa = 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from ..common.errors import require
from ..spectra.measure import SpectralMeasure
from ..spectra.spectrum import Spectrum
from .eigenlearning import mode_learnabilities, sums_over_modes
from .newton import Grid, solve_in_log
from .solution import Solution, damped
from .theory import SpectralTheory


@dataclass(frozen=True)
class RandomFeatures(SpectralTheory):
    """Regression on k random features of the kernel, averaged over features.

    The last hidden layer of a network of that width is an example, with only its readout trained.

    Parameters
    ----------
    features : float or array, broadcast with train_size, ridge and noise_std
        k; infinitely many are the kernel itself.

    Examples
    --------
    >>> import learnability as lb
    >>> spectrum, target = lb.Spectrum([1.0], [4.0]), lb.Target([1.0])
    >>> round(float(lb.predict(spectrum, target, 2, ridge=0.1, theory=lb.RandomFeatures(1e12)).learnability), 6)
    0.477182
    """

    features: ArrayLike

    name: ClassVar[str] = "random_features"

    @property
    def parameters(self) -> Mapping[str, ArrayLike]:
        return {"features": self.features}

    @property
    def may_be_infinite(self) -> tuple[str, ...]:
        return ("train_size", "features")

    def solve(
        self,
        spectrum: Spectrum,
        power: Float[np.ndarray, "levels outputs"],
        beyond: Float[np.ndarray, " outputs"],
        train_size: Float[np.ndarray, " grid"],
        ridge: Float[np.ndarray, " grid"],
        noise_std: Float[np.ndarray, " grid"],
        features: Float[np.ndarray, " grid"] | None = None,
    ) -> Solution:
        """Predict random-feature regression on a grid.

        Parameters
        ----------
        spectrum : Spectrum of the kernel that the features have on average
        power : (levels, outputs), beyond : (outputs,)
            The target's power on the spectrum's levels and in its tail.
        train_size, ridge, noise_std, features : (grid,)
            n, delta, sigma and k; features scaled such that their products sum to the kernel on average; n or k may be inf.

        Returns
        -------
        Solution; `bias` is that of the mean over data and features

        Raises
        ------
        ValueError
            No features; n and k both infinite.
        """
        n, delta, sigma = train_size, ridge, noise_std
        k = np.broadcast_to(np.asarray(self.features if features is None else features, dtype=float), n.shape)
        require(bool((k > 0).all()), f"features must be > 0 (np.inf for the kernel itself), got {k}")
        one_is_finite = bool((np.minimum(n, k) < np.inf).all())
        require(one_is_finite, "train_size and features must not both be infinite: give a large number for one of them")
        kappa = effective_regularization(spectrum, n, delta, k)
        spread, squares, learned, missed, between = sums_over_modes(spectrum, power, kappa)
        spread = spread + spectrum.tail / np.where(kappa > 0, kappa, np.inf)
        samples_left, features_left = _left_over(spectrum, n, delta, k, kappa)  # a, b
        room = np.where(spread > 0, spread + features_left, 1.0)  # S + b
        share = spread / room  # t: what the finite number of features adds to the samples' spread
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.where(spread > 0, spread / (1 + spread / features_left), 0.0)  # (1 - t) S
            untrained = (
                delta / (spectrum.trace + delta) if spectrum.trace > 0 else 1.0
            )  # the limit of a/n as n goes to 0
            unfitted = np.where(n > 0, np.where(n < np.inf, samples_left / n, 1.0), untrained)  # a/n
            overfitting = np.where(n > 0, 1 / (unfitted + rest / n), 1.0)
            per_sample = np.where(n > 0, 1 / n, 0.0)
        # at n = rank E0 diverges like 1/kappa; interpolation there is exact, whatever the limit
        unexplained = missed + beyond + share[:, None] * between + sigma[:, None] ** 2
        test = damped(overfitting[:, None], unexplained)
        of_data = damped(test, ((squares + share * spread) * per_sample)[:, None])
        return Solution(
            kappa=kappa,
            overfitting_coefficient=overfitting,
            learnability=learned / (power.sum(0) + beyond),
            bias=missed + beyond,
            test_mse=test,
            train_mse=damped(test, unfitted[:, None] ** 2),
            variance=of_data + share[:, None] * between,
            mode_learnabilities=lambda: mode_learnabilities(spectrum, kappa),
            coefficient_variance=lambda: _variance(spectrum, kappa, test, share, between / room[:, None], per_sample),
        )


def _modes(
    spectrum: Spectrum, kappa: Float[np.ndarray, " grid"]
) -> tuple[Float[np.ndarray, "grid levels"], Float[np.ndarray, "grid levels"]]:
    """L and L (1 - L) of every level, (grid, levels)."""
    learned = mode_learnabilities(spectrum, kappa)
    with np.errstate(divide="ignore", invalid="ignore"):
        return learned, np.where(learned > 0, learned / (1 + spectrum.eigenvalues / kappa[:, None]), 0.0)


def _variance(
    spectrum: Spectrum,
    kappa: Float[np.ndarray, " grid"],
    test: Float[np.ndarray, "grid outputs"],
    share: Float[np.ndarray, " grid"],
    of_features: Float[np.ndarray, "grid outputs"],
    per_sample: Float[np.ndarray, " grid"],
) -> Float[np.ndarray, "grid levels outputs"]:
    """Var[vhat_i] of each eigenfunction in the level, (grid, levels, outputs)."""
    learned, between = _modes(spectrum, kappa)
    of_data = (learned**2 + share[:, None] * between) * per_sample[:, None]
    return damped(test[:, None], of_data[:, :, None]) + between[:, :, None] * of_features[:, None]


def effective_regularization(
    spectrum: Spectrum,
    train_size: Float[np.ndarray, " grid"],
    ridge: Float[np.ndarray, " grid"],
    features: Float[np.ndarray, " grid"],
) -> Float[np.ndarray, " grid"]:
    """kappa (grid,), to relative precision; arguments as in `solve`.

    Symmetric under n <-> k at fixed k delta: with s the smaller and l the larger of n and k,
    (s - Z) (1 - Z/l) = delta min(1, k/n) / kappa.
    """
    few, many = np.minimum(train_size, features), np.maximum(train_size, features)
    delta = ridge / np.maximum(1, train_size / features)
    rank = spectrum.multiplicities[spectrum.eigenvalues > 0].sum()
    kappa = np.where(few > 0, 0.0, np.inf)
    positive = (few > 0) & ((delta + spectrum.tail > 0) | (few < rank))
    if positive.any():
        measure, unit = SpectralMeasure.of_spectrum(spectrum)
        solution = _solve(measure, rank, few[positive], many[positive], delta[positive] / unit, spectrum.tail / unit)
        kappa[positive] = unit * solution
    return kappa


def _solve(
    measure: SpectralMeasure,
    rank: float,
    few: Float[np.ndarray, " grid"],
    many: Float[np.ndarray, " grid"],
    delta: Float[np.ndarray, " grid"],
    tail: float,
) -> Float[np.ndarray, " grid"]:
    """Newton's method as in `conservation`, with what is left of the smaller side, s - Z, in the ridge's place.

    At given kappa it is the positive root u of u^2 + (l - s) u = l delta/kappa, which falls with kappa: no difference
    of Z and s is ever taken, and at l infinite u = delta/kappa.
    """
    below = few <= rank / 2
    trace = float(measure.nodes @ measure.weights[:, 0]) + tail
    smallest = measure.nodes.min(initial=np.inf)
    high = np.log(trace * (1 + few / many) + delta) - np.log(few)
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = np.where(few < rank, smallest * (rank - few) / few, 0.0)
        low = np.log(np.fmax(np.fmax(delta, tail) / few, edge) / 2)

    def balance(kappa: Grid) -> tuple[Grid, Grid, Grid]:
        sums = measure.sums(kappa, lambda L, M: L, lambda L, M: M, lambda L, M: L * M)
        learned, missed, slope = (total[:, 0] for total in sums)
        left, elasticity = _left(few, many, delta / kappa)
        ridge, fall = left + tail / kappa, left * elasticity + tail / kappa
        up = np.where(below, few, missed + np.maximum(few - rank, 0))
        down = np.where(below, learned + ridge, ridge + np.maximum(rank - few, 0))
        return up, down, np.where(below, (slope + fall) / down, slope / up + fall / down)

    return solve_in_log(balance, low, high)


def _left(
    few: Float[np.ndarray, " grid"], many: Float[np.ndarray, " grid"], ridge: Float[np.ndarray, " grid"]
) -> tuple[Float[np.ndarray, " grid"], Float[np.ndarray, " grid"]]:
    """u with u^2/l + (1 - s/l) u = ridge, and its elasticity -dlog u / dlog kappa, between 1/2 and 1."""
    finite = np.isfinite(many)
    gap = np.where(finite, many - few, 1.0) / np.where(finite, many, 1.0)
    root = np.hypot(gap, 2 * np.sqrt(ridge / many))
    left = 2 * ridge / np.where(ridge > 0, gap + root, 1.0)
    return left, np.where(ridge > 0, (gap + root) / np.where(ridge > 0, 2 * root, 1.0), 1.0)


def _left_over(
    spectrum: Spectrum,
    n: Float[np.ndarray, " grid"],
    delta: Float[np.ndarray, " grid"],
    k: Float[np.ndarray, " grid"],
    kappa: Float[np.ndarray, " grid"],
) -> tuple[Float[np.ndarray, " grid"], Float[np.ndarray, " grid"]]:
    """n - Z and k - Z, (grid,), neither as a difference of nearly equal numbers."""
    solved = (kappa > 0) & np.isfinite(kappa)
    few, many, apart = np.minimum(n, k), np.maximum(n, k), np.abs(n - k)
    left = _left(few, many, delta / np.maximum(1, n / k) / np.where(solved, kappa, 1.0))[0]
    rank = spectrum.multiplicities[spectrum.eigenvalues > 0].sum()
    left = np.where(solved, left, np.maximum(few - rank, 0))
    return np.where(n > k, left + apart, left), np.where(n > k, left, left + apart)
