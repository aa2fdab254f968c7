"""A network's first-order expansion in its parameters, kept in factors.

The Jacobian at a point is, for each parameter matrix, an outer product of the layer's input and the back-propagated
signal: neither the Jacobian nor the parameter change J^T c is ever formed.
"""

from collections.abc import Sequence
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

    With one output the signals are kept, from which everything follows. With several, whose signals would be as many times
    larger, products with J and J^T pass through the network instead, and need its weights.

    values : (networks, points, outputs)
    inputs : per layer, (networks, points, fan_in)
    slopes : per hidden layer, the slopes in the signals, (networks, points, width)
    gains : per layer, (weight_std / sqrt(fan_in), bias_std)
    shortcuts : per layer, whether the pre-activations of the layer before are added to its own
    signals : per layer, (networks, points, fan_out), of one output
    weights : per layer but the first, (networks, fan_in, fan_out), of several outputs; the networks' own are free to change
    grams : per layer, products of the inputs (networks, points, points), where they have been formed
    """

    values: Float[Tensor, "networks points outputs"]
    inputs: list[Float[Tensor, "networks points _fan_in"]]
    slopes: list[Float[Tensor, "networks points width"]]
    gains: list[tuple[float, float]]
    shortcuts: Sequence[bool]
    signals: list[Float[Tensor, "networks points _fan_out"]] = field(default_factory=list)
    weights: list[Float[Tensor, "networks _fan_in _fan_out"]] = field(default_factory=list)
    grams: list[Float[Tensor, "networks points points"]] | None = None

    def signals_of(
        self, cotangent: Float[Tensor, "networks rows outputs"]
    ) -> list[Float[Tensor, "networks rows _fan_out"]]:
        """A cotangent carried back, per layer its derivative by the pre-activations; rows are the points, once or repeated."""
        if self.signals:
            return [signal * cotangent for signal in self.signals]
        copies, signals = cotangent.shape[1] // self.values.shape[1], [cotangent]
        for layer in reversed(range(len(self.slopes))):
            back = torch.bmm(signals[0], self.weights[layer].mT).mul_(self.gains[layer + 1][0])
            back.mul_(self.slopes[layer] if copies == 1 else self.slopes[layer].repeat(1, copies, 1))
            signals.insert(0, back.add_(signals[0]) if self.shortcuts[layer + 1] else back)
        return signals

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
        weights, biases = [], []
        layers = zip(
            self.inputs, self.signals_of(cotangent), self.gains, ensemble.weights, ensemble.biases, strict=True
        )
        for number, (a, signal, (gain, bias_std), w, b) in enumerate(layers):
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
        left = self._unit_signals()
        right = left if other is None else second._unit_signals()

        def term(layer: int) -> Tensor:
            if formed is None:
                products = gram(self.inputs[layer], second.inputs[layer], self.gains[layer])
            else:
                products = formed[layer]
            signals = torch.bmm(left[layer], right[layer].mT)
            return signals.mul_(products if outputs == 1 else products.repeat(1, outputs, outputs))

        total = term(0)
        for layer in range(1, len(self.gains)):
            total.add_(term(layer))
        return total

    def tangent_product(
        self, cotangent: Float[Tensor, "networks points outputs"]
    ) -> Float[Tensor, "networks points outputs"]:
        """J J^T c of networks with several outputs, by one pass back and one forward: what J^T c does to the outputs."""
        if self.grams is None:
            self.grams = [gram(a, a, gain) for a, gain in zip(self.inputs, self.gains, strict=True)]
        signals = self.signals_of(cotangent)
        change = torch.bmm(self.grams[0], signals[0])
        for layer in range(len(self.slopes)):
            own = torch.bmm(self.grams[layer + 1], signals[layer + 1])
            own.baddbmm_(change * self.slopes[layer], self.weights[layer], alpha=self.gains[layer + 1][0])
            change = own.add_(change) if self.shortcuts[layer + 1] else own
        return change

    def select(self, index: Index) -> "Linearization":
        """The expansions of the networks listed in `index`."""
        inputs, slopes, signals, weights = (
            [t[index] for t in tensors] for tensors in (self.inputs, self.slopes, self.signals, self.weights)
        )
        return Linearization(self.values[index], inputs, slopes, self.gains, self.shortcuts, signals, weights)

    def copy_from(self, other: "Linearization", index: Index) -> None:
        """Overwrite the expansions of the networks listed in `index` by those of `other`, made at the same points."""
        mine, theirs = (
            [e.values, *e.inputs[1:], *e.slopes, *e.signals[:-1], *e.weights] for e in (self, other)
        )  # the first inputs and the last signals do not depend on the parameters
        for ours, others in zip(mine, theirs, strict=True):
            ours[index] = others
        self.grams = None

    def _unit_signals(self) -> list[Float[Tensor, "networks rows _fan_out"]]:
        """df_o/dz_l, the outputs stacked along the points."""
        if self.signals:
            return self.signals
        networks, points, outputs = self.values.shape
        unit = torch.eye(outputs, dtype=self.values.dtype, device=self.values.device).repeat_interleave(points, 0)
        return self.signals_of(unit.expand(networks, -1, -1))


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
        pull: Float[Tensor, "networks points width"],
    ) -> Float[Tensor, "networks points width"]:
        """Of pre-activations that are `middle` in the middle of the step; `pull`: the cotangent carried back to their units."""
        start, assumed = self.step.start.hidden[layer], self.step.expansion.slopes[layer]
        return mean_slope(self.kink, start, middle, assumed, pull, self.kernels[layer])
