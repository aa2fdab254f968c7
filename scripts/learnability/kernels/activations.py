r"""Activations and their dual kernels.

For a centred Gaussian pair (u, v) with variances q1, q2 and covariance c, the dual of an activation phi is

    k(q1, q2, c) = E[phi(u) phi(v)],        kdot(q1, q2, c) = E[phi'(u) phi'(v)] = dk/dc.

Closed forms are used where they exist (Cho & Saul 2009; Williams 1997; Han et al. 2022, arXiv 2209.04121).
Every other smooth activation goes through its Hermite series (`learnability.kernels.hermite`).

To add an activation, write its function and derivative in `ACTIVATIONS`; a closed form is optional.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..common.errors import choose
from . import duals
from .hermite import hermite_coefficients, hermite_sum

LEAK = 0.01  # slope of leaky_relu below zero


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
            hermite_sum(prepared[1], prepared2[1], correlation),
            hermite_sum(prepared[2], prepared2[2], correlation),
        )


def _step(x, negative):
    return torch.where(x > 0, 1.0, negative).to(x.dtype)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("relu", torch.relu, lambda x: (x > 0).to(x.dtype), duals.piecewise_linear(0, 1), (0.0, 1.0)),
        Activation(
            "leaky_relu",
            lambda x: torch.nn.functional.leaky_relu(x, LEAK),
            lambda x: _step(x, LEAK),
            duals.piecewise_linear(LEAK, 1),
            (LEAK, 1.0),
        ),
        Activation("abs", torch.abs, torch.sign, duals.piecewise_linear(-1, 1), (-1.0, 1.0)),
        Activation("identity", lambda x: x, torch.ones_like, duals.linear),
        Activation("erf", torch.erf, lambda x: torch.exp(-x.square()) * (2 / math.sqrt(math.pi)), duals.erf),
        Activation(
            "gelu",
            lambda x: x * torch.special.ndtr(x),
            lambda x: torch.special.ndtr(x) + x * torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi),
            duals.gelu,
        ),
        Activation("sin", torch.sin, torch.cos, duals.sine),
        Activation(
            "gaussian", lambda x: torch.exp(-x.square()), lambda x: -2 * x * torch.exp(-x.square()), duals.gaussian
        ),
        Activation(
            "sigmoid_erf",
            lambda x: 0.5 + torch.erf(x / duals.SIGMOID_ERF_SCALE) / 2,
            lambda x: (
                torch.exp(-(x / duals.SIGMOID_ERF_SCALE).square()) / (duals.SIGMOID_ERF_SCALE * math.sqrt(math.pi))
            ),
            duals.sigmoid_erf,
        ),
        Activation("sigmoid", torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x)),
        Activation("tanh", torch.tanh, lambda x: torch.tanh(x).square().neg().add(1)),
    )
}


def activation_named(name):
    """Look an activation up by name; a misspelt name raises ValueError with the nearest ones."""
    return ACTIVATIONS[choose("activation", name, ACTIVATIONS)]
