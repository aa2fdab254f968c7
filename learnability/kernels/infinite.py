r"""The infinite-width limit of a plain PyTorch module, read from its graph (torch.fx).

A layer's weight_std^2 is fan_in Var(W) at initialisation, its bias_std^2 is Var(b). PyTorch's default, W and b uniform within
1 / sqrt(fan_in), is recognised and gives exactly 1/3 and 1 / (3 fan_in); of other weights the mean square is measured.
"""

import math
import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from ..common.errors import require
from .empirical.initialisation import initialised
from .sequential import Sequential
from .user_code import in_a_line, user_function

DEVIATIONS = 5.0  # standard errors within which a mean square is that of PyTorch's default
UNLIKELY = 1e-3  # the chance that the largest of numbers is as small
Entry = Any  # a layer, as lb.Sequential takes it

ACTIVATIONS: dict[Any, Entry] = {
    nn.ReLU: "relu", functional.relu: "relu", functional.relu_: "relu", torch.relu: "relu", "relu": "relu", "relu_": "relu",
    nn.Tanh: "tanh", torch.tanh: "tanh", functional.tanh: "tanh", "tanh": "tanh",
    nn.Sigmoid: "sigmoid", torch.sigmoid: "sigmoid", functional.sigmoid: "sigmoid", "sigmoid": "sigmoid",
    torch.erf: "erf", "erf": "erf", torch.sin: "sin", "sin": "sin", torch.abs: "abs", "abs": "abs",
}  # fmt: skip
NOTHING = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d)
SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")
READ = (
    "Linear, Conv1d, Conv2d, ReLU, LeakyReLU, Tanh, Sigmoid, GELU, erf, sin, abs, AvgPool, AdaptiveAvgPool(1), Flatten, \
LayerNorm after Linear, Dropout (as nothing), Sequential and additions"
)


def infinite(module: nn.Module) -> Sequential:
    """The network of infinite width that a module stands for, with the variances of its own initialisation.

    Its kernel is in NTK parameterization: training with one learning rate for all parameters of the module, as
    `learnability.TorchModule` has it, weighs layers otherwise. The covariance of outputs at initialisation is the same, "nngp".

    Parameters
    ----------
    module : torch.nn.Module
        At initialisation. Plain layers in a row, and sums of branches.

    Returns
    -------
    Sequential
        Takes points of the shape (...) that the module takes.

    Raises
    ------
    ValueError
        What it cannot read, by name; a layer that is used twice; weights that are all zero.

    Examples
    --------
    >>> import learnability as lb
    >>> from torch import nn
    >>> network = lb.infinite(nn.Sequential(nn.Conv2d(1, 8, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(288, 1)))
    >>> [layer.name for layer in network.layers if hasattr(layer, "weight_std")], round(network.layers[0].weight_std**2, 3)
    (['conv', 'dense'], 0.333)
    """
    require(isinstance(module, nn.Module), f"a torch.nn.Module is needed, got {type(module).__name__}")
    if fx.Tracer().is_leaf_module(module, ""):
        module = nn.Sequential(module)  # one of PyTorch's layers is read as itself
    try:
        graph = fx.symbolic_trace(module).graph
    except Exception as error:
        raise ValueError(f"the module cannot be read: {in_a_line(error)}; use lb.TorchModule") from error
    (end,) = (node for node in graph.nodes if node.op == "output")
    require(isinstance(end.args[0], fx.Node), "the module returns more than one tensor; use lb.TorchModule")
    return Sequential(_Reader(module).chain(end.args[0], None))


def infinite_of(path: str, function: str, allow_code: bool = False) -> Sequential:
    """`infinite` of the module that a function in a Python file builds, as a configuration has it.

    Parameters
    ----------
    path, function : str
        As of `learnability.kernels.torch_module.TorchModule`.
    allow_code : bool
        Whether the file may be run; read it before you say true.

    Raises
    ------
    ValueError
        What `infinite` and `TorchModule` refuse.
    """
    factory, _ = user_function(path, function, allow_code)
    return infinite(initialised(factory, seed=0))


