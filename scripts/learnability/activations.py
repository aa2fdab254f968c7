r"""Activations and their dual kernels.

For a centred Gaussian pair (u, v) with variances q1, q2 and covariance c, the dual of an activation phi is

    k(q1, q2, c) = E[phi(u) phi(v)],        kdot(q1, q2, c) = E[phi'(u) phi'(v)] = dk/dc.

Closed forms are used where they exist (Cho & Saul 2009; Williams 1997; Han et al. 2022, arXiv 2209.04121).
Every other smooth activation goes through its Hermite series (Daniely et al. 2016, arXiv 1602.05897, sec. 4):

    k = sum_k a_k(q1) a_k(q2) rho^k,    a_k(q) = E[phi(sqrt(q) z) h_k(z)],    rho = c / sqrt(q1 q2),

with orthonormal Hermite polynomials h_k. The coefficients are integrals of an analytic function with Gaussian
decay, for which the trapezoidal rule converges exponentially, and by Parseval the neglected terms
E[phi^2] - sum a_k^2 bound the truncation error for every rho: the number of terms is raised until they vanish.

To add an activation, write its function and derivative in `ACTIVATIONS`; a closed form is optional.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch

from .errors import choose

EPSILON = torch.finfo(torch.float64).eps
TINY = 1e-150  # stands for the standard deviation of a point at the origin: 0 / TINY^2 is 0, not undefined
SERIES_TOLERANCE = 1e-13  # neglected share of E[phi^2]; the kernel's error relative to its diagonal
MOST_TERMS = 8192


@dataclass(frozen=True)
class Activation:
    """An activation, its derivative and, where known, the closed form of its dual kernels.

    Attributes
    ----------
    name : str
    function, derivative : callable
        Elementwise on a tensor of any shape and floating dtype.
    closed_form : callable, optional
        (q1, q2, c) -> (k, kdot), elementwise under broadcasting; float64 tensors.
    kink : (float, float), optional
        Slopes below and above zero of a piecewise-linear activation.
    """

    name: str
    function: Callable
    derivative: Callable
    closed_form: Callable | None = None
    kink: tuple | None = None

    def prepare(self, variance):
        """What the dual needs to know of each point: a tuple of tensors with leading axis `points`.

        variance : (points,) pre-activation variances.
        """
        if self.closed_form is not None:
            return (variance,)
        return hermite_coefficients(self, variance)

    def diagonal(self, prepared):
        """k and kdot of every point with itself, each (points,)."""
        if self.closed_form is not None:
            (variance,) = prepared
            return self.closed_form(variance, variance, variance.clone())
        return tuple(coefficients.square().sum(-1) for coefficients in prepared[1:])

    def dual(self, prepared, prepared2, covariance):
        """k and kdot, each (points, points2); `covariance` (points, points2) may be overwritten."""
        if self.closed_form is not None:
            return self.closed_form(prepared[0][:, None], prepared2[0][None, :], covariance)
        correlation = covariance.div_(prepared[0][:, None]).div_(prepared2[0][None, :]).clamp_(-1, 1)
        return (
            _hermite_sum(prepared[1], prepared2[1], correlation),
            _hermite_sum(prepared[2], prepared2[2], correlation),
        )


# --- the generic rule ---------------------------------------------------------------------------------------


@cache
def _hermite_functions(terms):
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


def hermite_coefficients(activation, variance):
    """Standard deviations and Hermite coefficients of phi and of phi' at each variance.

    Returns
    -------
    (points,), (points, terms), (points, terms')
        The standard deviation is 1 where the variance is 0, so that the correlation there is 0, not undefined.

    Raises
    ------
    ValueError
        The series does not converge: the variance is so large that the activation looks discontinuous.
    """
    distinct, place = torch.unique(variance, return_inverse=True)
    std = distinct.sqrt()
    series = [_coefficients(activation, f, std)[place] for f in (activation.function, activation.derivative)]
    std = torch.where(std > 0, std, 1.0)[place]
    return (std, *series)


def _coefficients(activation, function, std):
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


def _hermite_sum(coefficients, coefficients2, correlation):
    """sum_k a_k a'_k rho^k by Horner's rule in rho^2; an odd or even function costs half."""
    square = correlation.square()
    terms = min(coefficients.shape[1], coefficients2.shape[1])
    negligible = EPSILON * coefficients.abs().max() * coefficients2.abs().max()
    total = torch.zeros_like(correlation)
    for parity in (0, 1):
        left = coefficients[:, parity:terms:2].T.contiguous()[:, :, None]
        right = coefficients2[:, parity:terms:2].T.contiguous()[:, None, :]
        largest = left.abs().amax((1, 2)) * right.abs().amax((1, 2))
        kept = torch.nonzero(largest > negligible)
        if len(kept) == 0:
            continue
        part = torch.zeros_like(correlation)
        for k in range(int(kept[-1]), -1, -1):
            part.mul_(square).addcmul_(left[k], right[k])
        total += part.mul_(correlation) if parity else part
    return total


# --- closed forms -------------------------------------------------------------------------------------------


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
    s2 = SIGMOID_ERF_SCALE**2
    k, kdot = erf(var1 / s2, var2 / s2, cov / s2)
    return 0.25 + k / 4, kdot / (4 * s2)


def _step(x, negative):
    return torch.where(x > 0, 1.0, negative).to(x.dtype)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("relu", torch.relu, lambda x: (x > 0).to(x.dtype), piecewise_linear(0, 1), (0.0, 1.0)),
        Activation(
            "leaky_relu",
            lambda x: torch.nn.functional.leaky_relu(x, 0.01),
            lambda x: _step(x, 0.01),
            piecewise_linear(0.01, 1),
            (0.01, 1.0),
        ),
        Activation("abs", torch.abs, torch.sign, piecewise_linear(-1, 1), (-1.0, 1.0)),
        Activation("identity", lambda x: x, torch.ones_like, linear),
        Activation("erf", torch.erf, lambda x: torch.exp(-x.square()) * (2 / math.sqrt(math.pi)), erf),
        Activation(
            "gelu",
            lambda x: x * torch.special.ndtr(x),
            lambda x: torch.special.ndtr(x) + x * torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi),
            gelu,
        ),
        Activation("sin", torch.sin, torch.cos, sine),
        Activation("gaussian", lambda x: torch.exp(-x.square()), lambda x: -2 * x * torch.exp(-x.square()), gaussian),
        Activation(
            "sigmoid_erf",
            lambda x: 0.5 + torch.erf(x / SIGMOID_ERF_SCALE) / 2,
            lambda x: torch.exp(-(x / SIGMOID_ERF_SCALE).square()) / (SIGMOID_ERF_SCALE * math.sqrt(math.pi)),
            sigmoid_erf,
        ),
        Activation("sigmoid", torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x)),
        Activation("tanh", torch.tanh, lambda x: torch.tanh(x).square().neg().add(1)),
    )
}


def activation_named(name):
    """Look an activation up by name; a misspelt name raises ValueError with the nearest ones."""
    return ACTIVATIONS[choose("activation", name, ACTIVATIONS)]
