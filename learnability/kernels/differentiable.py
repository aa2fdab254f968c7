r"""The kernel recursion without in-place operations: gradients with respect to weight_std, bias_std and inputs.

The values are those of `FullyConnected.kernel`, up to rounding; that one is several times faster. For piecewise-linear
activations sqrt(1 - rho^2) has no derivative at rho = 1, where coincident points are: there k and kdot take their values on
the diagonal, whose derivatives exist.
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..common.errors import choose, require
from ..common.threads import one_thread
from .activations import Activation, activation_from
from .hermite import hermite_grid
from .kernel import KINDS, Matrix


@one_thread
def kernel(
    x: Float[Tensor, "points dim"],
    depth: int,
    activation: str | dict[str, Any] | Activation,
    weight_std: float | Tensor,
    bias_std: float | Tensor,
    x2: Float[Tensor, "points2 dim"] | None = None,
    kind: str = "ntk",
) -> Matrix:
    """Infinite-width kernel of a fully connected network, differentiable by PyTorch.

    Parameters
    ----------
    x : (points, dim) tensor, x2 : (points2, dim) tensor, optional
    depth : int, activation : as `learnability.FullyConnected` takes it
    weight_std, bias_std : float64 tensors () or floats
    kind : "ntk" or "nngp"

    Returns
    -------
    (points, points2) tensor, float64

    Raises
    ------
    ValueError
        Unknown kind or activation, or one that is not piecewise linear, linear or smooth with a Hermite series.
    """
    choose("kernel kind", kind, KINDS)
    require(x.ndim == 2, f"x must be a matrix (points, dim), got shape {tuple(x.shape)}")
    x2, phi = x if x2 is None else x2, activation_from(activation)
    x, x2 = x.double(), x2.double()
    weight, bias = (torch.as_tensor(value, dtype=torch.float64) ** 2 for value in (weight_std, bias_std))
    readout = (torch.ones(()), torch.zeros(()))
    first, *later = [*[(weight, bias)] * depth, readout]
    var1, var2 = (first[0] * p.square().sum(1) / x.shape[1] + first[1] for p in (x, x2))
    cov = first[0] * (x @ x2.T) / x.shape[1] + first[1]
    tangent = cov
    for weight, bias in later:
        k, kdot = _dual(phi, var1[:, None], var2[None, :], cov)
        var1, var2 = (weight * _dual(phi, v, v, v)[0] + bias for v in (var1, var2))
        cov = weight * k + bias
        tangent = cov + weight * kdot * tangent
    return tangent if kind == "ntk" else cov


def _dual(phi: Activation, var1: Tensor, var2: Tensor, cov: Tensor) -> tuple[Tensor, Tensor]:
    if phi.kink is not None:
        return _piecewise_linear(*phi.kink, var1, var2, cov)
    if phi.closed_form is not None:
        return phi.closed_form(var1, var2, cov)
    return _quadrature(phi, var1, var2, cov)


def _piecewise_linear(
    negative: float, positive: float, var1: Tensor, var2: Tensor, cov: Tensor
) -> tuple[Tensor, Tensor]:
    """As `learnability.kernels.duals.piecewise_linear`, with the limit rho -> +-1 in a branch of its own."""
    a, b = (positive + negative) / 2, (positive - negative) / 2
    scale = (var1 * var2).sqrt()
    rho = cov / scale
    inside = rho.abs() < 1 - 1e-12
    safe = torch.where(inside, rho, torch.zeros_like(rho))
    root, angle = (1 - safe.square()).sqrt(), safe.asin()
    between = b * b * 2 / math.pi * scale * (root + safe * angle)
    k = torch.where(inside, between, b * b * cov.abs()) + a * a * cov
    kdot = torch.where(inside, b * b * 2 / math.pi * angle, b * b * rho.sign()) + a * a
    return k, kdot


def _quadrature(phi: Activation, var1: Tensor, var2: Tensor, cov: Tensor) -> tuple[Tensor, Tensor]:
    """E[phi(u) phi(v)] and E[phi'(u) phi'(v)] on a grid: u = sqrt(q1) z, v = (c z + sqrt(q1 q2 - c^2) z') / sqrt(q1)."""
    grid, weight = hermite_grid(cov.device)
    var1, var2, cov = (t[..., None, None] for t in torch.broadcast_tensors(var1, var2, cov))
    rest = (var2 - cov.square() / var1).clamp_min(1e-30).sqrt()
    u = var1.sqrt() * grid[:, None]
    v = cov / var1.sqrt() * grid[:, None] + rest * grid[None, :]
    weights = weight[:, None] * weight[None, :]
    k, kdot = ((f(u) * f(v) * weights).sum((-2, -1)) for f in (phi.function, phi.derivative))
    return k, kdot
