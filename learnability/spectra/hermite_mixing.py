r"""A rotation-invariant kernel on Gaussian data, in the basis of Hermite polynomials: beyond the diagonal of the ansatz.

Near the radius r the level coefficients change like c_l(|x|^2) = c_l exp(-b_l (|x|^2 - r^2)), and with multi-indices beta of
level l the kernel is a sum of products of features

    K(x, x') = sum_beta F_beta(x) F_beta(x'),    F_beta(x) = sqrt(c_l / beta!) x^beta exp(-b_l (|x|^2 - r^2) / 2),

exactly so for the Gaussian kernel (b_l = 1/sigma^2), to first order in |x|^2 - r^2 for others. On Gaussian data, with
x_i = sqrt(gamma_i) z_i, the matrix elements with the polynomials h_alpha factorise into one-dimensional integrals,

    <F_beta, h_alpha> = sqrt(c_l gamma^beta) e^(b_l r^2/2) prod_i E[z^beta_i e^(-b_l gamma_i z^2/2) h_alpha_i] / sqrt(beta_i!),

and eigenvalues and eigenfunctions of K are those of the matrix sum_beta <F_beta, h_alpha> <F_beta, h_alpha'>. For b_l = 0 and
gamma / r^2 -> 0 it is diagonal, c_l gamma^alpha: the ansatz. More features than polynomials are summed over.
"""

from math import factorial

import numpy as np
from jaxtyping import Float
from scipy import linalg

from .multi_index import hermite_table

NODES = 80  # of the Gauss-Hermite rule: exact for polynomials of degree 159


def mixed_modes(
    values: Float[np.ndarray, " features"],
    indices: list[tuple[int, ...]],
    number: int,
    decay: Float[np.ndarray, " levels"],
    covariance: Float[np.ndarray, " dim"],
    radius: float,
) -> tuple[Float[np.ndarray, " number"], Float[np.ndarray, "number number"]]:
    """Eigenvalues and eigenvectors of the kernel among the leading Hermite polynomials.

    Parameters
    ----------
    values : (features,) c_l gamma^beta in descending order; indices : multi-indices as tuples
    number : int
        How many polynomials, the first ones of `indices`.
    decay : (levels,) b_l; covariance : (dim,) gamma; radius : r

    Returns
    -------
    (number,) in descending order, and the eigenfunctions' coefficients (number, number), one eigenfunction per column
    """
    degrees = np.zeros((len(indices), len(covariance)), dtype=np.int8)
    for row, index in zip(degrees, indices, strict=True):
        for coordinate in index:
            row[coordinate] += 1
    level, used = degrees.sum(1, dtype=int), np.flatnonzero(degrees.any(0))
    vacuum = 1 / np.sqrt(1 + np.outer(decay, covariance))  # E[exp(-b gamma z^2 / 2)], (levels, dim)
    tables = _integrals(decay, covariance[used], degrees.max(initial=0))  # (used, levels, degree, degree)
    scale = np.sqrt(values) * np.exp(decay[level] * radius**2 / 2 + np.log(vacuum).sum(1)[level])
    elements = np.repeat(scale[:, None], number, 1)  # <F_beta, h_alpha>, (beta, alpha)
    for degree, table in zip(degrees[:, used].T, tables / vacuum[:, used].T[:, :, None, None], strict=True):
        rows, columns = np.flatnonzero(degree), np.flatnonzero(degree[:number])
        elements[rows] *= table[level[rows, None], degree[rows, None], degree[:number]]
        others = np.flatnonzero(degree == 0)
        elements[np.ix_(others, columns)] *= table[level[others, None], 0, degree[columns]]
    eigenvalues, vectors = linalg.eigh(elements.T @ elements, driver="evd")
    return np.maximum(eigenvalues[::-1], 0.0), vectors[:, ::-1]


def _integrals(
    decay: Float[np.ndarray, " levels"], covariance: Float[np.ndarray, " dim"], highest: int
) -> Float[np.ndarray, "dim levels degrees degrees"]:
    """E[z^m exp(-b_l gamma_i z^2 / 2) h_k(z)] / sqrt(m!), (dim, levels, m, k)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    narrower = 1 / np.sqrt(
        1 + covariance[:, None] * decay
    )  # (dim, levels): z = narrower times a standard normal variable
    z = narrower[..., None] * nodes
    powers = np.array([z**m / np.sqrt(factorial(m)) for m in range(highest + 1)])
    weighted = powers * (weights / weights.sum()) * narrower[..., None]
    return np.einsum("mdlz,kdlz->dlmk", weighted, hermite_table(z, highest), optimize=True)
