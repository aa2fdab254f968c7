"""What a layer is: what it does to the shape of a signal, and to covariances and tangent kernels at infinite width.

A new layer is one subclass of `Layer`, a frozen dataclass of its options with a `name` by which a configuration calls it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

from torch import nn

from ...common.errors import require
from .covariances import Covariances

INPUTS, PRE_ACTIVATIONS, FEATURES = "inputs", "pre-activations", "features"


@dataclass(frozen=True)
class Signal:
    """The shape and nature of a signal between two layers.

    Attributes
    ----------
    positions : tuple of int
        (height, width), (length,), or () of flat points.
    stage : "inputs", "pre-activations" or "features"
        Pre-activations are Gaussian at infinite width, and alike in all units of a position; features are not.
    channels : int, optional
        Of inputs, and of signals of finite networks; behind weights of infinite width there is no number.
    """

    positions: tuple[int, ...]
    stage: str
    channels: int | None = None

    @property
    def units(self) -> int:
        """The channels of a signal of a finite network."""
        if self.channels is None:
            raise ValueError(
                "behind weights of infinite width there is no number of channels; give the signal its channels"
            )
        return self.channels

    @property
    def place(self) -> str:
        """The positions in words."""
        return " x ".join(map(str, self.positions)) + " positions" if self.positions else "flat points"


@dataclass(frozen=True)
class Layer(ABC):
    """A layer of a network of infinite width.

    Attributes
    ----------
    name : str
        What a configuration calls it.
    pools : bool
        Whether it mixes positions, so that covariances between different ones are needed before it.
    odd : bool
        Whether it maps -z to minus what it maps z to.
    fresh : bool
        Whether what it makes is independent of what it takes, up to variances, by weights of its own.
    """

    @property
    def name(self) -> str:
        """What a configuration calls it; of a layer that none can ask for, what its class is called."""
        return type(self).__name__

    @property
    def pools(self) -> bool:
        """Whether it mixes positions."""
        return False

    @property
    def odd(self) -> bool:
        """Whether it maps -z to minus what it maps z to."""
        return True

    @property
    def fresh(self) -> bool:
        """Whether what it makes is independent of what it takes."""
        return False

    @abstractmethod
    def after(self, signal: Signal) -> Signal:
        """The signal that it makes of a signal.

        Raises
        ------
        ValueError
            It cannot act on the signal; the message says what to write instead.
        """

    @abstractmethod
    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        """The state after the layer, of pairs of points whose statistics from `prepare` are `left` and `right`."""

    def prepare(self, own: Covariances) -> tuple[tuple, Covariances]:
        """Statistics of each point, such as variances, and the state after the layer, from the state of points with themselves.

        Returns
        -------
        (statistics, own) : statistics is a tuple, perhaps nested, of tensors (positions, points, ...); linear layers need none.
        """
        return (), self.propagate(own, (), ())

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        """The layer of a finite network whose layers have `width` channels, and the channels that it makes.

        signal : with its channels. Weights and biases of the module are not yet drawn.
        """
        raise ValueError(f"{self.name} is a layer of infinite width only: {type(self).__name__} has no method module")

    @property
    def entry(self) -> str | dict:
        """The layer as a configuration writes it."""
        options = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {self.name: options} if options else self.name


def _plain(value: object) -> object:
    """A layer's option as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value.entry if isinstance(value, Layer) else value


@contextmanager
def place(words: str) -> Iterator[None]:
    """Errors inside say where they happened."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{words}: {error}") from error


def numbered(layers: Sequence[Layer]) -> Iterator[tuple[str, Layer]]:
    """Layers with what messages call them."""
    for number, layer in enumerate(layers, 1):
        yield f"layer {number} ({layer.name})", layer


def signals(layers: Sequence[Layer], signal: Signal) -> list[Signal]:
    """The signal before every layer and after the last one.

    Raises
    ------
    ValueError
        A layer that cannot act on its signal, with its number.
    """
    passed = [signal]
    for words, layer in numbered(layers):
        with place(words):
            passed.append(layer.after(passed[-1]))
    return passed


def prepare_all(layers: Sequence[Layer], own: Covariances) -> tuple[tuple, Covariances]:
    """`Layer.prepare` of one layer after the other."""
    statistics = []
    for layer in layers:
        of_layer, own = layer.prepare(own)
        statistics.append(of_layer)
    return tuple(statistics), own


def propagate_all(layers: Sequence[Layer], state: Covariances, left: tuple, right: tuple) -> Covariances:
    """`Layer.propagate` of one layer after the other."""
    for layer, *sides in zip(layers, left, right, strict=True):
        state = layer.propagate(state, *sides)
    return state


def modules(layers: Sequence[Layer], signal: Signal, width: int) -> tuple[nn.Sequential, Signal]:
    """`Layer.module` of one layer after the other, as one module, and the signal that it makes."""
    made = []
    for layer in layers:
        module, channels = layer.module(signal, width)
        signal = replace(layer.after(signal), channels=channels)
        made.append(module)
    return nn.Sequential(*made), signal


def require_positions(layer: Layer, signal: Signal) -> None:
    """Require positions for a layer to act on."""
    require(
        bool(signal.positions),
        f"{layer.name} acts on positions and what reaches it are flat points; give points of shape (points, channels, length) "
        "or (points, channels, height, width), and put it before flatten or global_avg_pool",
    )


def require_pre_activations(layer: Layer, signal: Signal) -> None:
    """Require pre-activations, whose units are Gaussian at infinite width."""
    require(
        signal.stage == PRE_ACTIVATIONS,
        f"{layer.name} acts on pre-activations and what reaches it are {signal.stage}; put a conv or dense layer between, and "
        "activations before flatten",
    )
