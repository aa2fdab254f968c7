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
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Float

from ..spectra.measure import SpectralMeasure
from ..spectra.spectrum import Spectrum
from .conservation import effective_regularization
from .solution import Solution
from .theory import SpectralTheory


@dataclass(frozen=True)
class Eigenlearning(SpectralTheory):
    """The paper's equations: training sets drawn with replacement from an infinite population.

    Examples
    --------
    >>> import learnability as lb
    >>> float(lb.predict(lb.Spectrum([1.0], [4.0]), lb.Target([1.0]), 2, theory=lb.Eigenlearning()).learnability)
    0.5
    """

    name: ClassVar[str] = "eigenlearning"

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
        """
        n, delta, sigma = train_size, ridge, noise_std
        kappa = effective_regularization(spectrum, n, delta)
        spread, squares, learned, missed, _ = sums_over_modes(spectrum, power, kappa)
        solved = (kappa > 0) & np.isfinite(kappa)
        rank = spectrum.multiplicities[spectrum.eigenvalues > 0].sum()
        divisor = np.where(solved, kappa, 1.0)
        implicit = np.where(solved, (delta + spectrum.tail) / divisor, np.maximum(n - rank, 0))  # delta/kappa
        with np.errstate(divide="ignore", invalid="ignore"):
            # n - sum m L^2 = sum m L (1 - L) + delta/kappa: a sum of positive terms
            overfitting = np.where(n > 0, n / (spread + implicit), 1.0)
            total = spectrum.trace
            explicit = np.where(solved, delta / (n * divisor), np.where(n > 0, np.maximum(n - rank, 0) / n, 0.0))
            explicit = np.where(n > 0, explicit, delta / (total + delta) if total > 0 else 1.0)
            bias = missed + beyond
            unexplained = bias + sigma[:, None] ** 2
            # at n = rank E0 diverges like 1/kappa and the bias vanishes like kappa^2
            test = np.where(unexplained > 0, overfitting[:, None] * unexplained, 0.0)
            train = np.where(explicit[:, None] > 0, explicit[:, None] ** 2 * test, 0.0)
            squares_per_sample = np.where(n > 0, squares / np.where(n > 0, n, 1.0), 0.0)[:, None]
            variance = np.where(squares_per_sample > 0, test * squares_per_sample, 0.0)
            learnability = learned / (power.sum(0) + beyond)

        def coefficient_variance() -> Float[np.ndarray, "grid levels outputs"]:
            test_per_sample = test / np.where(n > 0, n, np.inf)[:, None]
            return mode_learnabilities(spectrum, kappa)[:, :, None] ** 2 * test_per_sample[:, None, :]

        return Solution(
            kappa=kappa,
            overfitting_coefficient=overfitting,
            learnability=learnability,
            bias=bias,
            test_mse=test,
            train_mse=train,
            variance=variance,
            mode_learnabilities=lambda: mode_learnabilities(spectrum, kappa),
            coefficient_variance=coefficient_variance,
        )


def mode_learnabilities(spectrum: Spectrum, kappa: Float[np.ndarray, " grid"]) -> Float[np.ndarray, "grid levels"]:
    """L_i = lambda_i / (lambda_i + kappa) of every level, (grid, levels)."""
    values = spectrum.eigenvalues
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(values > 0, 1 / (1 + kappa[:, None] / values), 0.0)


class ModeSums(NamedTuple):
    """Sums over modes at every kappa; M stands for 1 - L."""

    spread: Float[np.ndarray, " grid"]  # sum m L M
    squares: Float[np.ndarray, " grid"]  # sum m L^2
    learned: Float[np.ndarray, "grid outputs"]  # sum v^2 L
    missed: Float[np.ndarray, "grid outputs"]  # sum v^2 M^2
    between: Float[np.ndarray, "grid outputs"]  # sum v^2 L M


def sums_over_modes(
    spectrum: Spectrum, power: Float[np.ndarray, "levels outputs"], kappa: Float[np.ndarray, " grid"]
) -> ModeSums:
    """What the equations need of a spectrum and a target; the spectrum's tail is left out."""
    positive = spectrum.eigenvalues > 0
    measure, unit = SpectralMeasure.of_spectrum(spectrum, power)
    between, squares, learned, missed = measure.sums(
        kappa / unit, lambda L, M: L * M, lambda L, M: L * L, lambda L, M: L, lambda L, M: M * M
    )
    unlearnable = power[~positive].sum(0)
    return ModeSums(between[:, 0], squares[:, 0], learned[:, 1:], missed[:, 1:] + unlearnable, between[:, 1:])
