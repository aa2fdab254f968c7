r"""Activations. With k, kdot the dual of an activation (`learnability.kernels.activations`) at the pre-activations' Sigma,

    Sigma' = k(Sigma),      Theta' = kdot(Sigma) Theta,

the duals at every pair of positions taking the variances of both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..activations import Activation, activation_from
from .covariances import Covariances
from .finite import Function
from .layer import FEATURES, Layer, Signal, require_pre_activations


@dataclass(frozen=True)
class Nonlinearity(Layer):
    """An activation, elementwise.

    Parameters
    ----------
    activation : str, dict or Activation
        As `learnability.FullyConnected` takes it.

    Raises
    ------
    ValueError
        A misspelt name; parameters that it does not take. `after` raises it for anything but pre-activations.
    """

    activation: str | dict | Activation | tuple

    def __post_init__(self) -> None:
        activation_from(self._specification)
        if isinstance(self.activation, dict):
            object.__setattr__(self, "activation", tuple(sorted(self.activation.items())))

    @property
    def _specification(self) -> str | dict | Activation:
        return dict(self.activation) if isinstance(self.activation, tuple) else self.activation

    @property
    def function(self) -> Activation:
        """The activation itself."""
        return activation_from(self._specification)

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def odd(self) -> bool:
        grid = torch.linspace(0.1, 3, 30, dtype=torch.float64)
        return bool(torch.allclose(self.function.function(-grid), -self.function.function(grid)))

    @property
    def entry(self) -> str | dict:
        if not isinstance(self.activation, tuple):
            return self.name
        options = dict(self.activation)
        return {options.pop("kind"): options}

    def after(self, signal: Signal) -> Signal:
        require_pre_activations(self, signal)
        return Signal(signal.positions, FEATURES)

    def prepare(self, own: Covariances) -> tuple[tuple, Covariances]:
        statistics = self.function.prepare(own.of_themselves())
        k, kdot = (part.T for part in self.function.diagonal(statistics))  # (points, positions)
        if own.everywhere:
            sides = tuple(part.transpose(0, 1) for part in statistics)
            duals = self.function.dual(sides, sides, own.matrices(own.covariance))
            for dual, diagonal in zip(duals, (k, kdot), strict=True):
                dual.diagonal(dim1=1, dim2=2).copy_(diagonal)
            k, kdot = duals
        return statistics, _with_duals(own, k, kdot)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        rows, columns = (tuple(map(state.side, statistics)) for statistics in (left, right))
        return _with_duals(state, *self.function.dual(rows, columns, state.matrices(state.covariance)))

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        return Function(self.function.function), signal.units


def _with_duals(state: Covariances, k: Tensor, kdot: Tensor) -> Covariances:
    tangent = None if state.tangent is None else state.tangent.mul_(kdot.reshape(state.shape))
    return replace(state, covariance=k.reshape(state.shape), tangent=tangent)
