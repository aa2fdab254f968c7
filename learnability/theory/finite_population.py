r"""Training sets drawn without replacement from a population of M points.

Derived for this project: docs/research/finite-population.md.

The paper's equations draw samples from an infinite population. On a list of M points, with S = sum m_i L_i,
q = sum m_i L_i^2, W = sum m_i L_i (1 - L_i), B = sum (1 - L_i)^2 v_i^2, and over all M modes, those of eigenvalue zero
included, the means u of 1 - L_i and P of (1 - L_i)^2,

    n = S + u delta/kappa                                                      (conservation of learnability)
    rho = delta/kappa,   D = W + rho P,   s = rho u / n                        (s: what training leaves of a residual)
    off   = n (B + sigma^2 P) / (u D)                        test error off the training set
    Gamma = (1 - rho/M) (B + sigma^2 P) / D + sigma^2/M
    test  = B + q Gamma + sigma^2                            test error over all M points, against new labels
    train = s^2 off                                          train error
    E[vhat_i] = L_i v_i,     Var[vhat_i] = Gamma L_i^2

All are sums of positive terms. At M = infinity these are the equations of `learnability.theory.eigenlearning`; without
ridge and noise kappa, L and the test error do not depend on M. Trace beyond the listed modes (`Spectrum.tail`) is spread
evenly over the modes that the list lacks.
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
from .eigenlearning import mode_learnabilities
from .newton import Grid, bracket, solve_in_log
from .solution import Solution, damped
from .theory import SpectralTheory


@dataclass(frozen=True)
class FinitePopulation(SpectralTheory):
    """Training sets drawn without replacement from a population of M points.

    Parameters
    ----------
    population : float or array, broadcast with train_size, ridge and noise_std
        M, the number of points of a finite domain.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=3)
    >>> spectrum = cube.spectrum(lb.FullyConnected(1))
    >>> float(lb.predict(spectrum, cube.parity(1), 8, ridge=0.0, theory=lb.FinitePopulation(8)).test_mse)
    0.0
    """

    population: ArrayLike

    name: ClassVar[str] = "finite_population"

    @property
    def parameters(self) -> Mapping[str, ArrayLike]:
        return {"population": self.population}

    def solve(
        self,
        spectrum: Spectrum,
        power: Float[np.ndarray, "levels outputs"],
        beyond: Float[np.ndarray, " outputs"],
        train_size: Float[np.ndarray, " grid"],
        ridge: Float[np.ndarray, " grid"],
        noise_std: Float[np.ndarray, " grid"],
        population: Float[np.ndarray, " grid"] | None = None,
    ) -> Solution:
        """The equations on a flat grid.

        Parameters
        ----------
        spectrum : Spectrum
        power : (levels, outputs), beyond : (outputs,) power on modes in the tail
        train_size, ridge, noise_std : (grid,) n, delta and sigma
        population : (grid,), M; missing: the theory's own

        Returns
        -------
        Solution

        Raises
        ------
        ValueError
            A population smaller than the number of modes that the spectrum lists, or than n.
        """
        n, delta, sigma = train_size, ridge, noise_std
        levels, size = spectrum, _checked(spectrum, n, self.population if population is None else population)
        if spectrum.tail > 0:
            spectrum, power = _with_tail(spectrum, power, beyond, size)
        else:
            power = np.concatenate([power, beyond[None]])
            spectrum = Spectrum(np.append(spectrum.eigenvalues, 0.0), np.append(spectrum.multiplicities, 0.0))
        kappa, rho = _conserved(spectrum, n, delta, size)
        u, mean_square, spread, squares, learned, missed = _sums(spectrum, power, kappa, size)  # u, P, W, q, .., B
        with np.errstate(divide="ignore", invalid="ignore"):
            pull = spread + rho * mean_square  # D
            off = np.where(n > 0, n / (u * pull), 1.0)[:, None]
            fluctuation = np.where(n > 0, (1 - rho / size) / pull, 0.0)[:, None]
            untrained = delta / (spectrum.trace + delta) if spectrum.trace > 0 else 1.0  # the limit of s as n goes to 0
            residual_share = np.where(n > 0, rho * u / n, untrained)  # s
        interpolates = (kappa == 0) & (u < UNLEARNED)  # n = M, no ridge: what is missed is in units of a tiny kappa
        residual_share = np.where(interpolates, 0.0, residual_share)
        noise = sigma[:, None] ** 2
        unexplained = missed + noise * mean_square[:, None]
        bias = np.where(interpolates[:, None], 0.0, missed)
        per_mode = damped(fluctuation, unexplained) + np.where(n > 0, noise.T / size, 0.0).T  # Gamma
        variance = squares[:, None] * per_mode
        off_train = damped(off, unexplained)
        return Solution(
            kappa=kappa,
            overfitting_coefficient=1 + squares * fluctuation[:, 0],
            learnability=learned / power.sum(0),
            bias=bias,
            test_mse=bias + variance + noise,
            train_mse=damped(off_train, residual_share[:, None] ** 2),
            variance=variance,
            mode_learnabilities=lambda: mode_learnabilities(levels, kappa),
            coefficient_variance=lambda: mode_learnabilities(levels, kappa)[:, :, None] ** 2 * per_mode[:, None, :],
            test_mse_off_train=off_train,
            residual_share=residual_share,
            unlearned=u,
        )


ROUNDING = 1e-12  # of a number of modes that is a sum of fractions
UNLEARNED = 1e-100  # u below it: only where kappa = 0, and 1 - L is in units of a tiny one


def _checked(spectrum: Spectrum, n: Float[np.ndarray, " grid"], population: ArrayLike) -> Float[np.ndarray, " grid"]:
    """M, (grid,); ValueError if it does not hold the listed modes or the training set."""
    size = np.broadcast_to(np.asarray(population, dtype=float), n.shape)
    modes = spectrum.multiplicities[spectrum.eigenvalues > 0].sum()
    few = spectrum.tail > 0 and bool((size <= modes).any())
    require(
        bool((size >= modes * (1 - ROUNDING)).all()) and not few,
        f"population {size.min(initial=np.inf):g} is smaller than the number of modes of the spectrum, {modes:g}"
        f"{' and a tail' if few else ''}; a kernel on M points has at most M",
    )
    wrong = n > size
    require(not wrong.any(), f"train_size {n[wrong][:1]} is larger than the population {size[wrong][:1]}")
    return size


def _with_tail(
    spectrum: Spectrum,
    power: Float[np.ndarray, "levels outputs"],
    beyond: Float[np.ndarray, " outputs"],
    size: Float[np.ndarray, " grid"],
) -> tuple[Spectrum, Float[np.ndarray, "levels+1 outputs"]]:
    """The tail as one more level; the population must be one number for that."""
    sizes = np.unique(size)
    require(len(sizes) == 1, f"a spectrum with a tail needs one population, got {sizes}")
    positive = spectrum.eigenvalues > 0
    rest = sizes[0] - spectrum.multiplicities[positive].sum()
    values = np.append(spectrum.eigenvalues, spectrum.tail / rest)
    return Spectrum(values, np.append(spectrum.multiplicities, rest)), np.concatenate([power, beyond[None]])


def _conserved(
    spectrum: Spectrum,
    n: Float[np.ndarray, " grid"],
    delta: Float[np.ndarray, " grid"],
    size: Float[np.ndarray, " grid"],
) -> tuple[Float[np.ndarray, " grid"], Float[np.ndarray, " grid"]]:
    """kappa and rho = delta/kappa, (grid,): the conservation law, in the form of `conservation` with u delta as ridge."""
    rank = spectrum.multiplicities[spectrum.eigenvalues > 0].sum()
    kappa, rho = np.where(n > 0, 0.0, np.inf), np.zeros(len(n))
    positive = (n > 0) & ((delta > 0) | (n < rank))
    if positive.any():
        measure, unit = SpectralMeasure.of_spectrum(spectrum)
        kappa[positive] = unit * _balanced(measure, rank, n[positive], delta[positive] / unit, size[positive])
        rho[positive] = delta[positive] / kappa[positive]
    vanishing = (n > 0) & ~positive  # kappa = 0
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = np.where(size > rank, (n - rank) / np.where(size > rank, 1 - rank / size, 1.0), size)
    return kappa, np.where(vanishing, limit, rho)


def _balanced(
    measure: SpectralMeasure,
    rank: float,
    n: Float[np.ndarray, " grid"],
    delta: Float[np.ndarray, " grid"],
    size: Float[np.ndarray, " grid"],
) -> Float[np.ndarray, " grid"]:
    """The kappa > 0 at which the sides of the conservation law are equal."""
    few = n <= rank / 2

    def balance(kappa: Grid) -> tuple[Grid, Grid, Grid]:
        learned, missed, slope, square = (
            total[:, 0]
            for total in measure.sums(kappa, lambda L, M: L, lambda L, M: M, lambda L, M: L * M, lambda L, M: M * M)
        )
        zeros = np.maximum(size - rank, 0)
        ridge, fall = (delta / kappa * (part + zeros) / size for part in (missed, square))
        up = np.where(few, n, missed + np.maximum(n - rank, 0))
        down = np.where(few, learned + ridge, ridge + np.maximum(rank - n, 0))
        return up, down, np.where(few, (slope + fall) / down, slope / up + fall / down)

    return solve_in_log(balance, *bracket(measure, rank, n, delta, delta / size))


def _sums(
    spectrum: Spectrum,
    power: Float[np.ndarray, "levels outputs"],
    kappa: Float[np.ndarray, " grid"],
    size: Float[np.ndarray, " grid"],
) -> tuple[
    Float[np.ndarray, " grid"],
    Float[np.ndarray, " grid"],
    Float[np.ndarray, " grid"],
    Float[np.ndarray, " grid"],
    Float[np.ndarray, "grid outputs"],
    Float[np.ndarray, "grid outputs"],
]:
    """u, P, W and q, (grid,); sum v^2 L and B, (grid, outputs).

    Where kappa = 0 and no mode is of eigenvalue zero, 1 - L is in units of a kappa far below every eigenvalue.
    """
    positive = spectrum.eigenvalues > 0
    measure, unit = SpectralMeasure.of_spectrum(spectrum, power)
    zeros = np.maximum(size - spectrum.multiplicities[positive].sum(), 0)
    tiny = np.where((kappa == 0) & (zeros <= 0), 1e-140, 0.0)
    spread, squares, learned, missed, missed_squares = measure.sums(
        kappa / unit + tiny, lambda L, M: L * M, lambda L, M: L * L, lambda L, M: L, lambda L, M: M, lambda L, M: M * M
    )
    u, mean_square = (missed[:, 0] + zeros) / size, (missed_squares[:, 0] + zeros) / size
    return u, mean_square, spread[:, 0], squares[:, 0], learned[:, 1:], missed_squares[:, 1:] + power[~positive].sum(0)
