r"""Averages over positions. The covariance of two averages is the average over all pairs of positions (Novak et al. 2019, arXiv
1810.05148, section 3), and so is the tangent kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from .covariances import Covariances
from .finite import Function, padded
from .layer import Layer, Signal, require_positions
from .windows import Window, padding_of, sizes, windows


@dataclass(frozen=True)
class AvgPool(Layer):
    """Averages over windows; positions that padding adds count as zeros.

    Parameters
    ----------
    window : int or list
        Positions of a window along every position axis.
    strides : int or list, optional
        From window to window. Missing: the window, so that none overlap.
    padding : "same", "valid", "circular" or int
        As of `Conv`.

    Raises
    ------
    ValueError
        Options out of range. `after` raises it for flat points and for windows larger than the points.
    """

    window: int | tuple[int, ...]
    strides: int | tuple[int, ...] | None = None
    padding: str | int = "valid"

    name = "avg_pool"
    pools = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", sizes("window", self.window))
        strides = self.window if self.strides is None else sizes("strides", self.strides)
        object.__setattr__(self, "strides", strides)
        object.__setattr__(self, "padding", padding_of(self.padding))

    def windows(self, positions: tuple[int, ...]) -> list[Window]:
        """The windows on every position axis."""
        return windows("window", positions, self.window, self.strides or self.window, self.padding)

    def after(self, signal: Signal) -> Signal:
        require_positions(self, signal)
        chosen = self.windows(signal.positions)
        counts = tuple(window.count(n) for window, n in zip(chosen, signal.positions, strict=True))
        return Signal(counts, signal.stage)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        chosen = self.windows(tuple(state.positions))
        for window, axes in zip(chosen, state.position_axes, strict=True):
            for axis in axes:
                state = state.each(lambda tensor: window.sums(tensor, (axis,)))  # noqa: B023
        return state.each(lambda tensor: tensor.div_(math.prod(window.size for window in chosen) ** 2))

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        chosen = self.windows(signal.positions)
        pool = (nn.functional.avg_pool1d, nn.functional.avg_pool2d)[len(chosen) - 1]
        size, stride = [window.size for window in chosen], [window.stride for window in chosen]
        return Function(lambda x: pool(padded(x, chosen), size, stride)), signal.units


@dataclass(frozen=True)
class GlobalAvgPool(Layer):
    """The average over all positions.

    Raises
    ------
    ValueError
        `after`, for flat points.
    """

    name = "global_avg_pool"
    pools = True

    def after(self, signal: Signal) -> Signal:
        require_positions(self, signal)
        return Signal((), signal.stage)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        axes = [axis for pair in state.position_axes for axis in pair]
        return state.each(lambda tensor: tensor.mean(axes), dims=0)

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        return Function(lambda x: x.flatten(2).mean(2)), signal.units
