r"""Coefficients of a target on Hermite polynomials of the data, from a few thousand labels.

Data are not quite Gaussian, and of finitely many samples even Gaussian ones are not: the polynomials are made orthonormal on
the samples in the order of their eigenvalues, by Gram and Schmidt, before labels are projected on them (Karkada et al. 2025,
arXiv 2510.14878). The square of a coefficient estimated from N labels exceeds the true one by R / N, with R the power that the
polynomials before it leave unexplained; modes of a similar rank, a band, are shrunk together so that their power is right.
"""

import numpy as np
from jaxtyping import Float
from scipy import linalg

from .multi_index import hermite_products

SAMPLES_PER_MODE = 4
BAND = 0.1  # a band's share of its rank


def project(
    z: Float[np.ndarray, "samples dim"], y: Float[np.ndarray, "samples outputs"], indices: list[tuple[int, ...]]
) -> tuple[Float[np.ndarray, "used outputs"], Float[np.ndarray, " outputs"]]:
    """Coefficients of labels on the leading polynomials, and their power.

    Parameters
    ----------
    z : (samples, dim), coordinates of unit variance
    y : (samples, outputs)
    indices : multi-indices in descending order of their eigenvalues; as many are used as there are samples for

    Returns
    -------
    (used, outputs), and E[y^2] (outputs,), which is no less than the sum of their squares
    """
    samples = len(z)
    used = indices[: max(1, samples // SAMPLES_PER_MODE)]
    basis, triangle = linalg.qr(hermite_products(z, used), mode="economic", check_finite=False)
    coefficients = (basis.T @ y) * np.sign(np.diag(triangle))[:, None] / np.sqrt(samples)
    total = (y**2).mean(0)
    square = coefficients**2
    rank = np.arange(1, len(used) + 1)
    unexplained = np.maximum(total - square.cumsum(0), 0.0) / (1 - rank / samples)[:, None]
    first = np.unique(np.concatenate([[0], np.floor(np.cumprod(np.full(200, 1 + BAND))).astype(int)]))
    first = first[first < len(used)]
    estimated, excess = (np.add.reduceat(array, first) for array in (square, unexplained / samples))
    share = np.sqrt(np.maximum(1 - excess / np.where(estimated > 0, estimated, np.inf), 0.0))
    return coefficients * np.repeat(share, np.diff([*first, len(used)]), axis=0), total
