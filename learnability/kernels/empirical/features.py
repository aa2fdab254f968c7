"""The last hidden features of a module: what its last linear layer takes."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...common.errors import require
from .factors import Factor, Jacobian
from .initialisation import evaluated


@dataclass(frozen=True)
class LastFeatures:
    """The derivatives of every output with respect to its own weights in the readout, whose kernel is that of the features."""

    module: nn.Module

    def __call__(self, points: Float[Tensor, "points ..."]) -> list[Factor]:
        """Features of points, flattened; ValueError for a module that calls no linear layer."""
        last: list[Tensor] = []

        def record(layer: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            last[:] = [arguments[0].detach().clone()]

        linear = [layer for layer in self.module.modules() if isinstance(layer, nn.Linear)]
        hooks = [layer.register_forward_pre_hook(record) for layer in linear]
        try:
            with torch.no_grad():
                evaluated(self.module, points)
        finally:
            for hook in hooks:
                hook.remove()
        require(
            bool(last),
            'the module calls no nn.Linear whose inputs would be its last hidden features; use kind "ntk", or end it with one',
        )
        return [Jacobian(last[0].flatten(1))]
