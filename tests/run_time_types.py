"""What checks annotations while tests run (see conftest.py)."""

from collections.abc import Callable

from beartype import BeartypeConf, BeartypeStrategy, beartype
from beartype.roar import BeartypeDecorHintPep673Exception

CHECK = beartype(conf=BeartypeConf(is_pep484_tower=True, strategy=BeartypeStrategy.O1))  # an int is a float


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
