r"""Dual kernels of any smooth activation by its Hermite series (Daniely et al. 2016, arXiv 1602.05897, sec. 4):

    k = sum_k a_k(q1) a_k(q2) rho^k,    a_k(q) = E[phi(sqrt(q) z) h_k(z)],    rho = c / sqrt(q1 q2),

with orthonormal Hermite polynomials h_k. The coefficients are integrals of an analytic function with Gaussian
decay, for which the trapezoidal rule converges exponentially, and by Parseval the neglected terms
E[phi^2] - sum a_k^2 bound the truncation error for every rho: the number of terms is raised until they vanish.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

EPSILON = torch.finfo(torch.float64).eps
SERIES_TOLERANCE = 1e-13  # neglected share of E[phi^2]; the kernel's error relative to its diagonal
MOST_TERMS = 8192


@runtime_checkable
class Smooth(Protocol):
    """An activation, as far as its Hermite series are concerned."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def function(self) -> Callable[[Tensor], Tensor]:
        """Elementwise."""

    @property
    def derivative(self) -> Callable[[Tensor], Tensor]:
        """Of the function."""


@cache
def _hermite_functions(terms: int) -> tuple[Float[Tensor, " grid"], Float[Tensor, "terms grid"]]:
    """Grid (points,) and the functions h_k(z) exp(-z^2/4) / (2 pi)^(1/4) on it, (terms, points).

    On |z| <= 13 the weight has fallen to 1e-18; the step 1/sqrt(terms) resolves the fastest oscillation twice over.
    """
    grid = torch.linspace(-13, 13, 2 * math.ceil(13 * math.sqrt(terms)) + 1, dtype=torch.float64)
    table = torch.zeros(terms, len(grid), dtype=torch.float64)
    table[0] = torch.exp(-grid.square() / 4) / (2 * math.pi) ** 0.25
    table[1] = grid * table[0]
    for k in range(1, terms - 1):
        table[k + 1] = (grid * table[k] - math.sqrt(k) * table[k - 1]) / math.sqrt(k + 1)
    return grid, table


def hermite_coefficients(
    activation: Smooth, variance: Float[Tensor, "*points"]
) -> tuple[Float[Tensor, "*points"], Float[Tensor, "*points terms"], Float[Tensor, "*points terms2"]]:
    """Standard deviations and Hermite coefficients of phi and of phi' at each variance.

    Returns
    -------
    (...), (..., terms), (..., terms') for variances (...)
        The standard deviation is 1 where the variance is 0, so that the correlation there is 0, not undefined.

    Raises
    ------
    ValueError
        The series does not converge: the variance is so large that the activation looks discontinuous.
    """
    distinct, inverse = torch.unique(variance, return_inverse=True)
    std = distinct.sqrt()
    own, slope = (_coefficients(activation, f, std)[inverse] for f in (activation.function, activation.derivative))
    return torch.where(std > 0, std, 1.0)[inverse], own, slope


def _coefficients(
    activation: Smooth, function: Callable[[Tensor], Tensor], std: Float[Tensor, " points"]
) -> Float[Tensor, "points terms"]:
    terms = 64
    while terms <= MOST_TERMS:
        grid, table = (t.to(std.device) for t in _hermite_functions(terms))
        weight = table[0] * (grid[1] - grid[0])
        values = function(std[:, None] * grid)  # (points, grid)
        square = (values.square() * table[0] * weight).sum(-1)
        coefficients = (values * weight) @ table.T
        neglected = square - coefficients.square().sum(-1)
        if (neglected <= SERIES_TOLERANCE * square).all():
            return coefficients
        terms *= 2
    raise ValueError(
        f"the Hermite series of {activation.name!r} does not converge in {MOST_TERMS} terms at a pre-activation "
        f"variance of {float(std.max()) ** 2:.3g}; scale the inputs to unit variance or lower weight_std"
    )


def hermite_sum(
    coefficients: Float[Tensor, "... points terms"],
    coefficients2: Float[Tensor, "... points2 terms2"],
    correlation: Float[Tensor, "... points points2"],
) -> Float[Tensor, "... points points2"]:
    """sum_k a_k a'_k rho^k by Horner's rule in rho^2; an odd or even function costs half."""
    square = correlation.square()
    terms = min(coefficients.shape[-1], coefficients2.shape[-1])
    negligible = EPSILON * coefficients.abs().max() * coefficients2.abs().max()
    total = torch.zeros_like(correlation)
    for parity in (0, 1):
        left = coefficients[..., parity:terms:2].movedim(-1, 0).contiguous().unsqueeze(-1)
        right = coefficients2[..., parity:terms:2].movedim(-1, 0).contiguous().unsqueeze(-2)
        largest = left.abs().flatten(1).amax(1) * right.abs().flatten(1).amax(1)
        terms_that_count = torch.nonzero(largest > negligible)
        if len(terms_that_count) == 0:
            continue
        part = torch.zeros_like(correlation)
        for k in range(int(terms_that_count[-1]), -1, -1):
            part.mul_(square).addcmul_(left[k], right[k])
        total += part.mul_(correlation) if parity else part
    return total


def hermite_grid(
    device: torch.device, step: float = 0.2, largest: float = 9.0
) -> tuple[Float[Tensor, " nodes"], Float[Tensor, " nodes"]]:
    """Nodes (points,) and weights of the trapezoidal rule for a standard normal variable: exponentially accurate."""
    grid = torch.arange(-largest, largest + step / 2, step, dtype=torch.float64, device=device)
    return grid, torch.exp(-grid.square() / 2) * (step / math.sqrt(2 * math.pi))
