"""Messages that teach: what is wrong, where, and what to write instead."""

from difflib import get_close_matches
from operator import index


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


def whole(name, value):
    """`value` as an int; ValueError unless it is a whole number >= 0."""
    message = f"{name} must be a whole number >= 0, got {value!r}"
    try:
        number = index(value)
    except TypeError as error:
        raise ValueError(message) from error
    require(number >= 0, message)
    return number
