"""Many architectures from one entry: parameters with several values each give one architecture per combination."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from ..common.errors import require, whole

LISTS = ("layers",)  # parameters that are lists themselves: no grid
SEEDED = ("torch_module",)  # kinds whose kernel is that of one initialisation


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


def initialisations(name: str, entry: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The kernels that an entry stands for, {name: entry}: one per initialisation of a network with `seeds`, else itself.

    Examples
    --------
    >>> [*initialisations("cnn", {"kind": "torch_module", "function": "cnn", "seeds": 2})]
    ['cnn-seed0', 'cnn-seed1']
    """
    if "seeds" not in entry or entry.get("kind") not in SEEDED:
        return {name: {**entry}}
    require("seed" not in entry, f"{name}: seed and seeds; write seeds for the first so many, or seed for one of them")
    common = {key: value for key, value in entry.items() if key != "seeds"}
    return expanded(name, {**common, "seed": [*range(whole(f"{name}: seeds", entry["seeds"], 1))]})


def members(name: str, entry: Mapping[str, Any]) -> dict[str, dict[str, Any] | list[dict[str, Any]]]:
    """`expanded`, networks of several initialisations as lists of theirs."""
    kernels = {one: initialisations(one, network) for one, network in expanded(name, entry).items()}
    return {one: group[one] if one in group else [*group.values()] for one, group in kernels.items()}


def _part(key: str, value: Any) -> str:
    """A parameter's value as part of a name: texts as they are, {kind: name, ...} by its values, numbers with the key."""
    if isinstance(value, dict):
        return "-".join(str(value[name]) for name in sorted(value))
    return value if isinstance(value, str) else f"{key}{value}"
