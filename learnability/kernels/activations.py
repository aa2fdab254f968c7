r"""Activations and their dual kernels.

For a centred Gaussian pair (u, v) with variances q1, q2 and covariance c, the dual of an activation phi is

    k(q1, q2, c) = E[phi(u) phi(v)],        kdot(q1, q2, c) = E[phi'(u) phi'(v)] = dk/dc.

Closed forms are used where they exist (Cho & Saul 2009; Williams 1997; Han et al. 2022, arXiv 2209.04121).
Every other smooth activation goes through its Hermite series (`learnability.kernels.hermite`).

An activation of one's own is an `Activation` with its function and derivative; a closed form is optional. `ACTIVATIONS` names
those that a configuration may ask for; some have parameters, as in {kind: leaky_relu, slope: 0.2}.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..common.errors import built, choose, require
from . import duals
from .hermite import hermite_coefficients, hermite_sum

Prepared = tuple[Tensor, ...]  # what the dual knows of each point, leading axis `points`
LARGEST_VARIANCE = 1e150  # its square is a float64


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
    separable : bool
        Whether the closed form takes a `learnability.kernels.duals.Separation` as a fourth argument, for points that are near
        to each other at large norms.
    kink : (float, float), optional
        Slopes below and above zero of a piecewise-linear activation.

    Raises
    ------
    ValueError
        The derivative is not that of the function, compared by differences on -3 ... 3.

    Examples
    --------
    >>> import numpy as np, torch, learnability as lb
    >>> softplus = lb.Activation("softplus", torch.nn.functional.softplus, torch.sigmoid)
    >>> lb.FullyConnected(depth=1, activation=softplus).kernel(np.eye(2), kind="nngp").round(3).tolist()
    [[0.921, 0.65], [0.65, 0.921]]
    """

    name: str
    function: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]
    closed_form: Callable | None = None
    kink: tuple[float, float] | None = None
    separable: bool = False

    def __post_init__(self) -> None:
        z, half = torch.linspace(-3.05, 3.05, 62, dtype=torch.float64), 1e-5
        slope = (self.function(z + half) - self.function(z - half)) / (2 * half)
        require(
            bool(torch.allclose(slope, self.derivative(z), rtol=1e-4, atol=1e-6)),
            f"activation {self.name!r}: `derivative` is not the derivative of `function`",
        )

    def prepare(self, variance: Float[Tensor, "... points"]) -> Prepared:
        """What the dual needs to know of each point: a tuple of tensors with the variances' axes first.

        variance : (..., points) pre-activation variances.
        """
        if self.closed_form is not None:
            squared = self.separable and self.kink is None  # the closed form multiplies two variances
            return (torch.where(variance < LARGEST_VARIANCE, variance, torch.nan) if squared else variance,)
        return hermite_coefficients(self, variance)

    def diagonal(self, prepared: Prepared) -> tuple[Float[Tensor, "... points"], Float[Tensor, "... points"]]:
        """k and kdot of every point with itself, each (..., points)."""
        if self.closed_form is not None:
            (variance,) = prepared
            return self.closed_form(variance, variance, variance.clone())
        k, kdot = (coefficients.square().sum(-1) for coefficients in prepared[1:])
        return k, kdot

    def dual(
        self, prepared: Prepared, prepared2: Prepared, covariance: Float[Tensor, "... points points2"]
    ) -> tuple[Float[Tensor, "... points points2"], Float[Tensor, "... points points2"]]:
        """k and kdot, each (..., points, points2); `covariance` (..., points, points2) may be overwritten."""
        left, right = prepared[0].unsqueeze(-1), prepared2[0].unsqueeze(-2)
        if self.closed_form is not None:
            return self.closed_form(left, right, covariance)
        correlation = covariance.div_(left).div_(right).clamp_(-1, 1)
        return (
            hermite_sum(prepared[1], prepared2[1], correlation),
            hermite_sum(prepared[2], prepared2[2], correlation),
        )


def leaky_relu(slope: float = 0.01) -> Activation:
    """x above zero, slope * x below."""
    require(
        isinstance(slope, int | float) and not isinstance(slope, bool) and math.isfinite(slope),
        f"slope of leaky_relu must be a finite number, got {slope!r}",
    )
    return Activation(
        "leaky_relu",
        lambda x: torch.nn.functional.leaky_relu(x, slope),
        lambda x: torch.where(x > 0, 1.0, slope).to(x.dtype),
        duals.piecewise_linear(slope, 1),
        (slope, 1.0) if slope < 1 else None,
        separable=True,
    )


PARAMETRIC = {"leaky_relu": leaky_relu}  # functions of their parameters
ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation(
            "relu", torch.relu, lambda x: (x > 0).to(x.dtype), duals.piecewise_linear(0, 1), (0.0, 1.0), separable=True
        ),
        leaky_relu(),
        Activation("abs", torch.abs, torch.sign, duals.piecewise_linear(-1, 1), (-1.0, 1.0), separable=True),
        Activation("identity", lambda x: x, torch.ones_like, duals.linear),
        Activation(
            "erf",
            torch.erf,
            lambda x: torch.exp(-x.square()) * (2 / math.sqrt(math.pi)),
            duals.erf,
            separable=True,
        ),
        Activation(
            "gelu",
            lambda x: x * torch.special.ndtr(x),
            lambda x: torch.special.ndtr(x) + x * torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi),
            duals.gelu,
            separable=True,
        ),
        Activation("sin", torch.sin, torch.cos, duals.sine, separable=True),
        Activation(
            "gaussian",
            lambda x: torch.exp(-x.square()),
            lambda x: -2 * x * torch.exp(-x.square()),
            duals.gaussian,
            separable=True,
        ),
        Activation(
            "sigmoid_erf",
            lambda x: 0.5 + torch.erf(x / duals.SIGMOID_ERF_SCALE) / 2,
            lambda x: (
                torch.exp(-(x / duals.SIGMOID_ERF_SCALE).square()) / (duals.SIGMOID_ERF_SCALE * math.sqrt(math.pi))
            ),
            duals.sigmoid_erf,
            separable=True,
        ),
        Activation("sigmoid", torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x)),
        Activation("tanh", torch.tanh, lambda x: torch.tanh(x).square().neg().add(1)),
    )
}


def activation_from(entry: str | dict[str, Any] | Activation) -> Activation:
    """The activation that an entry means: an Activation, a name, or {kind: name, parameters ...}.

    Raises
    ------
    ValueError
        A misspelt name, with the nearest ones; parameters that it does not take.
    """
    if isinstance(entry, Activation):
        return entry
    if not isinstance(entry, dict):
        return ACTIVATIONS[choose("activation", entry, ACTIVATIONS)]
    require(
        not any(isinstance(value, dict | list) for value in entry.values()),
        f"activation {entry!r} has values that are no numbers",
    )
    return _parametric(**dict(sorted(entry.items())))


@lru_cache(typed=True)  # True is not the slope 1
def _parametric(**entry: Any) -> Activation:
    return built("activation with parameters", PARAMETRIC, entry)
