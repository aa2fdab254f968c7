r"""The next order in 1/n: what products of eigenfunctions do to learnability and error (derived here: docs/theory.md).

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

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..domains.domain import SymmetricDomain
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
    domain : SymmetricDomain
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

    domain: SymmetricDomain

    name: ClassVar[str] = "fourth_moments"

    def solve(
        self,
        spectrum: Spectrum,
        power: NDArray,
        beyond: NDArray,
        train_size: NDArray,
        ridge: NDArray,
        noise_std: NDArray,
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
        found = {name: np.array(getattr(base, name)) for name in CORRECTED}
        learned = base.mode_learnabilities().copy()
        variances = base.coefficient_variance().copy()
        size, off = domain.size or np.inf, None if base.test_mse_off_train is None else base.test_mse_off_train.copy()
        for point in np.flatnonzero((n > 0) & (n < size) & (base.kappa > 0)):
            order = NextOrder(products, n[point], delta[point], base.kappa[point])
            if not order.holds:
                continue
            noise, listed = sigma[point] ** 2, products.level
            missed, test, train = (
                values[listed] @ power + values_beyond * beyond for values, values_beyond in order.of_targets()
            )
            noise_test, noise_train = order.of_noise()
            learned[point] = order.learned[listed]
            found["learnability"][point] = 1 - missed / (power.sum(0) + beyond)
            found["bias"][point] = order.beyond((1 - order.learned) ** 2) * beyond + (1 - learned[point]) ** 2 @ power
            found["test_mse"][point] = test + noise * noise_test
            found["train_mse"][point] = train + noise * noise_train
            found["overfitting_coefficient"][point] = order.unlearned_error
            found["variance"][point] = found["test_mse"][point] - found["bias"][point] - noise
            variances[point] = np.outer(learned[point] ** 2, found["variance"][point] / order.squares)
            if off is not None:
                on = found["train_mse"][point] + 2 * noise * order.learnt / n[point]  # against new labels
                off[point] = (size * found["test_mse"][point] - n[point] * on) / (size - n[point])
        return Solution(
            kappa=base.kappa,
            **found,
            mode_learnabilities=lambda: learned,
            coefficient_variance=lambda: variances,
            test_mse_off_train=off,
            residual_kept=base.residual_kept,
            unlearned=base.unlearned,
        )


CORRECTED = ("overfitting_coefficient", "learnability", "bias", "test_mse", "train_mse", "variance")


class NextOrder:
    """L, E and t of every mode of the domain at one n and delta, arrays (modes,).

    Slopes are derivatives: with respect to kappa t in the first, to log delta in the second row of (2, modes) or (2,).
    """

    def __init__(self, products, n, delta, kappa):
        self.products, self.n, self.delta = products, n, delta
        counts, tail, inverse = products.counts, products.tail, 1 / products.size
        rho = delta / kappa
        first = products.learnabilities(kappa)
        total = counts @ first + tail / kappa  # S
        self.learnt, u = total, 1 - total * inverse
        kept = 1 - rho * inverse
        # the leading order and its slopes
        spread, squares = first * (1 - first), counts @ first**2
        pull = kept * (counts @ spread + tail / kappa) + u * rho
        log_kappa = np.array([-kept * squares, u * rho]) / pull
        direct = np.array([first**2, np.zeros(len(first))])  # - L (1 - L) d log lambda
        first_slope = -direct - spread * log_kappa[:, None]
        total_slope = first_slope @ counts - tail / kappa * log_kappa
        rho_slope, u_slope = rho * (np.array([0.0, 1.0]) - log_kappa), -total_slope * inverse
        # rungs, ladders and what they do to kappa
        rungs, rungs_slope = self._rungs(first, first_slope, total, total_slope, rho, rho_slope, u, u_slope)
        fixed = np.where(products.constant, 0.0, 1.0)
        ladder = rungs + fixed * rungs**2 - 4 + 2 / rungs
        ladder_slope = (1 + 2 * fixed * rungs - 2 / rungs**2) * rungs_slope
        strength = kept / (n * u)
        strength_slope = -rho_slope * inverse / kept - u_slope / u  # of its logarithm
        change = strength * products.product(ladder, first)
        change_slope = strength_slope[:, None] * change + strength * np.array(
            [products.product(ladder_slope[i], first) + products.product(ladder, first_slope[i]) for i in (0, 1)]
        )
        mean, mean_slope = change @ counts * inverse, change_slope @ counts * inverse
        shift = 1 + change - mean
        shift_slope = change_slope - mean_slope[:, None]
        self.shift = np.maximum(shift, SMALLEST)
        self.first, self.rungs, self.strength = first, rungs, strength
        self._finish(kappa, total, total_slope, shift_slope / self.shift)

    def _rungs(self, first, first_slope, total, total_slope, rho, rho_slope, u, u_slope):
        """R_S and its slopes."""
        inverse = 1 / self.products.size
        pairs = self.products.product(first, first)
        pairs_slope = 2 * np.array([self.products.product(first, slope) for slope in first_slope])
        below = total - (1 - rho * inverse) * pairs + rho * (2 * u - 1)
        below_slope = (total_slope + rho_slope * (2 * u - 1) + 2 * rho * u_slope)[:, None] - (
            1 - rho * inverse
        ) * pairs_slope
        below_slope = below_slope + rho_slope[:, None] * inverse * pairs
        rungs = self.n * u / below
        return rungs, rungs * ((u_slope / u)[:, None] - below_slope / below)

    def _finish(self, kappa, total, total_slope, shift_slope):
        """kappa' from sum L = S, and errors from the slopes of all kappa_i."""
        products = self.products
        held = Spectrum(products.eigenvalues / self.shift, products.counts, products.tail)
        scale = float(effective_regularization(held, total))
        self.kappa = scale * self.shift
        self.learned = products.learnabilities(self.kappa)
        self.squares = products.counts @ self.learned**2
        spread, unlisted = products.counts * self.learned * (1 - self.learned), products.tail / scale
        direct = np.array([products.counts @ (self.learned**2 * self.kappa) / kappa, 0.0])
        fall = -(direct + shift_slope @ spread + total_slope) / (spread.sum() + unlisted)
        slopes = fall[:, None] + shift_slope  # of log kappa_i
        missed = (1 - self.learned) ** 2
        self.errors = missed * (1 - kappa / self.kappa * slopes[0])
        self.train = missed * self.delta / (self.n * self.kappa) * slopes[1]
        self.unlearned_error = 1 - kappa / scale * fall[0]
        self.unlearned_train = self.delta / (self.n * scale) * fall[1]

    @property
    def holds(self):
        """Whether no kappa_i is far below the others and no variance is negative."""
        return bool((self.shift > SMALLEST).all() and (self.errors >= (1 - NEGATIVE) * (1 - self.learned) ** 2).all())

    def of_targets(self):
        """1 - L, E and t of every mode, each with its value on the modes that the spectrum does not list."""
        missed = 1 - self.learned
        yield missed, self.beyond(missed, 1.0)
        yield self.errors, self.beyond(self.errors, self.unlearned_error)
        yield self.train, self.beyond(self.train, self.unlearned_train)

    def of_noise(self):
        """What unit noise adds to the test error, against new labels, and to the train error.

        Noise is learned where it is seen: on M points the learned part is the noise on all of them less its residual.
        """
        size, counts = self.products.size, self.products.counts
        if np.isinf(size):
            return self.unlearned_error, self.unlearned_train
        return 2 - 2 * (counts @ (1 - self.learned)) / size + counts @ self.errors / size, counts @ self.train / size

    def beyond(self, values, limit=1.0):
        """The mean over the modes that the spectrum does not list; on an infinite domain the limit."""
        unlisted = np.where(self.products.listed, 0.0, self.products.counts)
        if np.isinf(self.products.size):
            return limit
        return unlisted @ values / unlisted.sum() if unlisted.sum() > 0 else 0.0
