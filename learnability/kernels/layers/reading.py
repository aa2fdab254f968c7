"""Layers from what a configuration or a user writes."""

from __future__ import annotations

from collections.abc import Sequence

from ...common.errors import choose, require, require_arguments
from ..activations import ACTIVATIONS, PARAMETRIC, Activation
from .layer import Layer, place
from .nonlinearity import Nonlinearity


def layers_from(entries: Sequence[object]) -> tuple[Layer, ...]:
    """The layers of a list of entries.

    Raises
    ------
    ValueError
        An entry that is none, with its number.
    """
    require(isinstance(entries, list | tuple), f"layers must be a list, got {entries!r}")
    layers = []
    for number, entry in enumerate(entries, 1):
        with place(f"layer {number}{_named(entry)}"):
            layers.append(layer_from(entry))
    return tuple(layers)


def layer_from(entry: object) -> Layer:
    """The layer that an entry describes: a `Layer`, an `Activation`, a name, {name: options} or {kind: name, options ...}.

    Raises
    ------
    ValueError
        A misspelt name, with the nearest one; options that the layer does not have, or out of range.
    """
    if isinstance(entry, Layer):
        return entry
    if isinstance(entry, Activation):
        return Nonlinearity(entry)
    name, options = _name_and_options(entry)
    classes = layer_classes()
    choose("layer", name, [*classes, *{**ACTIVATIONS, **PARAMETRIC}])
    if name not in classes:
        return Nonlinearity({"kind": name, **options} if options else name)
    require_arguments(f"option of {name}", classes[name], options)
    return classes[name](**options)


def _name_and_options(entry: object) -> tuple[str, dict]:
    if isinstance(entry, str):
        return entry, {}
    if not isinstance(entry, dict) or "kind" not in entry and len(entry) != 1:
        raise ValueError(f"a layer is a name, {{name: {{options}}}} or an object of lb.layers, got {entry!r}")
    if "kind" in entry:
        return entry["kind"], {key: value for key, value in entry.items() if key != "kind"}
    ((name, options),) = entry.items()
    require(options is None or isinstance(options, dict), f"options of {name} must be a mapping, got {options!r}")
    return name, options or {}


def _named(entry: object) -> str:
    """The name of an entry in brackets, where it can be read."""
    if isinstance(entry, dict):
        entry = entry.get("kind", next(iter(entry), ""))
    return f" ({entry})" if isinstance(entry, str) else ""


def layer_classes() -> dict[str, type[Layer]]:
    """Layers that a configuration may ask for, {name: class}."""
    classes: dict[str, type[Layer]] = {}
    waiting = Layer.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if isinstance(name := kind.name, str):  # a property of what has no name of its own
            classes[name] = kind
    return classes
