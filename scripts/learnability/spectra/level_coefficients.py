r"""Level coefficients of a rotation-invariant kernel: on a sphere of radius r, K(x, x') = sum_l c_l (x.x')^l / l!.

With t the cosine of the angle, K = sum_l a_l t^l and c_l = l! a_l / r^(2l) (Karkada et al. 2025, arXiv 2510.14878: on-sphere level
coefficients; a_l >= 0 by Schoenberg's theorem). Their Taylor series at t = 0 converges too slowly to be cut where the kernel has a
kink at t = 1 (ReLU, Laplace), so that of the polynomials of degree L the one nearest to K is taken, in the mean square over
angles between points of `dimension` dimensions, which have E[t^2] = 1/dimension. In high dimension both are the same.
"""

from math import factorial

import numpy as np
from scipy.special import roots_gegenbauer

HIGHEST_LEVEL = 10
NODES = 400
ROUNDING = 1e-9  # of the kernel's diagonal: coefficients below it are none


def level_coefficients(kernel, inputs, radius, dimension):
    """Level coefficients of a kernel.

    Parameters
    ----------
    kernel : (x (n, inputs), x2 (m, inputs)) -> (n, m)
    inputs : int, coordinates of a point
    radius : float, |x| of the sphere
    dimension : float, of the distribution of angles; those below 3 count as 3

    Returns
    -------
    c (HIGHEST_LEVEL + 1,), >= 0, and the kernel's diagonal K(x, x)
    """
    dimension, levels = max(dimension, 3.0), np.arange(HIGHEST_LEVEL + 1)
    cosines, weights = roots_gegenbauer(NODES, dimension / 2 - 1)
    points = np.zeros((NODES + 1, max(inputs, 2)))
    points[0, 0], points[1:, 0], points[1:, 1] = 1.0, cosines, np.sqrt(1 - cosines**2)
    values = kernel(radius * points[:1], radius * points[:, : max(inputs, 2)])[0]
    scales = np.sqrt([factorial(level) for level in levels]) * dimension ** (-levels / 2)
    roots = np.sqrt(weights)[:, None]
    terms = np.linalg.lstsq(roots * cosines[:, None] ** levels / scales, roots[:, 0] * values[1:], rcond=None)[0]
    terms = np.where(terms > ROUNDING * values[0], terms, 0.0) / scales
    return terms * [factorial(level) for level in levels] / radius ** (2.0 * levels), float(values[0])
