"""Rows that repeat others, columns that say the label, and rows that belong together: what makes predictions too good."""

from collections.abc import Iterable

import numpy as np

from .columns import FEW_ROWS, INDEX

FEW_GROUPS = 5
MOST_ROWS, MOST_COLUMNS = 20_000, 100


def repetitions(x: np.ndarray, y: np.ndarray) -> tuple[int, int]:
    """Rows whose inputs are those of an earlier row, and those of them with another label than the first of these.

    Parameters
    ----------
    x : (samples, ...), y : (samples,) or (samples, outputs)

    Examples
    --------
    >>> repetitions(np.array([[1.0], [2.0], [1.0], [1.0]]), np.array([5, 6, 5, 7]))
    (2, 1)
    """
    first: dict[int, object] = {}  # by hash: rows of images themselves would take as much memory again
    repeated = contradicting = 0
    for row, label in zip(np.ascontiguousarray(x), y.tolist()):
        content = hash(row.tobytes())
        if content in first:
            repeated += 1
            contradicting += first[content] != label
        else:
            first[content] = label
    return repeated, contradicting


def copies_of_label(columns: Iterable[tuple[str, np.ndarray]], labels: np.ndarray) -> list[str]:
    """Names of columns that say the label itself: its multiple with an offset, or a name of its own for every class or number.

    Parameters
    ----------
    columns : pairs of name and values (samples,), numbers or texts
    labels : (samples,)

    Examples
    --------
    >>> price = np.arange(10.0) ** 2
    >>> copies_of_label([("euros", 3 * price + 1), ("area", np.sqrt(price))], price)
    ['euros']
    """
    copies: list[str] = []
    if len(labels) < FEW_ROWS:
        return copies
    codes = _codes(labels)
    for name, values in columns:
        if values.dtype.kind == "f" and labels.dtype.kind in "iuf":
            same = abs(_correlation(values, labels.astype(float))) > 1 - 1e-12
        else:
            own = _codes(values)
            same = _pairs(own, codes) == codes.max() + 1 == own.max() + 1
        if same:
            copies.append(name)
    return copies


def repeated_measurements(columns: Iterable[tuple[str, np.ndarray]]) -> dict[str, int]:
    """Columns that seem to name persons or things that were measured several times, with the number of their values.

    Such a column has at least five values, most of them in several different rows. It is called a number of something, or other
    columns have one value for each of its values, and together tell half of these apart, five or more. Measurements of one
    person then lie on both sides of a training set. Looked at are the first 20,000 rows, and in tables of more than a hundred
    columns the names only.

    Parameters
    ----------
    columns : pairs of name and values (samples,), numbers or texts

    Examples
    --------
    >>> person = np.repeat(np.arange(6), 5)
    >>> repeated_measurements([("person", person), ("height", 1.5 + person % 5 / 9), ("pulse", np.arange(30) % 7)])
    {'person': 6}
    """
    codes = {name: _codes(values[:MOST_ROWS]) for name, values in columns}
    different = np.unique(np.column_stack([*codes.values()]), axis=0)  # equal rows are no measurements of one thing
    codes = dict(zip(codes, different.T))
    groups = {}
    for name, code in codes.items():
        counts = np.bincount(code)
        if len(counts) < FEW_GROUPS or np.median(counts) < 2:
            continue
        told_apart = 0
        if len(codes) <= MOST_COLUMNS:
            same = [own for other, own in codes.items() if other != name and _pairs(code, own) == len(counts)]
            told_apart = len(np.unique(np.column_stack(same), axis=0)) if same else 0
        if INDEX.fullmatch(name.strip().lower()) or told_apart >= max(len(counts) / 2, FEW_GROUPS):
            groups[name] = len(counts)
    return groups


def _codes(values: np.ndarray) -> np.ndarray:
    """Numbers of the different values, (samples,) int."""
    return np.unique(values.astype(str) if values.dtype.kind == "O" else values, return_inverse=True)[1].ravel()


def _pairs(a: np.ndarray, b: np.ndarray) -> int:
    """How many pairs of codes there are."""
    return len(np.unique(a.astype(np.int64) * (b.max() + 1) + b))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else 0.0
