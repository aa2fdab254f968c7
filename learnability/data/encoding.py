"""Columns as numbers: gaps filled, texts encoded.

A column of at most a hundred different texts becomes one column per text. One of more becomes thirty numbers by skrub's
StringEncoder (character n-grams weighted by TF-IDF, then a truncated singular value decomposition): as many columns as there
are texts would take gigabytes and say of most texts only that they are different.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .columns import Column

if TYPE_CHECKING:
    from skrub import StringEncoder

MOST_COLUMNS = 100
STRING_NUMBERS = 30


@dataclass(frozen=True)
class Encoded:
    """Columns as numbers.

    Attributes
    ----------
    values : (rows, columns) float64
    sources : (columns,) int, the number of the source of each column
    content : list of arrays
        What `values` were made of without rounding that may differ between processors.
    ways : dict of name to how texts became numbers
    encoding : Encoding
        The same of further rows.
    """

    values: np.ndarray
    sources: np.ndarray
    content: list[np.ndarray]
    ways: dict[str, str]
    encoding: "Encoding"


@dataclass(frozen=True)
class Encoding:
    """How columns of one table became numbers, and those of another become the same.

    Attributes
    ----------
    fills : dict of name to what fills gaps, or None; numbers first, then columns of texts
    texts : dict of name to
        the different texts, (texts,), each of which is a column, or the encoder of many.
    """

    fills: "dict[str, float | str | None]"
    texts: "dict[str, np.ndarray | StringEncoder]"

    def __call__(self, columns: Mapping[str, Column]) -> np.ndarray:
        """(rows, columns) float64 of columns by name, whose texts are among `texts`."""
        numbers = [columns[name].values for name in self.fills if name not in self.texts]
        filled = zip(numbers, self.fills.values(), strict=False)
        parts = [
            np.where(np.isnan(values), np.nan if fill is None else fill, values)[:, None] for values, fill in filled
        ]
        for name, known in self.texts.items():
            texts = _texts(columns[name], self.fills[name])
            parts.append(_one_hot(texts, known) if isinstance(known, np.ndarray) else _numbers(known.transform(texts)))
        return np.hstack(parts)

    def unknown(self, column: Column) -> np.ndarray:
        """Rows of a column whose text has no column of its own, (rows,) bool; gaps are none of them."""
        known = self.texts.get(column.name)
        if not isinstance(known, np.ndarray):
            return np.zeros(len(column.values), bool)
        return ~column.gaps & ~np.isin(column.values.astype(str), known)


def encoded(columns: list[Column], encode: str | None, missing: str | None) -> Encoded:
    """Numbers first, then the columns that were made of texts, each in the order of the table.

    Parameters
    ----------
    columns : list of Column with gaps only where `missing` says how to fill them
    encode : "one_hot", or None where there are no texts
    missing : "mean", "median" or "most_frequent"; other values where there are no gaps

    Examples
    --------
    >>> from learnability.data.columns import column_of
    >>> table = {"colour": ["red", "blue", "red"], "power": [1, None, 3]}
    >>> made = encoded([column_of(name, pd.Series(values)) for name, values in table.items()], "one_hot", "mean")
    >>> made.values.tolist(), made.ways
    ([[1.0, 0.0, 1.0], [2.0, 1.0, 0.0], [3.0, 0.0, 1.0]], {'colour': 'one-hot of 2'})
    """
    numbers = [column for column in columns if column.kind != "text"]
    fills: dict[str, float | str | None] = {column.name: _fill(column.values, missing) for column in numbers}
    parts, content, ways = [], [], {}
    if numbers:
        parts.append(Encoding(fills, {})({column.name: column for column in numbers}))
        content.append(parts[0])
    sources, known = [*range(len(numbers))], dict[str, "np.ndarray | StringEncoder"]()
    for number, column in enumerate((c for c in columns if c.kind == "text"), start=len(numbers)):
        given = pd.Series(column.values, dtype=object)
        fills[column.name] = None if missing is None else given.mode().iloc[0]
        texts = _texts(column, fills[column.name])
        different = texts.nunique()
        if different <= MOST_COLUMNS:
            known[column.name] = values = np.unique(texts.to_numpy(str))
            part = _one_hot(texts, values)
            content.append(part)
            ways[column.name] = f"one-hot of {different}"
        else:
            from skrub import StringEncoder  # here, because it takes more than a second

            known[column.name] = encoder = StringEncoder(STRING_NUMBERS, random_state=0)
            part = _numbers(encoder.fit_transform(texts))
            content.append(texts.to_numpy(str))
            ways[column.name] = f"{part.shape[1]} numbers from the letters of {different} texts"
        parts.append(part)
        sources += [number] * part.shape[1]
    values = np.hstack(parts)
    exact = all(part is made for part, made in zip(content, parts))
    encoding = Encoding(fills, known)
    return Encoded(values, np.array(sources), [values] if exact else content, ways, encoding)


def _fill(values: np.ndarray, missing: str | None) -> float | None:
    """What scikit-learn's SimpleImputer fills gaps with."""
    if missing in (None, "drop"):
        return None
    from sklearn.impute import SimpleImputer  # here, because every job would wait a second for scikit-learn

    return float(SimpleImputer(strategy=missing).fit(values[:, None]).statistics_[0])


def _texts(column: Column, fill: float | str | None) -> pd.Series:
    texts = pd.Series(column.values, name=column.name, dtype=object)
    return (texts if fill is None else texts.fillna(fill)).astype(str)


def _one_hot(texts: pd.Series, known: np.ndarray) -> np.ndarray:
    return (texts.to_numpy(str)[:, None] == known[None, :]).astype(float)


def _numbers(encoded_texts: pd.DataFrame) -> np.ndarray:
    return encoded_texts.to_numpy(np.float64)
