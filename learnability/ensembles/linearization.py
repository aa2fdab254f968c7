"""A network's first-order expansion in its parameters, kept in factors.

The Jacobian at a point is, for each parameter matrix, an outer product of the layer's input and the back-propagated
signal: neither the Jacobian nor the parameter change J^T c is ever formed.
"""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from ..kernels.fully_connected import FullyConnected
from .kinks import mean_slope
from .model import Index, Step


@runtime_checkable
class DenseNetworks(Protocol):
    """Parameters of dense networks, by layer: weights (networks, fan_in, fan_out) and biases (networks, 1, fan_out)."""

    weights: list[Float[Tensor, "networks _fan_in _fan_out"]]
    biases: list[Float[Tensor, "networks 1 _fan_out"]]
    __dataclass_fields__: ClassVar[dict[str, Any]]


Networks = TypeVar("Networks", bound=DenseNetworks)


@dataclass
class Passage:
    """Outputs of dense networks, and what they pass through.

    values : (networks, points, outputs)
    hidden : per hidden layer, its pre-activations (networks, points, width)
    inputs : per layer, its inputs (networks, points, fan_in); empty once they are no longer needed
    """

    values: Float[Tensor, "networks points outputs"]
    hidden: list[Float[Tensor, "networks points width"]]
    inputs: list[Float[Tensor, "networks points _fan_in"]] = field(default_factory=list)

    def trimmed(self) -> "Passage":
        """The same without the layers' inputs."""
        return replace(self, inputs=[])

    def select(self, index: Index) -> "Passage":
        """That of the networks listed in `index`, without the layers' inputs."""
        return Passage(self.values[index], [z[index] for z in self.hidden])

    def copy_from(self, other: "Passage", index: Index) -> None:
        """Overwrite the networks listed in `index` by those of `other`."""
        for mine, theirs in zip([self.values, *self.hidden], [other.values, *other.hidden], strict=True):
            mine[index] = theirs


def stacked(values: Float[Tensor, "networks points outputs"]) -> Float[Tensor, "networks outputs*points 1"]:
    """(networks, points, outputs) with the outputs stacked along the points: (networks, outputs * points, 1)."""
    return values.mT.reshape(len(values), -1, 1)


def summed(signals: Float[Tensor, "networks stacked width"], outputs: int) -> Float[Tensor, "networks points width"]:
    """(networks, outputs * points, width) summed over the outputs: (networks, points, width)."""
    return signals if outputs == 1 else signals.view(len(signals), outputs, -1, signals.shape[-1]).sum(1)


def gram(
    a: Float[Tensor, "networks points fan_in"], a2: Float[Tensor, "networks points2 fan_in"], gain: tuple[float, float]
) -> Float[Tensor, "networks points points2"]:
    """gain^2 a.a' + bias_std^2, (networks, points, points')."""
    return torch.bmm(a, a2.mT).mul_(gain[0] ** 2).add_(gain[1] ** 2)


def preactivation_kernels(
    grams: list[Float[Tensor, "networks points points"]],
    architecture: FullyConnected,
    slopes: list[Float[Tensor, "networks points width"]],
) -> list[Float[Tensor, "networks points points"]]:
    """Tangent kernels of the hidden layers' pre-activations, per layer (networks, points, points).

    Their diagonal follows the mean-field recursion t_l = g_l + weight_std_l^2 mean(slope_l-1^2) t_l-1, plus t_l-1 where there
    is a shortcut; off the diagonal they are taken to be as correlated as the layer's inputs.
    """
    kernels: list[Tensor] = []
    variance = grams[0].diagonal(dim1=1, dim2=2)
    for layer, products in enumerate(grams[:-1]):
        own = products.diagonal(dim1=1, dim2=2)
        if layer > 0:
            carried = architecture.layers[layer][0] ** 2 * slopes[layer - 1].square().mean(2)
            variance = own + (carried + architecture.shortcuts[layer]) * variance
        scale = variance.sqrt() / own.clamp_min(torch.finfo(own.dtype).tiny).sqrt()  # 0 * finite where all is dead
        kernels.append(products * scale[:, :, None] * scale[:, None, :])
    return kernels


