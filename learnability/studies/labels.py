"""What varied options are called in tables, legends and columns, and the files that targets are read from."""

import math
from typing import Any

from ..common.errors import require
from ..domains import label_of


def files_of(target: dict) -> list[str]:
    """The files that a target is read from: {truth_table: t.txt}, which is short for {truth_table: {path: t.txt}}.

    Examples
    --------
    >>> files_of({"truth_table": "t.txt"}), files_of({"parity": 3})
    (['t.txt'], [])
    """
    argument = target.get("truth_table")
    path = argument.get("path") if isinstance(argument, dict) else argument
    return [path] if path else []


def column_of(where: str, key: str, values: list) -> list:
    """What the values of a varied option are called in its column of the joined table: numbers stay, all else is text."""
    plain = all(isinstance(value, int | float | None) for value in values)
    labels = [math.nan if plain and value is None else value if plain else _label(key, value) for value in values]
    twice = {label for label in labels if labels.count(label) > 1}
    require(not twice, f"{where}: two values are both called {', '.join(map(repr, twice))}; write each of them once")
    return labels


def _label(key: str, value: Any) -> str:
    """A value as a text: a target by its label, the entries of a list one after the other, those of a mapping by name."""
    if key == "target" and value is not None:
        return label_of(value)
    if isinstance(value, list):
        return ", ".join(_label(key.removesuffix("s"), part) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {value[name]}" for name in sorted(value))
    return "none" if value is None else str(value)
