r"""Level coefficients of a rotation-invariant kernel: on a sphere of radius r, K(x, x') = sum_l c_l (x.x')^l / l!.

With t the cosine of the angle, K = sum_l a_l t^l and c_l = l! a_l / r^(2l) (the on-sphere level coefficients of Karkada et al.
2025, arXiv 2510.14878; a_l >= 0 by Schoenberg's theorem). The Taylor series follows from the values on |t| <= 1/2, where
kernels that are analytic up to t = +-1 have Chebyshev series that fall by (2 + sqrt 3) with each degree. Rounding of the values
limits a_l to about 1e-14 8^l of the kernel's diagonal.
"""

from collections.abc import Callable
from math import factorial

import numpy as np
from jaxtyping import Float
from numpy.polynomial import chebyshev

HIGHEST_LEVEL = 10
REACH, DEGREE = 0.5, 24
NOISE = 1e-14 * 8.0 ** np.arange(HIGHEST_LEVEL + 1)  # of the diagonal: coefficients below it are none


def level_coefficients(kernel: Callable, inputs: int, radius: float) -> tuple[Float[np.ndarray, " levels"], float]:
    """Level coefficients of a kernel.

    Parameters
    ----------
    kernel : (x (n, inputs), x2 (m, inputs)) -> (n, m)
    inputs : int >= 2, coordinates of a point
    radius : float, |x| of the sphere

    Returns
    -------
    c (HIGHEST_LEVEL + 1,), >= 0, and the kernel's diagonal K(x, x)
    """
    nodes = chebyshev.chebpts1(4 * DEGREE)
    points = np.zeros((len(nodes) + 1, inputs))
    points[0, 0], points[1:, 0], points[1:, 1] = 1.0, REACH * nodes, np.sqrt(1 - (REACH * nodes) ** 2)
    diagonal, *values = kernel(radius * points[:1], radius * points)[0]
    series = chebyshev.cheb2poly(chebyshev.chebfit(nodes, values, DEGREE))[: HIGHEST_LEVEL + 1]
    levels = np.arange(HIGHEST_LEVEL + 1)
    terms = series / REACH**levels
    terms = np.where(terms > NOISE * diagonal, terms, 0.0)
    return terms * [factorial(level) for level in levels] / radius ** (2.0 * levels), float(diagonal)
