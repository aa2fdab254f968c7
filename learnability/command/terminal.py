"""Tables and bars as text, no wider than the terminal."""

import shutil
import sys

import numpy as np
import pandas as pd

BAR = 12  # characters
MOST_ROWS = 24


def width() -> int | None:
    """Characters in a line of the terminal; None where the output is no terminal and lines may be of any length."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def as_text(table: pd.DataFrame, digits: int, line: int | None) -> str:
    """A table whose index names its rows; columns that a line does not hold follow below, with the index again.

    Parameters
    ----------
    digits : int, of numbers
    line : int or None, characters

    Examples
    --------
    >>> table = pd.DataFrame({"error": [0.51234, 0.4], "accuracy": [0.7, 0.8]}, index=["n = 16", "n = 64"])
    >>> print(as_text(table, 2, None))
           error accuracy
    n = 16  0.51      0.7
    n = 64   0.4      0.8
    """
    written = table.map(lambda value: _number(value, digits)).rename_axis(None)
    return written.to_string(line_width=line, max_rows=MOST_ROWS)


def _number(value: object, digits: int) -> str:
    if not isinstance(value, float | np.floating):
        return str(value)
    return "" if np.isnan(value) else f"{value:.{digits}g}"


def bars(values: pd.Series) -> list[str]:
    """A bar for each number, the largest one is full; none for nan.

    Examples
    --------
    >>> bars(pd.Series([20.0, 10.0, float("nan")]))
    ['████████████', '██████', '']
    """
    largest = values.max()
    return ["" if np.isnan(value) else "█" * max(1, round(BAR * value / largest)) for value in values]
