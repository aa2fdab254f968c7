"""Messages that teach: what is wrong, where, and what to write instead."""

import math
import sys
from difflib import get_close_matches
from inspect import Parameter, signature
from operator import index
from warnings import warn

import numpy as np


def choose(what, value, allowed):
    """Return `value` if it is one of `allowed`; otherwise raise ValueError that names the nearest choice."""
    allowed = [str(name) for name in allowed]
    if value in allowed:
        return value
    nearest = get_close_matches(str(value), allowed, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    raise ValueError(f"unknown {what} {value!r}; {hint}allowed: {', '.join(allowed)}")


def require(condition, message):
    """Raise ValueError(message) unless `condition` holds."""
    if not condition:
        raise ValueError(message)


def warn_caller(message: str | Warning) -> None:
    """Warn at the line outside of the library that called it, however many calls and decorators lie between."""
    frame, level = sys._getframe(1), 2
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in ("learnability", "contextlib"):
        frame, level = frame.f_back, level + 1
    warn(message, stacklevel=level)


def whole(name, value, least=0, most=None):
    """`value` as an int; ValueError unless it is a whole number between `least` and `most`."""
    bounds = f">= {least}" if most is None else f"from {least} to {most}"
    message = f"{name} must be a whole number {bounds}, got {value!r}"
    try:
        number = index(value)
    except TypeError as error:
        raise ValueError(message) from error
    require(not isinstance(value, bool | np.bool_), message)
    require(least <= number and (most is None or number <= most), message)
    return number


def real(name, value, positive=False, most=math.inf):
    """`value` as a float; ValueError unless it is finite, >= 0, or > 0 if `positive`, and at most `most`."""
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


def reals(name, value, infinite=False):
    """`value` as a float array; ValueError unless all are numbers, >= 0, and finite where not `infinite`."""
    numbers = np.asarray(value).dtype.kind in "iuf" and not isinstance(value, np.ma.MaskedArray)
    require(numbers, f"{name} must be a number or an array of numbers, got {value!r}")
    values = np.asarray(value, dtype=float)
    allowed = (values >= 0) & (np.isfinite(values) | infinite)
    require(bool(allowed.all()), f"{name} must be finite and >= 0, got {value!r}")
    return values


def require_finite(name, values):
    """Require that an array holds no infinities and no nan."""
    require(bool(np.isfinite(values).all()), f"{name} holds values that are not finite")


def require_arguments(what, function, given, without=()):
    """Require that every name in `given` is a parameter of the function, and that no required one is missing.

    without : sequence of str
        Parameters that are not the caller's to give.
    """
    parameters = {name: p for name, p in signature(function).parameters.items() if name not in without}
    for name in given:
        choose(what, name, parameters)
    missing = [n for n, p in parameters.items() if p.default is Parameter.empty and n not in given]
    require(not missing, f"{what} {missing[0] if missing else ''!r} is missing; there are {', '.join(parameters)}")


def built(what, kinds, specification, default=None):
    """The object that an entry {kind: ..., parameters ...} describes.

    Parameters
    ----------
    what : str, for messages ("domain")
    kinds : dict of name to class
    specification : dict
    default : str, the kind of an entry that names none
    """
    parameters = {name: value for name, value in specification.items() if name != "kind"}
    kind = choose(f"{what} kind", specification.get("kind", default), kinds)
    require_arguments(f"parameter of a {kind}", kinds[kind], parameters)
    return kinds[kind](**parameters)
