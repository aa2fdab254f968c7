r"""Layers with weights, in NTK parameterization: z = weight_std / sqrt(fan_in) W x + bias_std b, W and b standard normal.

With A the average over a filter's positions, of a dense layer the identity,

    Sigma' = weight_std^2 A(Sigma) + bias_std^2,      Theta' = Sigma' + weight_std^2 A(Theta)

(Novak et al. 2019, arXiv 1810.05148; Arora et al. 2019, arXiv 1904.11955; Yang 2019, arXiv 1902.04760).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ...common.errors import real, require
from .covariances import Covariances
from .finite import Weights, padded
from .layer import PRE_ACTIVATIONS, Layer, Signal, require_positions
from .windows import Window, padding_of, sizes, windows


class Affine(Layer):
    """What layers with weights share."""

    weight_std: float
    bias_std: float
    fresh = True

    def _check_deviations(self) -> None:
        for name in ("weight_std", "bias_std"):
            object.__setattr__(self, name, real(name, getattr(self, name)))

    @property
    def odd(self) -> bool:
        return self.bias_std == 0

    def _weighted(self, state: Covariances, fan_in: int) -> Covariances:
        """The state after weights, from sums over a filter's positions."""
        gain = self.weight_std**2 / fan_in
        covariance, tangent = state.covariance.mul_(gain).add_(self.bias_std**2), state.tangent
        if state.with_tangent:
            tangent = covariance.clone() if tangent is None else torch.add(covariance, tangent, alpha=gain, out=tangent)
        return replace(state, tangent=tangent)


@dataclass(frozen=True)
class Dense(Affine):
    """A fully connected layer on flat points.

    Parameters
    ----------
    weight_std, bias_std : float
        1 and 0, the defaults, are those of a readout.

    Raises
    ------
    ValueError
        A deviation that is negative or not finite.
    """

    weight_std: float = 1.0
    bias_std: float = 0.0

    name = "dense"

    def __post_init__(self) -> None:
        self._check_deviations()

    def after(self, signal: Signal) -> Signal:
        require(
            not signal.positions,
            f"dense acts on flat points and what reaches it has {signal.place}; put flatten or global_avg_pool before it, or "
            "write a conv with kernel: 1",
        )
        return Signal((), PRE_ACTIVATIONS)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        return self._weighted(state, 1)

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        gain = self.weight_std / math.sqrt(signal.units)
        return Weights((width, signal.units), nn.functional.linear, gain, self.bias_std), width


@dataclass(frozen=True)
class Conv(Affine):
    """A convolution with filters over all channels, of sequences or images.

    Parameters
    ----------
    kernel : int or list
        Positions of a filter along every position axis.
    strides : int or list
        From filter to filter.
    padding : "same", "valid", "circular" or int
        Zeros such that there are ceil(size / stride) outputs, none, the other end as on a ring, or zeros at either end. fan_in
        counts all positions of a filter.
    weight_std, bias_std : float

    Raises
    ------
    ValueError
        Options out of range. `after` raises it for flat points and for filters larger than the points.
    """

    kernel: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: str | int = "same"
    weight_std: float = math.sqrt(2.0)
    bias_std: float = 0.0

    name = "conv"

    def __post_init__(self) -> None:
        for name in ("kernel", "strides"):
            object.__setattr__(self, name, sizes(name, getattr(self, name)))
        object.__setattr__(self, "padding", padding_of(self.padding))
        self._check_deviations()

    def windows(self, positions: tuple[int, ...]) -> list[Window]:
        """The filters' places on every position axis."""
        return windows("kernel", positions, self.kernel, self.strides, self.padding)

    def after(self, signal: Signal) -> Signal:
        require_positions(self, signal)
        chosen = self.windows(signal.positions)
        counts = tuple(window.count(n) for window, n in zip(chosen, signal.positions, strict=True))
        return Signal(counts, PRE_ACTIVATIONS)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        chosen = self.windows(tuple(state.positions))
        for window, axes in zip(chosen, state.position_axes, strict=True):
            state = state.each(lambda tensor: window.sums(tensor, axes))  # noqa: B023
        return self._weighted(state, math.prod(window.size for window in chosen))

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        chosen = self.windows(signal.positions)
        shape = (width, signal.units, *[window.size for window in chosen])
        convolution = (nn.functional.conv1d, nn.functional.conv2d)[len(chosen) - 1]

        def product(x: Tensor, weight: Tensor) -> Tensor:
            return convolution(padded(x, chosen), weight, stride=[window.stride for window in chosen])

        return Weights(shape, product, self.weight_std / math.sqrt(math.prod(shape[1:])), self.bias_std), width
