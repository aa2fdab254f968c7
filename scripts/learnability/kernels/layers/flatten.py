"""Positions become channels: a dense layer behind `flatten` averages covariances over equal positions."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class EqualPositions(Layer):
    """What follows needs covariances between equal positions only: the others are dropped. It has no name to be written."""

    def after(self, signal: Signal) -> Signal:
        return signal

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        return state.at_equal_positions()
