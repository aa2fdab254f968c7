"""A CSV table as inputs and labels. What is done to texts and gaps is named by the user, never silent."""

import numpy as np
import pandas as pd

from ..common.errors import choose, require

FILL = "median or drop"
FILLS = ("mean", "median", "most_frequent", "drop")


def read_csv(path, label=None, encode=None, missing=None):
    """Read a table with a header line.

    Parameters
    ----------
    label : str, optional
        The column of labels; missing: the last.
    encode : "one_hot", optional
        Columns of texts become one column per value (scikit-learn's OneHotEncoder). Missing: they are an error.
    missing : "mean", "median", "most_frequent" or "drop", optional
        Gaps are filled (scikit-learn's SimpleImputer; in columns of texts always by the most frequent), or their rows
        left out. Missing: they are an error. Rows without a label can only be left out.

    Returns
    -------
    inputs (samples, columns) float64, labels (samples,), name of the label

    Raises
    ------
    ValueError
        An unreadable table, columns of texts, missing or infinite values; names file, column and line.
    """
    try:
        table = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error})") from error
    there = list(table)
    require(len(there) >= 2, f"{path}: needs columns of inputs and one of labels, separated by commas; it has {there}")
    require(len(table) > 0, f"{path}: has a line of column names and no rows of values")
    label = table.columns[-1] if label is None else choose("column", label, table.columns)
    if missing is not None and choose("missing", missing, FILLS) == "drop":
        table = table.dropna()
        require(len(table) > 0, f"{path}: no row is complete; fill the gaps with missing: median")
    inputs = table.drop(columns=label)
    numeric = [column for column in inputs if pd.api.types.is_numeric_dtype(inputs[column])]
    text = [column for column in inputs if column not in numeric]
    problems = _holes(table, FILL) if missing is None else _holes(table[[label]], "drop")
    if text and encode is None:
        problems.append(f"{_columns(text)} not numeric; write encode: one_hot (--encode one_hot), or drop them")
    require(not problems, "\n".join(f"{path}: {problem}" for problem in problems))
    parts = []
    from sklearn.impute import SimpleImputer  # here, because every job would wait a second for scikit-learn
    from sklearn.preprocessing import OneHotEncoder

    if numeric:
        numbers = inputs[numeric].to_numpy(float)
        parts.append(SimpleImputer(strategy=missing).fit_transform(numbers) if np.isnan(numbers).any() else numbers)
    if text:
        choose("encode", encode, ("one_hot",))
        values = inputs[text].fillna(inputs[text].mode().iloc[0]).astype(str)
        parts.append(OneHotEncoder(sparse_output=False).fit_transform(values))
    return np.hstack(parts), table[label].to_numpy(), label


def _holes(table, remedy):
    """What to say of missing and of infinite values: columns, the first line, the remedy."""
    problems = []
    for what, bad in (("missing", table.isna()), ("infinite", table.isin([np.inf, -np.inf]))):
        columns, rows = [*bad.columns[bad.any()]], np.flatnonzero(bad.any(axis=1))
        if columns:
            line, verb = table.index[rows[0]] + 2, "has" if len(columns) == 1 else "have"
            written = f"missing: {remedy} (--missing {remedy.split()[0]})" if what == "missing" else "a number there"
            problems.append(f"{_columns(columns, verb)} {what} values, the first in line {line}; write {written}")
    return problems


def _columns(names, verb=None):
    verb = verb or ("is" if len(names) == 1 else "are")
    return f"column{'s' if len(names) > 1 else ''} {', '.join(map(repr, names[:5]))} {verb}"
