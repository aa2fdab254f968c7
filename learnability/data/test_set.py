"""A test set: another table with the columns of one that was understood, turned into numbers as that one was.

Gaps are filled by the training table's values, dates are counted from its first one, and texts have its columns: nothing of
the test set decides how it is read.
"""

from collections.abc import Mapping

import numpy as np

from ..common.errors import require
from .columns import Column, column_of
from .delimited import RawTable
from .files import read_table
from .remedies import problems
from .table import Table, rows_with_values


def read_like(path: str, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (rows, columns) and labels (rows,) of a test set, before scaling.

    Parameters
    ----------
    path : str
        A file as `learnability.data.files.read_table` reads it.
    table : Table
        What training sets are drawn from.

    Raises
    ------
    ValueError
        Columns that are missing, more than there were, of another kind, or with texts that the training table does not have;
        gaps without word of what to do with them. The message names file, column and line.
    """
    raw = read_table(path)
    _require_columns(path, [*raw.frame], table)
    columns = {name: _like(path, raw, column) for name, column in table.columns.items()}
    outputs = _like(path, raw, table.outputs)
    open_questions = problems(columns, outputs, raw, table.encode, table.missing)
    require(not open_questions, "\n".join(f"{path}: {question}" for question in open_questions))
    rows, _ = rows_with_values(columns, outputs, table.missing)
    require(bool(rows.any()), f"{path}: no row is complete")
    _require_known(path, raw, columns, table, rows)
    return table.encoding({name: column.take(rows) for name, column in columns.items()}), outputs.take(rows).values


def _require_columns(path: str, names: list[str], table: Table) -> None:
    needed = [*table.columns, table.label]
    missing = [name for name in needed if name not in names]
    unused = {*table.understood.dropped, *([] if table.groups is None else [table.groups.name])}
    more = [name for name in names if name not in needed and name not in unused]
    listed = "a test set needs the columns of the training table by name"
    require(
        not missing, f"{path}: lacks {', '.join(map(repr, missing))}; {listed}, the label {table.label!r} among them"
    )
    require(
        not more, f"{path}: has {', '.join(map(repr, more))}, which the training table lacks; remove them, for {listed}"
    )


def _like(path: str, raw: RawTable, wanted: Column) -> Column:
    """A column of the test set as the same kind as in the training table."""
    texts = wanted.kind == "text"
    series = raw.frame[wanted.name]
    column = column_of(wanted.name, series.astype(object) if texts else series, raw.decimal, texts=texts)
    if column.kind == "empty":
        return column
    require(
        column.kind == wanted.kind and (wanted.unit == "hours") == (column.unit == "hours"),
        f"{path}: column {wanted.name!r} holds {column.kind}s, such as {series.dropna().iloc[0]!r}, and {wanted.kind}s in the "
        f"training table; write them in the same way",
    )
    return column.since(wanted.first)


def _require_known(path: str, raw: RawTable, columns: Mapping[str, Column], table: Table, rows: np.ndarray) -> None:
    for name, column in columns.items():
        unknown = np.flatnonzero(table.encoding.unknown(column) & rows)
        if len(unknown):
            raise ValueError(
                f"{path}: column {name!r} holds {column.values[unknown[0]]!r} in {raw.place} {raw.frame.index[unknown[0]]}, "
                f"which the training table never does, in {len(unknown)} rows; what is learned of it cannot be known: remove "
                f"these rows, or leave the column out (--drop {name!r})"
            )
