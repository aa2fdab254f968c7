r"""The tangent kernel layer by layer, from inputs on the way forward and signals on the way back; no gradient of a sample.

Every layer with parameters is called once: its inputs a and signals g = d f / d z give its part of the kernel. What is held of
a linear layer is what takes the least work, and then the least memory (see `factors`).
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .factors import Factor, InputsAndSignals, Jacobian, WindowsAndSignals
from .initialisation import outputs_of

ELEMENTWISE = 16  # multiplications of a matrix product that take as long as one of the elementwise product of two
SMALLER = 2  # times that inputs and signals must be smaller than the Jacobian, to be held in its place
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
NORMALISATIONS: dict[type[nn.Module], Callable[[Any, Tensor], Tensor]] = {
    nn.LayerNorm: lambda layer, x: functional.layer_norm(x, layer.normalized_shape, eps=layer.eps),
    nn.GroupNorm: lambda layer, x: functional.group_norm(x, layer.num_groups, eps=layer.eps),
    nn.BatchNorm1d: lambda layer, x: functional.batch_norm(x, layer.running_mean, layer.running_var, eps=layer.eps),
    nn.BatchNorm2d: lambda layer, x: functional.batch_norm(x, layer.running_mean, layer.running_var, eps=layer.eps),
}
LAYERS = (nn.Linear, *CONVOLUTIONS, *NORMALISATIONS)


class NotLayerByLayer(ValueError):
    """A module whose parameters are not those of layers that are each called once."""


@dataclass(frozen=True)
class LayerByLayer:
    """Factors of the kernels of layers.

    Attributes
    ----------
    module : torch.nn.Module
    directions : (directions, outputs)
        The functions that are differentiated, as sums of outputs.
    part : slice
        Which of the layers with trainable parameters, in the module's order; missing: all.
    """

    module: nn.Module
    directions: Float[Tensor, "directions outputs"]
    part: slice = field(default_factory=lambda: slice(None))

    def __call__(self, points: Float[Tensor, "points ..."]) -> list[Factor]:
        """The factors of the layers.

        Raises
        ------
        NotLayerByLayer
            A parameter of another kind of layer, or of two layers; a layer that is not called just once.
        """
        layers = trainable_layers(self.module)[self.part]
        inputs, probes = {}, {}

        def record(layer: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> Tensor:
            if layer in inputs:
                raise NotLayerByLayer(f"{layer} is called twice")
            inputs[layer] = arguments[0].detach()
            probes[layer] = torch.zeros_like(output.detach(), requires_grad=True)
            return output + probes[layer]

        with ExitStack() as hooks, torch.enable_grad():
            for layer in layers:
                hooks.enter_context(layer.register_forward_hook(record))
            values = outputs_of(self.module(points), len(points)) @ self.directions.T
        if len(inputs) < len(layers):
            raise NotLayerByLayer("the module uses parameters of layers that it does not call")
        signals = self._signals(values, [probes[layer] for layer in layers])
        return [factor_of(layer, inputs.pop(layer), signals.pop(0)) for layer in layers]

    def _signals(
        self, values: Float[Tensor, "points directions"], probes: list[Tensor]
    ) -> list[Float[Tensor, "directions points ..."]]:
        """Derivatives of every direction with respect to what layers return."""
        number = values.shape[1]
        signals = [probe.new_empty(number, *probe.shape) for probe in probes]
        for direction in range(number):
            more = direction + 1 < number
            for signal, one in zip(
                signals, torch.autograd.grad(values[:, direction].sum(), probes, retain_graph=more), strict=True
            ):
                signal[direction] = one
        return signals


def trainable_layers(module: nn.Module) -> list[nn.Module]:
    """The layers whose own parameters are all trainable ones of the module, each parameter of one layer.

    Raises
    ------
    NotLayerByLayer
        There are others.
    """
    owners: dict[nn.Parameter, nn.Module] = {}
    for layer in module.modules():
        own = {name: p for name, p in layer.named_parameters(recurse=False) if p.requires_grad}
        plain = type(layer) in LAYERS and own.keys() <= {"weight", "bias"}
        rings = isinstance(layer, CONVOLUTIONS) and layer.padding_mode != "zeros"
        if own and (not plain or rings or any(p in owners for p in own.values())):
            raise NotLayerByLayer(f"{type(layer).__name__} is no layer whose signals give its kernel")
        owners |= dict.fromkeys(own.values(), layer)
    return [*dict.fromkeys(owners.values())]


def factor_of(layer: Any, x: Tensor, signals: Float[Tensor, "directions points ..."]) -> Factor:
    """What is held of points for the kernel of one layer, from its inputs and signals."""
    if signals.shape[1] != len(x) or x.ndim < 2:
        raise NotLayerByLayer("the first axis of a layer's inputs is not that of the points")
    if type(layer) in NORMALISATIONS:
        return _normalisation_factor(layer, x, signals)
    at_positions = _windows if isinstance(layer, CONVOLUTIONS) else _positions
    return _linear_factor(*at_positions(layer, x, signals))


def _normalisation_factor(layer: Any, x: Tensor, signals: Float[Tensor, "directions points ..."]) -> Jacobian:
    products = []
    if layer.weight is not None and layer.weight.requires_grad:
        products.append(signals * NORMALISATIONS[type(layer)](layer, x))
    if layer.bias is not None and layer.bias.requires_grad:
        products.append(signals)
    shared = range(3, signals.ndim)  # axes behind the channels
    if isinstance(layer, nn.LayerNorm):
        shared = range(2, signals.ndim - len(layer.normalized_shape))
    columns = [product.sum(tuple(shared)) if shared else product for product in products]
    return Jacobian(torch.cat([column.transpose(0, 1).flatten(1) for column in columns], 1))


def _positions(
    layer: nn.Linear, x: Tensor, signals: Float[Tensor, "directions points ..."]
) -> tuple[Float[Tensor, "points groups positions inputs"], Float[Tensor, "points groups positions directions units"]]:
    """Inputs and signals of a linear layer."""
    inputs = x.reshape(len(x), 1, -1, x.shape[-1])
    signal = signals.reshape(len(signals), len(x), 1, -1, signals.shape[-1])
    return _with_bias(layer, inputs), signal.permute(1, 2, 3, 0, 4)


def _windows(
    layer: nn.Conv1d | nn.Conv2d, x: Tensor, signals: Float[Tensor, "directions points ..."]
) -> tuple[Float[Tensor, "points groups positions inputs"], Float[Tensor, "points groups positions directions units"]]:
    """Inputs and signals of a convolution: a linear layer on the windows of every position."""
    x = functional.pad(x, layer._reversed_padding_repeated_twice)  # which knows "same", too
    one = (1,) * (4 - x.ndim)  # a sequence is an image of height one
    images = x.reshape(*x.shape[:2], *one, *x.shape[2:])
    windows = functional.unfold(
        images, (*one, *layer.kernel_size), dilation=(*one, *layer.dilation), stride=(*one, *layer.stride)
    )
    inputs = windows.view(len(x), layer.groups, -1, windows.shape[-1]).transpose(2, 3)
    signal = signals.reshape(len(signals), len(x), layer.groups, -1, windows.shape[-1])
    return _with_bias(layer, inputs), signal.permute(1, 2, 4, 0, 3)


def _with_bias(layer: Any, inputs: Float[Tensor, "... inputs"]) -> Float[Tensor, "... inputs"]:
    """Inputs of the trainable parameters: a bias is a weight on a one."""
    ones = [torch.ones_like(inputs[..., :1])] if layer.bias is not None and layer.bias.requires_grad else []
    return torch.cat([*([inputs] if layer.weight.requires_grad else []), *ones], -1)


def _linear_factor(
    inputs: Float[Tensor, "points groups positions inputs"],
    signals: Float[Tensor, "points groups positions directions units"],
) -> Factor:
    (_, groups, positions, inside), (directions, units) = inputs.shape, signals.shape[3:]
    of_pairs = positions**2 * (inside + directions * units + ELEMENTWISE)
    if groups == 1 and of_pairs < inside * directions * units:
        return InputsAndSignals(inputs[:, 0], signals[:, 0].flatten(2))
    if inside * directions * units > SMALLER * positions * (inside + directions * units):
        windows, of_outputs = inputs.mT.flatten(0, 1).contiguous(), signals.flatten(3).flatten(0, 1)
        return WindowsAndSignals(windows, of_outputs.contiguous(), inputs.new_empty(len(inputs), 0))
    return Jacobian(torch.einsum("mgpi,mgpdu->mgdui", inputs, signals).flatten(1))
