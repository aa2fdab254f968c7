"""Layer normalisation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from .covariances import Covariances
from .finite import Function
from .layer import Layer, Signal, require_pre_activations

EPSILON = 1e-12  # added to a variance: where all channels are equal, they become 0


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Pre-activations at every position divided by their standard deviation over channels, without parameters.

    At infinite width their mean is 0 and their variance that of the kernel, so that Sigma and Theta are divided by both
    standard deviations (as in neural-tangents, Novak et al. 2020, arXiv 1912.02803). Where the variance is 0, they stay 0.

    Raises
    ------
    ValueError
        `after`, for anything but pre-activations.
    """

    name = "layer_norm"

    def after(self, signal: Signal) -> Signal:
        require_pre_activations(self, signal)
        return signal

    def prepare(self, own: Covariances) -> tuple[tuple, Covariances]:
        variance = own.of_themselves()
        inverse = torch.where(variance > 0, variance.rsqrt(), 0.0)
        side = inverse.T if own.everywhere else inverse.T.reshape(-1, 1)
        return (inverse,), _divided(own, side, side)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        return _divided(state, state.side(left[0]), state.side(right[0]))

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        return Function(_normalised), signal.units


def _normalised(z: torch.Tensor) -> torch.Tensor:
    """z (points, channels, *positions) with mean 0 and variance 1 over channels."""
    return nn.functional.layer_norm(z.movedim(1, -1), [z.shape[1]], eps=EPSILON).movedim(-1, 1)


def _divided(state: Covariances, left: torch.Tensor, right: torch.Tensor) -> Covariances:
    def divided(tensor: torch.Tensor) -> torch.Tensor:
        return state.matrices(tensor).mul_(left.unsqueeze(-1)).mul_(right.unsqueeze(-2)).reshape(state.shape)

    return state.each(divided)
