"""Closed forms of dual kernels: (q1, q2, c) -> (k, kdot), elementwise under broadcasting on float64 tensors."""

import math

import torch

from .hermite import EPSILON

TINY = 1e-150  # stands for the standard deviation of a point at the origin: 0 / TINY^2 is 0, not undefined


def piecewise_linear(negative, positive):
    """Dual of phi(x) = positive * x for x > 0, negative * x for x < 0 (Cho & Saul 2009, orders 0 and 1).

    phi = a x + b |x|, and E|u||v| = (2/pi) sqrt(q1 q2) (sqrt(1 - rho^2) + rho asin(rho)).
    """
    a, b = (positive + negative) / 2, (positive - negative) / 2

    def dual(var1, var2, cov):
        scale = var1.sqrt().clamp_min(TINY) * var2.sqrt().clamp_min(TINY)
        # rho is 1 only up to rounding for coincident points, and sqrt(1 - rho) turns 1e-16 into 1e-8:
        # a few ulp outwards and a clamp make coincident (and antipodal) points exact.
        rho = cov.div(scale).mul_(1 + 4 * EPSILON).clamp_(-1, 1)
        angle = rho.asin()
        k = rho.square().neg_().add_(1).sqrt_().addcmul_(rho, angle).mul_(b * b * 2 / math.pi)
        k = k.add_(rho, alpha=a * a).mul_(scale)
        return k, angle.mul_(b * b * 2 / math.pi).add_(a * a)

    return dual


def linear(var1, var2, cov):
    """z: E[z z'] is the covariance itself."""
    return cov, torch.ones_like(cov)


def _determinant(scale, var1, var2, cov):
    """det(1 + scale Sigma), without the cancellation of (1 + s q1)(1 + s q2) - s^2 c^2 at large variances."""
    std = var1.sqrt() * var2.sqrt()
    return 1 + scale * (var1 + var2) + scale**2 * ((std - cov) * (std + cov)).clamp_min(0)


def erf(var1, var2, cov):
    """Williams (1997): E[erf(u) erf(v)] = (2/pi) asin(2c / sqrt((1 + 2 q1)(1 + 2 q2)))."""
    product = (1 + 2 * var1) * (1 + 2 * var2)
    k = (2 * cov / product.sqrt()).asin() * (2 / math.pi)
    return k, (4 / math.pi) * _determinant(2, var1, var2, cov).rsqrt()


def gelu(var1, var2, cov):
    """phi(x) = x Phi(x); Stein's lemma applied to both factors (cf. Tsuchida et al. 2021, arXiv 2002.08517)."""
    product = (1 + var1) * (1 + var2)
    delta = _determinant(1, var1, var2, cov).sqrt()
    cdf = 0.25 + (cov / product.sqrt()).asin() / (2 * math.pi)  # E[Phi(u) Phi(v)]
    pdf = 1 / (2 * math.pi * delta)  # E[Phi'(u) Phi'(v)]
    k = cov * cdf + pdf * (var1 * var2 + cov.square() * (1 / (1 + var1) + 1 / (1 + var2) - 1))
    kdot = cdf + cov * pdf * (1 / (1 + var1) + 1 / (1 + var2) + delta**-2)
    return k, kdot


def sine(var1, var2, cov):
    """exp(-(q1 + q2)/2) sinh(c) and cosh(c), without overflow."""
    minus = torch.exp(cov - (var1 + var2) / 2) / 2
    plus = torch.exp(-cov - (var1 + var2) / 2) / 2
    return minus - plus, minus + plus


def gaussian(var1, var2, cov):
    """phi(x) = exp(-x^2): det(1 + 2 Sigma)^(-1/2)."""
    determinant = _determinant(2, var1, var2, cov)
    k = determinant.rsqrt()
    return k, 4 * cov * k / determinant


SIGMOID_ERF_SCALE = 2.4020563531719796  # least-squares match of 1/2 + erf(x/s)/2 to the logistic function


def sigmoid_erf(var1, var2, cov):
    """(1 + erf(z / s)) / 2, from the dual of erf; its constant 1/2 adds 1/4."""
    s2 = SIGMOID_ERF_SCALE**2
    k, kdot = erf(var1 / s2, var2 / s2, cov / s2)
    return 0.25 + k / 4, kdot / (4 * s2)
