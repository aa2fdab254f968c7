"""Positions become channels, and the reverse: a dense layer behind `flatten` averages covariances over equal positions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from ...common.errors import require, whole
from .covariances import Covariances
from .layer import FEATURES, INPUTS, Layer, Signal


@dataclass(frozen=True)
class Flatten(Layer):
    """The values at all positions as channels of a flat point; flat points stay as they are.

    Units of different positions are not alike, so that no activation may follow before weights.
    """

    name = "flatten"

    def after(self, signal: Signal) -> Signal:
        if not signal.positions:
            return signal
        return Signal((), INPUTS if signal.stage == INPUTS else FEATURES)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        if not state.dims:
            return state
        equal = state.at_equal_positions()
        return equal.each(lambda tensor: tensor.mean(list(range(1, 1 + equal.dims))), dims=0)

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        return nn.Flatten(), signal.units * math.prod(signal.positions)


@dataclass(frozen=True)
class Unflatten(Layer):
    """Flat points as sequences or images, before all other layers: the reverse of `flatten`, for points of tables and cubes.

    Parameters
    ----------
    shape : list of 2 or 3 whole numbers
        [channels, length] or [channels, height, width], the last one fastest.

    Raises
    ------
    ValueError
        Another shape. `after` raises it for anything but flat points with as many numbers.
    """

    shape: tuple[int, ...]

    name = "unflatten"

    def __post_init__(self) -> None:
        require(
            isinstance(self.shape, list | tuple) and len(self.shape) in (2, 3),
            f"shape must be [channels, length] or [channels, height, width], got {self.shape!r}",
        )
        object.__setattr__(self, "shape", tuple(whole("shape", size, 1) for size in self.shape))

    def after(self, signal: Signal) -> Signal:
        require(
            signal.stage == INPUTS and not signal.positions and signal.channels is not None,
            f"unflatten arranges flat points and what reaches it has {signal.place}; put it first, or leave it out",
        )
        require(
            math.prod(self.shape) == signal.channels,
            f"shape {list(self.shape)} holds {math.prod(self.shape)} numbers, the points have {signal.channels}",
        )
        return Signal(self.shape[1:], INPUTS, self.shape[0])

    def arranged(self, points: Tensor) -> Tensor:
        """Points (points, dim) as (points, *shape)."""
        return points.reshape(-1, *self.shape)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        return state

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        return nn.Unflatten(1, self.shape), self.shape[0]


@dataclass(frozen=True)
class EqualPositions(Layer):
    """What follows needs covariances between equal positions only: the others are dropped. It has no name to be written."""

    def after(self, signal: Signal) -> Signal:
        return signal

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        return state.at_equal_positions()
