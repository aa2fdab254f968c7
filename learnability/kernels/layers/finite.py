"""Parts of finite networks in NTK parameterization: what `Layer.module` returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from .windows import Window


class Function(nn.Module):
    """A function without weights."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """The function at x (points, channels, *positions)."""
        return self.function(x)


class Weights(nn.Module):
    """gain * product(x, weight) + bias_std * bias, weight and bias standard normal.

    Parameters
    ----------
    shape : (units, channels, *filter)
    product : (x, weight) -> (points, units, *positions)
    gain, bias_std : float
        Without bias_std there is no bias.
    """

    def __init__(
        self, shape: Sequence[int], product: Callable[[Tensor, Tensor], Tensor], gain: float, bias_std: float
    ) -> None:
        super().__init__()
        self.product, self.gain, self.bias_std = product, gain, bias_std
        self.weight = nn.Parameter(torch.empty(*shape))
        self.bias = nn.Parameter(torch.empty(shape[0])) if bias_std else None

    def forward(self, x: Tensor) -> Tensor:
        """Pre-activations at x (points, channels, *positions)."""
        own = self.gain * self.product(x, self.weight)
        return own if self.bias is None else own + self.bias_std * self.bias.view(-1, *[1] * (own.ndim - 2))


class Sum(nn.Module):
    """branch(x) + shortcut(x)."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """The sum at x (points, channels, *positions)."""
        return self.branch(x) + self.shortcut(x)


def padded(x: Tensor, windows: Sequence[Window]) -> Tensor:
    """x (points, channels, *positions) with the positions that windows on its position axes add at the ends."""
    if not any(window.wraps for window in windows):
        return nn.functional.pad(x, [end for window in reversed(windows) for end in (window.before, window.after)])
    for axis, window in enumerate(windows, 2):
        x = x.index_select(axis, window.wrapped(x.shape[axis], x.device))
    return x
