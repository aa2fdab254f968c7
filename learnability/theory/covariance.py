r"""Covariance of the learned coefficients where eigenfunctions are not Gaussian.

Derived here: docs/research/fourth-moments.md.

With the residual r = sum (1 - L_i) v_i phi_i and, for every mode S of the domain, the rungs R_S of
`learnability.theory.fourth_moments`,

    Cov[vhat_i, vhat_j] = L_i L_j (1 - rho/M)/(n u) { sum_{S > 0} E[phi_i phi_S r] R_S^2 E[phi_j phi_S r]
                                                    + sum_S E[phi_i phi_S r] (R_S - 1) E[phi_j phi_S r]
                                                    + sum_S E[phi_i phi_j phi_S] (R_S - 1) E[phi_S r^2] }

The three sums are the ways to pair what two copies of the learner see. With R = 1 what is left is the sample covariance of
phi_i r, (E[phi_i phi_j r^2] - E[phi_i r] E[phi_j r]) / n. With Wick moments and many modes it is the paper's
delta_ij test L_i^2 / n. One factor then makes the sum of all variances that of `correction="fourth_moments"`, so
that it is the test error less bias and noise; label noise is spread as L_i^2.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from ..common.errors import require
from ..common.threads import one_thread
from ..domains.domain import Domain, SymmetricFiniteDomain
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from .fourth_moments import NextOrder
from .prediction import predict
from .products import Products


@one_thread
def coefficient_covariance(
    domain: Domain,
    spectrum: Spectrum,
    target: Target,
    train_size: ArrayLike,
    ridge: ArrayLike = 0.0,
    noise_std: ArrayLike = 0.0,
    shown: Sequence[int] | Int[np.ndarray, " shown"] | None = None,
) -> Float[np.ndarray, "*grid shown shown"]:
    """Cov[vhat_i, vhat_j] over training sets drawn from a hypercube or circle without replacement.

    Parameters
    ----------
    domain : Hypercube or Circle
    spectrum : Spectrum of a kernel on it
    target : Target with one output
    train_size, ridge, noise_std : floats or arrays, broadcast against each other to the shape `grid`
        n between 0 and the number of points, the ridge, the standard deviation of the label noise.
    shown : list of int, optional
        The eigenfunctions that are asked for, columns of `domain.eigenfunctions()`. Missing: all.

    Returns
    -------
    (grid, shown, shown) array
        In units of the target squared. The variances of all eigenfunctions sum to test_mse - bias - noise_std^2 of
        `predict(..., correction="fourth_moments")`.

    Raises
    ------
    ValueError
        A domain whose eigenfunctions are not listed, a spectrum of another one, several outputs, more samples than points.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=4)
    >>> spectrum = cube.spectrum(lb.FullyConnected(2))
    >>> lb.coefficient_covariance(cube, spectrum, cube.parity(1), 4, shown=[0, 1]).round(3)
    array([[0.076, 0.   ],
           [0.   , 0.006]])
    """
    if not isinstance(domain, SymmetricFiniteDomain) or domain.size is None:
        raise ValueError(
            f"eigenfunctions are listed on hypercubes up to dimension 20 and on circles, not on {domain!r}"
        )
    p = predict(spectrum, target, train_size, ridge, noise_std, correction="fourth_moments", domain=domain)
    require(p.power.ndim == 1, "coefficient_covariance needs a target with one output")
    products = Products(domain, spectrum)
    modes, basis = domain.eigenfunctions()
    coefficients = basis.T @ target(domain.points, np.arange(domain.size)) / domain.size
    columns = np.arange(domain.size) if shown is None else np.asarray(shown)
    level = np.searchsorted(products.modes, modes)
    diagonal = np.zeros((*p.kappa.shape, len(products.modes)))
    diagonal[..., products.level] = p.coefficient_variance
    covariance = np.empty((p.kappa.size, len(columns), len(columns)))
    for point, (n, delta, kappa) in enumerate(zip(p.train_size.flat, p.ridge.flat, p.kappa.flat, strict=True)):
        varies = 0 < n < domain.size and kappa > 0  # else training sets do not differ, or everything is learned
        order = NextOrder(products, n, delta, kappa) if varies else None
        if order is None or not order.holds:
            covariance[point] = np.diag(diagonal.reshape(-1, len(products.modes))[point, level[columns]])
            continue
        learned = order.first[level]
        noise = p.noise_std.flat[point] ** 2 * (order.of_noise()[0] - 1)
        matrix, total = leading_order(order, basis, level, (1 - learned) * coefficients, learned, columns)
        covariance[point] = matrix * (p.variance.flat[point] - noise) / total if total > 0 else matrix
        covariance[point] += np.diag(noise * learned[columns] ** 2 / (learned @ learned))
    return covariance.reshape((*p.kappa.shape, len(columns), len(columns)))


def leading_order(
    order: NextOrder,
    basis: Float[np.ndarray, "points modes"],
    level: Int[np.ndarray, " modes"],
    missed: Float[np.ndarray, " modes"],
    learned: Float[np.ndarray, " modes"],
    shown: Int[np.ndarray, " shown"],
) -> tuple[Float[np.ndarray, "shown shown"], float]:
    """Equation and sum of all variances before they are scaled.

    order : NextOrder; basis : (points, modes) eigenfunctions and the `level` of each; missed : (modes,), (1 - L_i) v_i;
    learned : (modes,), L_i. Returns (shown, shown) and a number.
    """
    points = len(basis)
    rungs = order.rungs[level]
    constant = order.products.constant[level]
    residual = basis @ missed
    coupled = basis.T @ (basis * residual[:, None]) / points  # E[phi_S r phi_i]
    crossed = np.where(constant, 0.0, rungs**2) + rungs - 1
    ladder = basis @ ((rungs - 1) * (basis.T @ residual**2)) / points  # a function on the points
    part, functions = coupled[:, shown], basis[:, shown]
    matrix = part.T @ (crossed[:, None] * part) + functions.T @ (ladder[:, None] * functions) / points
    total = learned**2 @ (coupled**2).T @ crossed + learned @ learned * ladder.mean()
    return order.strength * matrix * np.outer(learned[shown], learned[shown]), order.strength * total
