"""Positions become channels, and the reverse: a dense layer behind `flatten` averages covariances over equal positions."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...common.errors import require, whole
from ...common.seeding import stream
from .covariances import Covariances
from .finite import Function
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


class Arrangement(Layer):
    """A layer that arranges the numbers of a point, before all other layers; it changes no kernel between two points."""

    @abstractmethod
    def arranged(self, points: Tensor) -> Tensor:
        """Points (points, ...) as the next layer takes them."""

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        return state


@dataclass(frozen=True)
class Unflatten(Arrangement):
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

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        return nn.Unflatten(1, self.shape), self.shape[0]


@dataclass(frozen=True)
class Shuffle(Arrangement):
    """The positions in a random order, the same for all points, before all other layers: what do convolutions owe to locality?

    Parameters
    ----------
    seed : int
        Of the order, which is the same on every machine.

    Raises
    ------
    ValueError
        `after` raises it for flat points, and behind other layers.
    """

    seed: int = 0

    name = "shuffle"

    def __post_init__(self) -> None:
        whole("seed", self.seed, 0)

    def after(self, signal: Signal) -> Signal:
        require(
            signal.stage == INPUTS and bool(signal.positions),
            f"shuffle orders positions of points and what reaches it has {signal.place}, {signal.stage}; put it first, for "
            "points of shape (points, channels, length) or (points, channels, height, width)",
        )
        return signal

    def arranged(self, points: Tensor) -> Tensor:
        """Points (points, channels, *positions) with their positions in another order."""
        positions = points.shape[2:]
        order = stream("shuffle", positions=[*positions], seed=self.seed).permutation(math.prod(positions))
        return points.flatten(2)[:, :, torch.from_numpy(order).to(points.device)].view(points.shape)

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        return Function(self.arranged), signal.units


@dataclass(frozen=True)
class EqualPositions(Layer):
    """What follows needs covariances between equal positions only: the others are dropped. It has no name to be written."""

    def after(self, signal: Signal) -> Signal:
        return signal

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        return state.at_equal_positions()