class _Reader:
    """Reads a graph from its output backwards."""

    def __init__(self, module: nn.Module) -> None:
        self.parts = dict(module.named_modules())
        self.used: set[str] = set()

    def chain(self, last: fx.Node, before: fx.Node | None) -> list[Entry]:
        """The layers behind a node (None: from the input) up to and with the last."""
        nodes = [node for node in self._spine(last, before) if node.op != "placeholder"]
        layers: list[Entry] = []
        for node in reversed(nodes):
            layers += self._layers(node, layers)
        return layers

    def _spine(self, last: fx.Node, before: fx.Node | None = None) -> Iterator[fx.Node]:
        """A node and those that it all depends on, one after the other; from a sum on to where its branches part."""
        node: fx.Node | None = last
        while node is not None and node is not before:
            yield node
            node = self._parting(node) if _is_sum(node) else _argument(node)

    def _parting(self, node: fx.Node) -> fx.Node:
        """The node from which the branches of a sum start."""
        left, right = _branches(node)
        behind = set(self._spine(right))
        return next(one for one in self._spine(left) if one in behind)

    def _layers(self, node: fx.Node, before: list[Entry]) -> list[Entry]:
        """What a node is, behind those layers."""
        if _is_sum(node):
            start = self._parting(node)
            branch, shortcut = (self.chain(part, start) for part in _branches(node))
            if not branch:
                branch, shortcut = shortcut, branch
            return [{"residual": {"branch": branch, "shortcut": shortcut}}]
        if node.op == "call_module":
            require(
                node.target not in self.used,
                f"layer {node.target} is called twice: its weights are not independent at infinite width; use lb.TorchModule",
            )
            self.used.add(str(node.target))
            return self._of_module(str(node.target), self.parts[str(node.target)], before)
        if node.target in ACTIVATIONS:
            return [ACTIVATIONS[node.target]]
        if node.target in (functional.gelu,) and node.kwargs.get("approximate", "none") == "none":
            return ["gelu"]
        if node.target in (torch.flatten, "flatten") and _rest(node) in ((1,), (1, -1)):
            return _flattened(before)
        if node.target in (torch.mean, "mean") and _pools_everything(_rest(node)):
            return ["global_avg_pool"]
        raise _unread(f"{node.name} ({getattr(node.target, '__name__', node.target)})")

    def _of_module(self, name: str, layer: Any, before: list[Entry]) -> list[Entry]:
        """The layers that a module of PyTorch's is."""
        if isinstance(layer, NOTHING):
            return []
        if type(layer) in ACTIVATIONS:
            return [ACTIVATIONS[type(layer)]]
        if isinstance(layer, nn.LeakyReLU):
            return [{"leaky_relu": {"slope": layer.negative_slope}}]
        if isinstance(layer, nn.GELU) and layer.approximate == "none":
            return ["gelu"]
        if isinstance(layer, nn.Flatten) and (layer.start_dim, layer.end_dim) == (1, -1):
            return _flattened(before)
        if isinstance(layer, nn.Linear):
            return [{"dense": _deviations(name, layer)}]
        if isinstance(layer, nn.Conv1d | nn.Conv2d) and layer.groups == 1 and set(layer.dilation) == {1}:
            options = {
                "kernel": list(layer.kernel_size),
                "strides": list(layer.stride),
                "padding": _padding(name, layer),
            }
            return [{"conv": {**options, **_deviations(name, layer)}}]
        if isinstance(layer, nn.AvgPool1d | nn.AvgPool2d) and layer.count_include_pad and not layer.ceil_mode:
            window, strides = (_listed(value) for value in (layer.kernel_size, layer.stride))
            return [{"avg_pool": {"window": window, "strides": strides, "padding": _one(name, layer.padding)}}]
        if isinstance(layer, nn.AdaptiveAvgPool1d | nn.AdaptiveAvgPool2d) and layer.output_size in (1, (1,), (1, 1)):
            return ["global_avg_pool"]
        if isinstance(layer, nn.LayerNorm) and _is_plain(layer) and before and _is_dense(before[-1]):
            return ["layer_norm"]
        raise _unread(f"{name} ({layer})")


