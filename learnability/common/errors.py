"""Messages that teach: what is wrong, where, and what to write instead."""

import math
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from inspect import Parameter, signature
from operator import index
from types import FrameType
from typing import Any, TypeVar
from warnings import warn

import numpy as np
from numpy.typing import ArrayLike, NDArray

Built = TypeVar("Built")


def choose(what: str, value: Any, allowed: Iterable[str]) -> str:
    """Return `value` if it is one of `allowed`; otherwise raise ValueError that names the nearest choice.

    Examples
    --------
    >>> choose("kernel", "ntk", ["ntk", "nngp"])
    'ntk'
    >>> choose("kernel", "ntkk", ["ntk", "nngp"])
    Traceback (most recent call last):
        ...
    ValueError: unknown kernel 'ntkk'; did you mean 'ntk'? allowed: ntk, nngp
    """
    allowed = [str(name) for name in allowed]
    if value in allowed:
        return value
    nearest = get_close_matches(str(value), allowed, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    raise ValueError(f"unknown {what} {value!r}; {hint}allowed: {', '.join(allowed)}")


def require(condition: object, message: str) -> None:
    """Raise ValueError(message) unless `condition` holds.

    Examples
    --------
    >>> require(1 > 2, "1 is not above 2; give a larger number")
    Traceback (most recent call last):
        ...
    ValueError: 1 is not above 2; give a larger number
    """
    if not condition:
        raise ValueError(message)


def warn_caller(message: str | Warning) -> None:
    """Warn at the line outside of the library that called it, however many calls and decorators lie between."""
    frame: FrameType | None = sys._getframe(1)
    level = 2
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in (
        "learnability",
        "contextlib",
        "jaxtyping",
    ):
        frame, level = frame.f_back, level + 1
    warn(message, stacklevel=level)


def whole(name: str, value: Any, least: int = 0, most: int | None = None) -> int:
    """`value` as an int; ValueError unless it is a whole number between `least` and `most`.

    Examples
    --------
    >>> whole("depth", np.int64(3))
    3
    >>> whole("depth", 2.5)
    Traceback (most recent call last):
        ...
    ValueError: depth must be a whole number >= 0, got 2.5
    """
    bounds = f">= {least}" if most is None else f"from {least} to {most}"
    message = f"{name} must be a whole number {bounds}, got {value!r}"
    try:
        number = index(value)
    except TypeError as error:
        raise ValueError(message) from error
    require(not isinstance(value, bool | np.bool_), message)
    require(least <= number and (most is None or number <= most), message)
    return number


def real(name: str, value: Any, positive: bool = False, most: float = math.inf) -> float:
    """`value` as a float; ValueError unless it is finite, >= 0, or > 0 if `positive`, and at most `most`.

    Examples
    --------
    >>> real("ridge", 1)
    1.0
    >>> real("ridge", -1)
    Traceback (most recent call last):
        ...
    ValueError: ridge must be finite and >= 0, got -1
    """
    least = ">" if positive else ">="
    bounds = f"finite and {least} 0" if most == math.inf else f"a number from 0 to {most:g}"
    message = f"{name} must be {bounds}, got {value!r}"
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a number, got {value!r}") from error
    require(not isinstance(value, bool | np.bool_ | str | bytes), f"{name} must be a number, got {value!r}")
    require(math.isfinite(number) and (number > 0 if positive else number >= 0) and number <= most, message)
    return number


def reals(name: str, value: Any, infinite: bool = False) -> NDArray[np.float64]:
    """`value` as a float array; ValueError unless all are numbers, >= 0, and finite where not `infinite`.

    Examples
    --------
    >>> reals("ridge", [0, 0.5])
    array([0. , 0.5])
    """
    numbers = np.asarray(value).dtype.kind in "iuf" and not isinstance(value, np.ma.MaskedArray)
    require(numbers, f"{name} must be a number or an array of numbers, got {value!r}")
    values = np.asarray(value, dtype=float)
    allowed = (values >= 0) & (np.isfinite(values) | infinite)
    require(bool(allowed.all()), f"{name} must be finite and >= 0, got {value!r}")
    return values


def require_finite(name: str, values: ArrayLike) -> None:
    """Require that an array holds no infinities and no nan.

    Examples
    --------
    >>> require_finite("y", [1.0, float("nan")])
    Traceback (most recent call last):
        ...
    ValueError: y holds values that are not finite
    """
    require(bool(np.isfinite(values).all()), f"{name} holds values that are not finite")


def require_arguments(
    what: str, function: Callable[..., object], given: Iterable[str], without: Collection[str] = ()
) -> None:
    """Require that every name in `given` is a parameter of the function, and that no required one is missing.

    without : sequence of str
        Parameters that are not the caller's to give.

    Examples
    --------
    >>> require_arguments("option", lambda depth, width=3: None, {"depht": 1})
    Traceback (most recent call last):
        ...
    ValueError: unknown option 'depht'; did you mean 'depth'? allowed: depth, width
    """
    parameters = {name: p for name, p in signature(function).parameters.items() if name not in without}
    for name in given:
        choose(what, name, parameters)
    missing = [n for n, p in parameters.items() if p.default is Parameter.empty and n not in given]
    require(not missing, f"{what} {missing[0] if missing else ''!r} is missing; there are {', '.join(parameters)}")


def built(
    what: str, kinds: Mapping[str, Callable[..., Built]], specification: Mapping[str, Any], default: str | None = None
) -> Built:
    """The object that an entry {kind: ..., parameters ...} describes.

    Parameters
    ----------
    what : str, for messages ("domain")
    kinds : dict of name to class
    specification : dict
    default : str, the kind of an entry that names none

    Examples
    --------
    >>> built("number", {"fraction": complex}, {"kind": "fraction", "real": 1.0})
    (1+0j)
    """
    parameters = {name: value for name, value in specification.items() if name != "kind"}
    kind = choose(f"{what} kind", specification.get("kind", default), kinds)
    require_arguments(f"parameter of a {kind}", kinds[kind], parameters)
    return kinds[kind](**parameters)
