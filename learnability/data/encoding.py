"""Columns as numbers: gaps filled, texts encoded.

A column of at most a hundred different texts becomes one column per text. One of more becomes thirty numbers by skrub's
StringEncoder (character n-grams weighted by TF-IDF, then a truncated singular value decomposition): as many columns as there
are texts would take gigabytes and say of most texts only that they are different.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .columns import Column

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
    """

    values: np.ndarray
    sources: np.ndarray
    content: list[np.ndarray]
    ways: dict[str, str]


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
    parts, content, ways = [], [], {}
    if numbers:
        parts.append(np.column_stack([_filled(column.values, missing) for column in numbers]))
        content.append(parts[0])
    sources = [*range(len(numbers))]
    for number, column in enumerate((c for c in columns if c.kind == "text"), start=len(numbers)):
        texts = pd.Series(column.values, name=column.name, dtype=object)
        if missing is not None and texts.isna().any():
            texts = texts.fillna(texts.mode().iloc[0])
        different = texts.nunique()
        if different <= MOST_COLUMNS:
            part = (texts.to_numpy(str)[:, None] == np.unique(texts.to_numpy(str))[None, :]).astype(float)
            content.append(part)
            ways[column.name] = f"one-hot of {different}"
        else:
            part = _of_strings(texts)
            content.append(texts.to_numpy(str))
            ways[column.name] = f"{part.shape[1]} numbers from the letters of {different} texts"
        parts.append(part)
        sources += [number] * part.shape[1]
    values = np.hstack(parts)
    exact = all(part is made for part, made in zip(content, parts))
    return Encoded(values, np.array(sources), [values] if exact else content, ways)


def _filled(values: np.ndarray, missing: str | None) -> np.ndarray:
    """The values with their gaps filled by scikit-learn's SimpleImputer."""
    if not np.isnan(values).any():
        return values
    from sklearn.impute import SimpleImputer  # here, because every job would wait a second for scikit-learn

    return SimpleImputer(strategy=missing).fit_transform(values[:, None])[:, 0]


def _of_strings(texts: pd.Series) -> np.ndarray:
    from skrub import StringEncoder

    return StringEncoder(STRING_NUMBERS, random_state=0).fit_transform(texts.astype(str)).to_numpy(np.float64)
