r"""The next order in 1/n: what products of eigenfunctions do to learnability and error.

Derived here: docs/research/fourth-moments.md.

The paper's equations know eigenfunctions by their second moments; fourth moments couple the modes. With kappa, L, u,
rho = delta/kappa, S = sum L of `finite_population` (u = 1 and M infinite on the sphere), and for every mode S of the domain

    q_S = sum_jk L_j L_k E[phi_S phi_j phi_k]^2,    R_S = n u / (S - (1 - rho/M) q_S + rho (2u - 1)),   R_0 = u E0
    X_S = R_S + R_S^2 - 4 + 2/R_S,   less R_0^2 for the constant, because n is fixed
    a_i = (1 - rho/M)/(n u) sum_S X_S sum_j L_j E[phi_i phi_j phi_S]^2
    kappa_i = kappa' (1 + a_i - mean a),     L_i = lambda_i/(lambda_i + kappa_i),     sum L_i = S fixes kappa'

Errors follow from learnabilities by identities that hold on every training set, t being added to all 1/lambda_j:

    E_i = (1 - L_i)^2 (1 - kappa_i^-2 d kappa_i/dt)                      test  = sum v_i^2 E_i
    t_i = (1 - L_i)^2 (delta/n) kappa_i^-2 delta d kappa_i/d delta       train = sum v_i^2 t_i

and label noise is a target with the same power on all modes. On symmetric domains the sums over products of modes are
pointwise products of kernels. Variances of single coefficients are here the paper's, L_i^2 in the sum that is left;
`learnability.theory.covariance` has those of a given target. Where the expansion leaves its range, the leading order stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from ..domains.domain import Domain
from ..spectra.spectrum import Spectrum
from .conservation import effective_regularization
from .eigenlearning import Eigenlearning
from .finite_population import FinitePopulation
from .products import Products
from .solution import Solution
from .theory import SpectralTheory

SMALLEST = 0.5  # kappa_i/kappa': an expansion in 1/n that asks for less has left its range
NEGATIVE = 0.1  # and so has one with variances below minus this share of the squared bias


@dataclass(frozen=True)
class FourthMoments(SpectralTheory):
    """The next order in 1/n, with any ridge and noise, for kernels of hypercube, circle and sphere.

    Parameters
    ----------
    domain : Hypercube, Circle or Hypersphere
        Where the spectrum comes from. If it is a list of points, training sets are drawn from it without replacement.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=7)
    >>> spectrum = cube.spectrum(lb.FullyConnected(4, "relu", 1.4, 0.1))
    >>> prediction = lb.predict(spectrum, cube.parity(1), 4, theory=lb.FourthMoments(cube))
    >>> bool(prediction.test_mse > prediction.bias)
    True
    """

    domain: Domain

    name: ClassVar[str] = "fourth_moments"

    def solve(
        self,
        spectrum: Spectrum,
        power: Float[np.ndarray, "levels outputs"],
        beyond: Float[np.ndarray, " outputs"],
        train_size: Float[np.ndarray, " grid"],
        ridge: Float[np.ndarray, " grid"],
        noise_std: Float[np.ndarray, " grid"],
    ) -> Solution:
        """The equations on a flat grid.

        Parameters
        ----------
        spectrum : Spectrum
        power : (levels, outputs), beyond : (outputs,) power on modes in the tail
        train_size, ridge, noise_std : (grid,) n, delta and sigma

        Returns
        -------
        Solution
            kappa is that of the leading order. All is of leading order at n = 0, at n = M, where everything is learned, and
            where the expansion has left its range (`NextOrder.holds`).

        Raises
        ------
        ValueError
            A domain without known eigenfunctions, or another one than the spectrum's; more samples than points.
        """
        domain, n, delta, sigma = self.domain, train_size, ridge, noise_std
        products = Products(domain, spectrum)
        leading = FinitePopulation(domain.size) if domain.size else Eigenlearning()
        base = leading.solve(spectrum, power, beyond, n, delta, sigma)
        corrected = {name: np.array(getattr(base, name)) for name in CORRECTED}
        learned = base.mode_learnabilities().copy()
        variances = base.coefficient_variance().copy()
        size = domain.size or np.inf
        off = None if base.test_mse_off_train is None else base.test_mse_off_train.copy()
        for point in np.flatnonzero((n > 0) & (n < size) & (base.kappa > 0)):
            order = NextOrder(products, n[point], delta[point], base.kappa[point])
            if not order.holds:
                continue
            noise = sigma[point] ** 2
            noise_test, noise_train = order.of_noise()
            missed, test, train = (
                values[products.level] @ power + unlisted * beyond for values, unlisted in order.of_targets()
            )
            learned[point] = order.learned[products.level]
            corrected["learnability"][point] = 1 - missed / (power.sum(0) + beyond)
            corrected["bias"][point] = (
                order.beyond((1 - order.learned) ** 2) * beyond + (1 - learned[point]) ** 2 @ power
            )
            corrected["test_mse"][point] = test + noise * noise_test
            corrected["train_mse"][point] = train + noise * noise_train
            corrected["overfitting_coefficient"][point] = order.unlearned_error
            corrected["variance"][point] = corrected["test_mse"][point] - corrected["bias"][point] - noise
            variances[point] = np.outer(learned[point] ** 2, corrected["variance"][point] / order.squares)
            if off is not None:
                on = corrected["train_mse"][point] + 2 * noise * order.total / n[point]  # against new labels
                off[point] = (size * corrected["test_mse"][point] - n[point] * on) / (size - n[point])
        return Solution(
            kappa=base.kappa,
            **corrected,
            mode_learnabilities=lambda: learned,
            coefficient_variance=lambda: variances,
            test_mse_off_train=off,
            residual_share=base.residual_share,
            unlearned=base.unlearned,
        )


CORRECTED = ("overfitting_coefficient", "learnability", "bias", "test_mse", "train_mse", "variance")


@dataclass(frozen=True)
class LeadingOrder:
    """The leading order at one n and delta, arrays (modes,), and its slopes.

    Slopes are derivatives: with respect to kappa t in the first, to log delta in the second row of (2, modes) or (2,).
    """

    products: Products
    kappa: float
    rho: float
    rho_slope: Float[np.ndarray, " 2"]
    learned: Float[np.ndarray, " modes"]  # L
    learned_slope: Float[np.ndarray, "2 modes"]
    total: float  # S
    total_slope: Float[np.ndarray, " 2"]
    u: float
    u_slope: Float[np.ndarray, " 2"]
    correction: float  # 1 - rho/M

    @classmethod
    def at(cls, products: Products, delta: float, kappa: float) -> "LeadingOrder":
        """From the solution kappa of the conservation law."""
        counts = products.counts
        tail = products.tail
        inverse = 1 / products.size  # 1/M
        rho = delta / kappa
        correction = 1 - rho * inverse
        learned = products.learnabilities(kappa)
        total = counts @ learned + tail / kappa
        u = 1 - total * inverse
        spread = learned * (1 - learned)
        squares = counts @ learned**2
        pull = correction * (counts @ spread + tail / kappa) + u * rho
        log_kappa_slope = np.array([-correction * squares, u * rho]) / pull
        log_lambda_slope = np.array([learned**2, np.zeros(len(learned))])  # - L (1 - L) d log lambda
        learned_slope = -log_lambda_slope - spread * log_kappa_slope[:, None]
        total_slope = learned_slope @ counts - tail / kappa * log_kappa_slope
        rho_slope = rho * (np.array([0.0, 1.0]) - log_kappa_slope)
        u_slope = -total_slope * inverse
        return cls(products, kappa, rho, rho_slope, learned, learned_slope, total, total_slope, u, u_slope, correction)

    def rungs(self, n: float) -> tuple[Float[np.ndarray, " modes"], Float[np.ndarray, "2 modes"]]:
        """R_S and its slopes."""
        product = self.products.product
        inverse = 1 / self.products.size
        learned, rho, u = self.learned, self.rho, self.u
        pairs = product(learned, learned)  # q_S
        pairs_slope = 2 * np.array([product(learned, slope) for slope in self.learned_slope])
        below = self.total - self.correction * pairs + rho * (2 * u - 1)
        mean_slope = self.total_slope + self.rho_slope * (2 * u - 1) + 2 * rho * self.u_slope
        below_slope = mean_slope[:, None] - self.correction * pairs_slope
        below_slope = below_slope + self.rho_slope[:, None] * inverse * pairs
        rungs = n * u / below
        return rungs, rungs * ((self.u_slope / u)[:, None] - below_slope / below)

    def strength(self, n: float) -> tuple[float, Float[np.ndarray, " 2"]]:
        """(1 - rho/M)/(n u), and the slopes of its logarithm."""
        inverse = 1 / self.products.size
        slope = -self.rho_slope * inverse / self.correction - self.u_slope / self.u
        return self.correction / (n * self.u), slope


class NextOrder:
    """L, E and t of every mode of the domain at one n and delta, arrays (modes,).

    Attributes
    ----------
    first, learned : L of the leading order, and of this one
    total : S, the sum of all L, in both orders
    kappa, shift : kappa_i, and kappa_i/kappa'
    rungs, strength : R_S, and (1 - rho/M)/(n u)
    errors, train : E and t
    squares : the sum of all L^2
    unlearned_error, unlearned_train : E and t of a mode of eigenvalue zero
    """

    def __init__(self, products: Products, n: float, delta: float, kappa: float) -> None:
        self.products, self.n, self.delta = products, n, delta
        leading = LeadingOrder.at(products, delta, kappa)
        self.first = leading.learned
        self.total = leading.total
        self.rungs, rungs_slope = leading.rungs(n)
        self.strength, strength_slope = leading.strength(n)
        shift, shift_slope = self._shifts(leading, rungs_slope, strength_slope)
        self.shift = np.maximum(shift, SMALLEST)
        self._solve(leading, shift_slope / self.shift)

    def _shifts(
        self, leading: LeadingOrder, rungs_slope: Float[np.ndarray, "2 modes"], strength_slope: Float[np.ndarray, " 2"]
    ) -> tuple[Float[np.ndarray, " modes"], Float[np.ndarray, "2 modes"]]:
        """1 + a_i - mean a, and its slopes."""
        product, counts = self.products.product, self.products.counts
        inverse = 1 / self.products.size
        rungs, strength = self.rungs, self.strength
        first, first_slope = leading.learned, leading.learned_slope
        varies = np.where(self.products.constant, 0.0, 1.0)  # n is fixed, the constant does not fluctuate
        ladder = rungs + varies * rungs**2 - 4 + 2 / rungs  # X_S
        ladder_slope = (1 + 2 * varies * rungs - 2 / rungs**2) * rungs_slope
        change = strength * product(ladder, first)  # a_i
        sums_slope = [product(ladder_slope[i], first) + product(ladder, first_slope[i]) for i in (0, 1)]
        change_slope = strength_slope[:, None] * change + strength * np.array(sums_slope)
        mean = change @ counts * inverse
        mean_slope = change_slope @ counts * inverse
        return 1 + change - mean, change_slope - mean_slope[:, None]

    def _solve(self, leading: LeadingOrder, log_shift_slope: Float[np.ndarray, "2 modes"]) -> None:
        """kappa' from sum L = S, and errors from the slopes of all kappa_i."""
        products, counts = self.products, self.products.counts
        shifted = Spectrum(products.eigenvalues / self.shift, counts, products.tail)
        scale = float(effective_regularization(shifted, self.total))  # kappa'
        self.kappa = scale * self.shift
        self.learned = products.learnabilities(self.kappa)
        self.squares = counts @ self.learned**2
        spread = counts * self.learned * (1 - self.learned)
        log_lambda_slope = np.array([counts @ (self.learned**2 * self.kappa) / leading.kappa, 0.0])
        sum_slope = log_lambda_slope + log_shift_slope @ spread + leading.total_slope
        log_scale_slope = -sum_slope / (spread.sum() + products.tail / scale)
        log_kappa_slope = log_scale_slope[:, None] + log_shift_slope
        squared_bias = (1 - self.learned) ** 2
        self.errors = squared_bias * (1 - leading.kappa / self.kappa * log_kappa_slope[0])
        self.train = squared_bias * self.delta / (self.n * self.kappa) * log_kappa_slope[1]
        self.unlearned_error = 1 - leading.kappa / scale * log_scale_slope[0]
        self.unlearned_train = self.delta / (self.n * scale) * log_scale_slope[1]

    @property
    def holds(self) -> bool:
        """Whether no kappa_i is far below the others and no variance is negative."""
        return bool((self.shift > SMALLEST).all() and (self.errors >= (1 - NEGATIVE) * (1 - self.learned) ** 2).all())

    def of_targets(self) -> Iterator[tuple[Float[np.ndarray, " modes"], float]]:
        """1 - L, E and t of every mode, each with its value on the modes that the spectrum does not list."""
        missed = 1 - self.learned
        yield missed, self.beyond(missed, 1.0)
        yield self.errors, self.beyond(self.errors, self.unlearned_error)
        yield self.train, self.beyond(self.train, self.unlearned_train)

    def of_noise(self) -> tuple[float, float]:
        """What unit noise adds to the test error, against new labels, and to the train error.

        Noise is learned where it is trained on: on M points the learned part is the noise on all of them less its residual.
        """
        size, counts = self.products.size, self.products.counts
        if np.isinf(size):
            return self.unlearned_error, self.unlearned_train
        return 2 - 2 * (counts @ (1 - self.learned)) / size + counts @ self.errors / size, counts @ self.train / size

    def beyond(self, values: Float[np.ndarray, " modes"], limit: float = 1.0) -> float:
        """The mean over the modes that the spectrum does not list; on an infinite domain the limit."""
        unlisted = np.where(self.products.listed, 0.0, self.products.counts)
        if np.isinf(self.products.size):
            return limit
        return unlisted @ values / unlisted.sum() if unlisted.sum() > 0 else 0.0