@dataclass
class Linearization:
    """f and its Jacobian J at given points, kept in factors; J holds mean slopes if it was made for a `Step`.

    values : (networks, points, outputs)
    inputs : per layer, (networks, points, fan_in)
    signals : per layer, (networks, outputs * points, fan_out)
    slopes : per hidden layer, the slopes in the signals, (networks, points, width)
    gains : per layer, (weight_std / sqrt(fan_in), bias_std)
    grams : per layer, products of the inputs (networks, points, points), where they have been formed
    """

    values: Float[Tensor, "networks points outputs"]
    inputs: list[Float[Tensor, "networks points _fan_in"]]
    signals: list[Float[Tensor, "networks outputs*points _fan_out"]]
    slopes: list[Float[Tensor, "networks points width"]]
    gains: list[tuple[float, float]]
    grams: list[Float[Tensor, "networks points points"]] | None = None

    def descend(
        self,
        ensemble: Networks,
        cotangent: Float[Tensor, "networks points outputs"],
        out: Networks | None = None,
    ) -> Networks:
        """The networks at parameters - J^T c, without forming J^T c.

        Parameters
        ----------
        ensemble : Ensemble
            Where to start from (not necessarily where this expansion was made).
        cotangent : (networks, points, outputs)
        out : Ensemble, optional
            Where to write the result, `ensemble` itself for an update in place.
        """
        outputs, residuals = cotangent.shape[2], stacked(cotangent)
        weights, biases = [], []
        layers = zip(self.inputs, self.signals, self.gains, ensemble.weights, ensemble.biases, strict=True)
        for number, (a, s, (gain, bias_std), w, b) in enumerate(layers):
            signal = summed(s * residuals, outputs)
            weights.append(torch.baddbmm(w, a.mT, signal, alpha=-gain, out=out.weights[number] if out else None))
            biases.append(torch.sub(b, signal.sum(1, keepdim=True), alpha=bias_std))
            if out:
                out.biases[number] = biases[-1]
        return out or replace(ensemble, weights=weights, biases=biases)

    def tangent_kernel(self, other: "Linearization | None" = None) -> Float[Tensor, "networks rows columns"]:
        """J J'^T between these points and those of `other` (the same networks), outputs the slow index.

        Returns
        -------
        (networks, outputs * points, outputs * points')
        """
        formed = self.grams if other is None else None
        second = self if other is None else other
        outputs = self.values.shape[2]

        def term(layer: int) -> Tensor:
            if formed is None:
                products = gram(self.inputs[layer], second.inputs[layer], self.gains[layer])
            else:
                products = formed[layer]
            signals = torch.bmm(self.signals[layer], second.signals[layer].mT)
            return signals.mul_(products if outputs == 1 else products.repeat(1, outputs, outputs))

        total = term(0)
        for layer in range(1, len(self.gains)):
            total.add_(term(layer))
        return total

    def select(self, index: Index) -> "Linearization":
        """The expansions of the networks listed in `index`."""
        inputs, signals, slopes = ([t[index] for t in tensors] for tensors in (self.inputs, self.signals, self.slopes))
        return Linearization(self.values[index], inputs, signals, slopes, self.gains)

    def copy_from(self, other: "Linearization", index: Index) -> None:
        """Overwrite the expansions of the networks listed in `index` by those of `other`, made at the same points."""
        mine, theirs = (
            [e.values, *e.inputs[1:], *e.signals[:-1], *e.slopes] for e in (self, other)
        )  # the first inputs and the last signals do not depend on the parameters
        for ours, others in zip(mine, theirs, strict=True):
            ours[index] = others
        self.grams = None


@dataclass
class SlopesAlongStep:
    """Slopes of an activation with a kink, averaged over a step; see `learnability.ensembles.kinks`.

    kink : (slope below zero, larger slope above)
    kernels : per hidden layer, the tangent kernel of its pre-activations in the middle of the step
    """

    kink: tuple[float, float]
    step: Step[Passage, Linearization]
    kernels: list[Float[Tensor, "networks points points"]]

    def of_layer(
        self,
        layer: int,
        middle: Float[Tensor, "networks points width"],
        back: Float[Tensor, "networks stacked width"],
    ) -> Float[Tensor, "networks points width"]:
        """Of the pre-activations that are `middle` in the middle of the step, and on which the outputs depend by `back`."""
        cotangent = self.step.cotangent
        pull = summed(back * stacked(cotangent), cotangent.shape[2])
        start, assumed = self.step.start.hidden[layer], self.step.expansion.slopes[layer]
        return mean_slope(self.kink, start, middle, assumed, pull, self.kernels[layer])