def _deviations(name: str, layer: Any) -> dict[str, float]:
    """weight_std and bias_std of a layer's initial weights."""
    fan_in = layer.weight[0].numel()
    weight = _root_mean_square(layer.weight, fan_in)
    require(
        weight > 0, f"the weights of {name} are zero: the network is constant at infinite width; use lb.TorchModule"
    )
    bias = 0.0 if layer.bias is None else _root_mean_square(layer.bias, fan_in)
    return {"weight_std": math.sqrt(fan_in) * weight, "bias_std": bias}


def _root_mean_square(weights: Tensor, fan_in: int) -> float:
    """Of numbers that are drawn uniformly within 1 / sqrt(fan_in), as far as one can see, exactly theirs; else as measured."""
    values = weights.detach().double()
    square, variance = float(values.square().mean()), 1 / (3 * fan_in)
    error = math.sqrt(4 / 45 / values.numel()) / fan_in
    largest = float(values.abs().max()) * math.sqrt(fan_in)
    uniform = UNLIKELY ** (1 / values.numel()) < largest <= 1 + 1e-6 and abs(square - variance) < DEVIATIONS * error
    return math.sqrt(variance if uniform else square)


def _padding(name: str, layer: Any) -> str | int:
    if layer.padding_mode == "circular" and set(layer.stride) == {1}:
        same = [(size - 1) // 2 for size in layer.kernel_size]
        if layer.padding == "same" or (list(layer.padding) == same and all(size % 2 for size in layer.kernel_size)):
            return "circular"
    if layer.padding_mode != "zeros":
        raise _unread(f"{name} ({layer}), for its padding")
    return layer.padding if isinstance(layer.padding, str) else _one(name, layer.padding)


def _one(name: str, value: int | tuple[int, ...]) -> int:
    """A padding that is the same on all axes."""
    values = {value} if isinstance(value, int) else set(value)
    if len(values) > 1:
        raise _unread(f"{name}, for its padding {value}, which differs between axes")
    return values.pop()


def _listed(value: int | tuple[int, ...]) -> int | list[int]:
    return value if isinstance(value, int) else list(value)


def _is_plain(layer: nn.LayerNorm) -> bool:
    """Whether a normalisation is over channels, and its weights are those of initialisation."""
    weights = layer.weight is None or bool((layer.weight == 1).all())
    return len(layer.normalized_shape) == 1 and weights and (layer.bias is None or not bool(layer.bias.any()))


def _is_dense(entry: Entry) -> bool:
    """Whether a layer's result is that of dense ones, so that its last axis is its channels."""
    if isinstance(entry, dict) and "residual" in entry:
        return all(_is_dense(part[-1]) for part in entry["residual"].values() if part)
    return isinstance(entry, dict) and "dense" in entry


def _flattened(before: list[Entry]) -> list[Entry]:
    """Nothing is left to flatten behind the mean over all positions."""
    return [] if before and before[-1] == "global_avg_pool" else ["flatten"]


def _is_sum(node: fx.Node) -> bool:
    return node.op in ("call_function", "call_method") and node.target in SUMS


def _branches(node: fx.Node) -> tuple[fx.Node, fx.Node]:
    """The two terms of a sum."""
    terms = [term for term in node.args if isinstance(term, fx.Node)]
    if len(terms) != 2 or len(node.args) != 2 or node.kwargs:
        raise _unread(f"{node.name}, a sum with a constant or a factor")
    return terms[0], terms[1]


def _argument(node: fx.Node) -> fx.Node | None:
    """The node that another one depends on; None of the input."""
    if node.op == "placeholder":
        return None
    nodes = node.all_input_nodes
    if len(nodes) != 1 or node.op == "get_attr":
        raise _unread(f"{node.name} ({getattr(node.target, '__name__', node.target)})")
    return nodes[0]


def _rest(node: fx.Node) -> tuple[Any, ...]:
    """What a function is called with besides its input."""
    return (*node.args[1:], *node.kwargs.values())


def _pools_everything(rest: tuple[Any, ...]) -> bool:
    axes = rest[0] if len(rest) == 1 and isinstance(rest[0], list | tuple) else rest
    return sorted(axes) in ([2, 3], [-2, -1])


def _unread(what: str) -> ValueError:
    return ValueError(
        f"{what} has no infinite-width limit that is known; read are {READ}; lb.TorchModule takes any module"
    )
