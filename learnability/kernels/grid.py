"""Many architectures from one entry: parameters with several values each give one architecture per combination."""

from collections.abc import Mapping
from itertools import product
from typing import Any

LISTS = ("layers",)  # parameters that are lists themselves: no grid


def expanded(name: str, entry: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The architectures that an entry stands for, {name: entry}.

    A list as the value of a parameter stands for all its members: {depth: [1, 2], activation: [relu, erf]} named "mlp" is
    mlp-relu-depth1, mlp-relu-depth2, mlp-erf-depth1 and mlp-erf-depth2. Without a list it stands for itself.
    """
    several = {key: entry[key] for key in sorted(entry) if isinstance(entry[key], list | tuple) and key not in LISTS}
    architectures = {}
    for values in product(*several.values()):
        parts = [_part(key, value) for key, value in zip(several, values)]
        architectures["-".join([name, *parts])] = {**entry, **dict(zip(several, values))}
    return architectures


def _part(key: str, value: Any) -> str:
    """A parameter's value as part of a name: texts as they are, {kind: name, ...} by its values, numbers with the key."""
    if isinstance(value, dict):
        return "-".join(str(value[name]) for name in sorted(value))
    return value if isinstance(value, str) else f"{key}{value}"
