"""The least training-set size at which an error is small enough, by bisection."""

from collections.abc import Callable


def least_size(error_at: Callable[[int], float], error: float, most: int) -> int:
    """The least n with error_at(n) <= error, for an error that falls once it has begun to.

    It is right to a 512th of `most`, the largest size, at which the error is taken to be small enough.

    Examples
    --------
    >>> least_size(lambda n: 1 / n, 0.1, 100)
    10
    """
    low, high = 0, most
    while high - low > max(1, most // 512):
        middle = (low + high) // 2
        low, high = (low, middle) if error_at(middle) <= error else (middle, high)
    return high
