"""What checks annotations while tests run (see conftest.py)."""

from collections.abc import Callable

import numpy as np
from beartype import BeartypeConf, BeartypeStrategy, FrozenDict, beartype
from beartype.roar import BeartypeDecorHintPep673Exception

# An int is a float, and NumPy's numbers are numbers.
NUMBERS = FrozenDict({
    bool: bool | np.bool,
    int: int | np.integer,
    float: float | np.floating | int | np.integer,
    complex: complex | float | int | np.number,
})  # fmt: skip
CHECK = beartype(conf=BeartypeConf(hint_overrides=NUMBERS, strategy=BeartypeStrategy.O1))


def checked(function: Callable) -> Callable:
    """The function with its annotations checked.

    mypy alone checks `Self`, for which beartype wants whole classes, and constructors: what a dataclass takes is more than
    what its attribute then is (a list becomes an array).
    """
    if function.__name__ == "__init__":
        return function
    try:
        return CHECK(function)
    except BeartypeDecorHintPep673Exception:
        return function
