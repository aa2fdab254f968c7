"""How much of a linear solve is rounding, and what to say of it.

The solution of A x = b in float64 has a relative error of about cond(A) eps, with cond(A) the ratio of the largest to the
smallest eigenvalue and eps = 2.2e-16. Where that exceeds `LARGEST_ERROR`, from a condition number of 4.5e11 on, fewer than four
digits are certain and a warning says so, with the smallest ridge r for which (largest + r) / (smallest + r) does not exceed it.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from .errors import warn_caller

EPSILON = float(np.finfo(np.float64).eps)
LARGEST_ERROR = 1e-4  # relative, of a solution
LARGEST_CONDITION = LARGEST_ERROR / EPSILON


class IllConditioned(UserWarning):
    """A solve whose solution is largely rounding.

    Parameters
    ----------
    what : str
        The matrix, as the message names it.
    condition : float
        Largest over smallest eigenvalue.
    ridge : float
        The smallest ridge, in all, with which the solution has four certain digits.
    remark : str
        What was done, and what can be done besides.

    Examples
    --------
    >>> import warnings, numpy as np, learnability as lb
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", lb.IllConditioned)
    ...     fitted = lb.kernel_regression(lb.Gaussian(length=1.0), x, x[:, 0], x)
    >>> bool(caught[0].message.condition > 1e11), bool(caught[0].message.ridge < 1e-8)
    (True, True)
    """

    def __init__(self, what: str, condition: float, ridge: float, remark: str = "") -> None:
        self.condition, self.ridge = condition, ridge
        super().__init__(
            f"{what} is ill-conditioned: condition number {condition:.2g}, so that the solution has a relative error of up to "
            f"{min(condition * EPSILON, 1):.1g} by rounding; the smallest ridge that would do is {ridge:.2g}"
            f"{'; ' + remark if remark else ''}"
        )


def warn_of_condition(what: str, smallest: float, largest: float, ridge: float, least: float | None = None) -> None:
    """Warn if a symmetric matrix with these extreme eigenvalues, which hold `ridge`, is ill-conditioned.

    least : the smallest eigenvalue of all, where the solve has left out those below `smallest`
    """
    condition = largest / max(smallest, EPSILON * largest) if largest > 0 else 1.0
    if condition > LARGEST_CONDITION:
        needed = _rounded_up(ridge + sufficient_ridge(smallest if least is None else least, largest))
        scaled = "inputs of unit variance, duplicates removed or another kernel may mend it too"
        warn_caller(IllConditioned(what, condition, needed, scaled))


def sufficient_ridge(smallest: float, largest: float) -> float:
    """What must be added to all eigenvalues for the largest condition number."""
    return 1.01 * (largest - LARGEST_CONDITION * max(smallest, 0.0)) / (LARGEST_CONDITION - 1)


def may_be_ill_conditioned(factor: NDArray, norm: float) -> bool:
    """Whether a lower Cholesky factor is that of such a matrix, by LAPACK's estimate; norm: the matrix' largest row sum.

    The estimate is of the condition number in that norm, which is not below the ratio of eigenvalues, rarely a third of it.
    """
    from scipy.linalg import lapack  # jobs that solve nothing should not wait for it

    reciprocal, _ = lapack.dpocon(factor, norm, uplo="L")
    return reciprocal * LARGEST_CONDITION < 3


@contextmanager
def one_warning() -> Iterator[None]:
    """Of all `IllConditioned` in this block the worst alone is passed on, at its end; other warnings are as ever."""
    held: list[tuple[IllConditioned, str, int]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", IllConditioned)
        show = warnings.showwarning

        def hold(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if isinstance(message, IllConditioned):
                held.append((message, filename, lineno))
            else:
                show(message, category, filename, lineno, file, line)

        warnings.showwarning = hold
        try:
            yield
        finally:
            worst = max(held, key=lambda each: each[0].condition, default=None)
    if worst is not None:
        warnings.warn_explicit(worst[0], IllConditioned, *worst[1:])


def _rounded_up(value: float) -> float:
    """To two digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit) * unit:.2g}")
