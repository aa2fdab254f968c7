r"""Closed forms of dual kernels: (q1, q2, c) -> (k, kdot), elementwise under broadcasting on float64 tensors.

Two points of large norm that are near to each other, or near to opposite, differ by digits that q1, q2 and c have lost. What
the closed forms need of them are three numbers that follow from differences of the points themselves (`Separation`):

    Var[u - v] = q1 + q2 - 2c,    Var[u + v] = q1 + q2 + 2c,    det Sigma = q1 q2 - c^2.

A closed form takes them as a fourth argument where they are known, and makes them from q1, q2 and c where they are not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .hermite import EPSILON

# Stands for the standard deviation of a point at the origin: 0 / TINY^2 is 0, not undefined.
TINY = {torch.float64: 1e-150, torch.float32: 1e-18}
Dual = tuple[Tensor, Tensor]  # k and kdot, of one shape


@dataclass(frozen=True)
class Separation:
    """How far two Gaussian variables of covariance Sigma are from being equal or opposite; tensors of one shape."""

    difference: Tensor  # Var[u - v]
    total: Tensor  # Var[u + v]
    determinant: Tensor  # det Sigma

    @classmethod
    def of_covariance(cls, var1: Tensor, var2: Tensor, cov: Tensor) -> "Separation":
        """From q1, q2 and c, to the digits that they have: sqrt(q q) = q exactly, so that equal points have none."""
        std = (var1 * var2).sqrt()
        return cls(var1 + var2 - 2 * cov, var1 + var2 + 2 * cov, ((std - cov) * (std + cov)).clamp_min(0))


def piecewise_linear(negative: float, positive: float) -> Callable[..., Dual]:
    """Dual of phi(x) = positive * x for x > 0, negative * x for x < 0 (Cho & Saul 2009, orders 0 and 1).

    phi = a x + b |x|, and E|u||v| = (2/pi) (sqrt(det Sigma) + c asin(rho)).
    """
    a, b = (positive + negative) / 2, (positive - negative) / 2
    share = b * b * 2 / math.pi

    def dual(var1: Tensor, var2: Tensor, cov: Tensor, separation: Separation | None = None) -> Dual:
        if separation is not None:
            area = separation.determinant.sqrt()
            kdot = torch.atan2(cov, area).mul_(share).add_(a * a)
            return area.mul_(share).addcmul_(cov, kdot), kdot
        least = TINY[cov.dtype]
        scale = var1.sqrt().clamp_min(least) * var2.sqrt().clamp_min(least)
        # rho is 1 only up to rounding for coincident points, and sqrt(1 - rho^2) turns 1e-16 into 1e-8: a few ulp outwards
        # and a clamp make coincident (and antipodal) points exact. Not area.sqrt_(), which takes twice as long here, nor
        # rho.asin(), which takes one and a half times as long as atan2.
        rho = cov / scale
        area = rho.square().mul_(-1 - 8 * EPSILON).add_(1).clamp_min_(least)
        area.mul_(area.rsqrt())
        kdot = torch.atan2(rho, area).mul_(share).add_(a * a)
        return area.mul_(share).addcmul_(rho, kdot).mul_(scale), kdot

    return dual


def linear(var1: Tensor, var2: Tensor, cov: Tensor, separation: Separation | None = None) -> Dual:
    """z: E[z z'] is the covariance itself."""
    return cov, torch.ones_like(cov)


def erf(var1: Tensor, var2: Tensor, cov: Tensor, separation: Separation | None = None) -> Dual:
    """Williams (1997): E[erf(u) erf(v)] = (2/pi) asin(2c / sqrt((1 + 2 q1)(1 + 2 q2))).

    With D = det(1 + 2 Sigma) the product below the root is D + 4c^2, and the angle atan2(2c, sqrt D): of equal points
    of large norm asin would see a ratio of 1, or more than that by rounding.
    """
    root = _determinant(2, var1, var2, cov, separation).sqrt()
    return torch.atan2(2 * cov, root) * (2 / math.pi), (4 / math.pi) / root


def gelu(var1: Tensor, var2: Tensor, cov: Tensor, separation: Separation | None = None) -> Dual:
    """phi(x) = x Phi(x); Stein's lemma applied to both factors (cf. Tsuchida et al. 2021, arXiv 2002.08517).

    The angle is that of `erf`, and k is a sum in which q1 q2 - c^2 is not made by subtraction.
    """
    separation = separation or Separation.of_covariance(var1, var2, cov)
    delta = _determinant(1, var1, var2, cov, separation).sqrt()
    cdf = 0.25 + torch.atan2(cov, delta) / (2 * math.pi)  # E[Phi(u) Phi(v)]
    pdf = 1 / (2 * math.pi * delta)  # E[Phi'(u) Phi'(v)]
    shrunk = 1 / (1 + var1) + 1 / (1 + var2)
    k = cov * cdf + pdf * (separation.determinant + cov.square() * shrunk)
    kdot = cdf + cov * pdf * (shrunk + delta**-2)
    return k, kdot


def sine(var1: Tensor, var2: Tensor, cov: Tensor, separation: Separation | None = None) -> Dual:
    """exp(-(q1 + q2)/2) sinh(c) and cosh(c), without overflow; a variance below 0 is rounding."""
    separation = separation or Separation.of_covariance(var1, var2, cov)
    least = torch.minimum(separation.difference, separation.total).clamp_min(0)
    decay = torch.exp(-least / 2)
    sign = torch.where(cov >= 0, 1.0, -1.0)  # not cov.sign(), whose product with |cov| has no derivative at 0
    return sign * decay * torch.expm1(-2 * sign * cov) / -2, decay * (1 + torch.exp(-2 * sign * cov)) / 2


def gaussian(var1: Tensor, var2: Tensor, cov: Tensor, separation: Separation | None = None) -> Dual:
    """phi(x) = exp(-x^2): det(1 + 2 Sigma)^(-1/2)."""
    determinant = _determinant(2, var1, var2, cov, separation)
    k = determinant.rsqrt()
    return k, 4 * cov * k / determinant


SIGMOID_ERF_SCALE = 2.4020563531719796  # least-squares match of 1/2 + erf(x/s)/2 to the logistic function


def sigmoid_erf(var1: Tensor, var2: Tensor, cov: Tensor, separation: Separation | None = None) -> Dual:
    """(1 + erf(z / s)) / 2, from the dual of erf; its constant 1/2 adds 1/4."""
    s2 = SIGMOID_ERF_SCALE**2
    if separation is not None:
        d, t, determinant = separation.difference, separation.total, separation.determinant
        separation = Separation(d / s2, t / s2, determinant / s2**2)
    k, kdot = erf(var1 / s2, var2 / s2, cov / s2, separation)
    return 0.25 + k / 4, kdot / (4 * s2)


def _determinant(scale: float, var1: Tensor, var2: Tensor, cov: Tensor, separation: Separation | None) -> Tensor:
    """det(1 + scale Sigma), without the cancellation of (1 + s q1)(1 + s q2) - s^2 c^2 at large variances."""
    separation = separation or Separation.of_covariance(var1, var2, cov)
    return 1 + scale * (var1 + var2) + scale**2 * separation.determinant
