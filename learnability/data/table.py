"""A table as inputs and labels. What is done to texts and gaps of inputs is named by the user; what is decided is said."""

from dataclasses import dataclass, replace

import numpy as np

from ..common.errors import choose, require
from .columns import Column, column_of, counts_rows, is_constant, names_rows, numbers_rows
from .encoding import Encoding, encoded
from .files import read_table
from .labels import TASKS
from .leaks import copies_of_label, repeated_measurements
from .remedies import problems, unnamed_groups
from .understanding import Inputs

KINDS = ("number", "boolean", "date", "text")
FILLS = ("mean", "median", "most_frequent", "drop")


@dataclass(frozen=True)
class Table:
    """Inputs and labels of a table, before scaling.

    Attributes
    ----------
    inputs : (rows, columns) float64
    sources : (columns,) int
        The column of the file that each one was made of, counted from 0.
    content : list of arrays
        What the inputs were made of, without rounding of processors.
    labels : (rows,), numbers, booleans or texts
    label : str
    unit : str
        Of labels that are dates, else empty.
    rows_read : int
    left_out : dict of reason to number of rows
    understood : Inputs
    remarks : list of str
    columns : dict of name to Column, of inputs
    outputs : Column, of labels
    encoding : Encoding of `columns`
    encode, missing : str or None, as they were asked for
    groups : Column or None, which names the group of every row
    """

    inputs: np.ndarray
    sources: np.ndarray
    content: list[np.ndarray]
    labels: np.ndarray
    label: str
    unit: str
    rows_read: int
    left_out: dict[str, int]
    understood: Inputs
    remarks: list[str]
    columns: dict[str, Column]
    outputs: Column
    encoding: Encoding
    encode: str | None
    missing: str | None
    groups: Column | None

    def without_rows(self) -> "Table":
        """What further tables are read by: kinds, encoding and names, and no values."""
        none = np.empty(0, dtype=int)
        return replace(
            self,
            inputs=self.inputs[none],
            content=[],
            labels=self.labels[none],
            columns={name: column.take(none) for name, column in self.columns.items()},
            outputs=self.outputs.take(none),
            groups=None if self.groups is None else self.groups.take(none),
        )

    @property
    def all_numbers(self) -> bool:
        """Whether every column of inputs holds numbers as they are."""
        return not any(names for kind, names in self.understood.kinds.items() if kind != "numbers")


def understood_table(
    path: str,
    label: str | None = None,
    encode: str | None = None,
    missing: str | None = None,
    task: str | None = None,
    drop: list[str] | None = None,
    groups: str | None = None,
) -> Table:
    """Read a table and turn its columns into numbers.

    Parameters
    ----------
    path : str
        A file as `learnability.data.files.read_table` reads it.
    label : str, optional
        The column of labels; missing: the last.
    encode : "one_hot", optional
        Columns of texts become one column per value, or thirty numbers where there are more than a hundred values (see
        `learnability.data.encoding`). Missing: they are an error.
    missing : "mean", "median", "most_frequent" or "drop", optional
        Gaps of inputs are filled (in columns of texts always by the most frequent), or their rows left out; rows without a
        label are left out in either case. Missing: gaps are an error.
    task : "regression" or "classification", optional
        Of the label, see `learnability.data.labels`.
    drop : list of str, optional
        Columns that are not used.
    groups : str, optional
        The column that names what was measured repeatedly: training sets are then made of whole groups, and errors are those on
        others. It is no input.

    Raises
    ------
    ValueError
        An unreadable table, texts or gaps without word of what to do with them, infinite values; names file, column and line.
    """
    raw = read_table(path)
    label = raw.frame.columns[-1] if label is None else choose("column", str(label), raw.frame)
    for option, value, allowed in (("missing", missing, FILLS), ("task", task, TASKS)):
        if value is not None:
            choose(option, value, allowed)
    group = None if groups is None else choose("column", str(groups), raw.frame)
    dropped = {choose("column", str(name), raw.frame): "as asked for" for name in drop or ()}
    require(label not in dropped, f"{path}: {label!r} is the label and cannot be dropped; choose another with --label")
    require(
        group is None or group != label and group not in dropped,
        f"{path}: {group!r} names the groups, which are no input; it cannot be {'the label' if group == label else 'dropped'}, "
        f"too; {'choose another with --label' if group == label else 'leave --drop out'}",
    )
    columns = {
        name: column_of(name, series, raw.decimal, texts=name == label and task == "classification")
        for name, series in raw.frame.items()
        if name not in dropped
    }
    outputs = columns.pop(label)
    named = None if group is None else columns.pop(group)
    if named is not None and named.others:
        named = column_of(named.name, raw.frame[group], raw.decimal, texts=True)
    require(outputs.kind != "empty", f"{path}: the label {label!r} is empty; choose another with --label")
    remarks = raw.remarks + _leave_out_uninformative(columns, dropped, raw.row_names)
    require(bool(columns), f"{path}: no column of inputs is left; dropped: {_reasons(dropped)}")
    open_questions = problems(columns, outputs, raw, encode, missing)
    if named is not None and missing != "drop":
        open_questions += unnamed_groups(named, raw)
    require(not open_questions, "\n".join(f"{path}: {question}" for question in open_questions))
    remarks += [_taken_as_gaps(column) for column in (*columns.values(), outputs) if column.others]
    with_values = columns if named is None else {**columns, named.name: named}
    rows, left_out = rows_with_values(with_values, outputs, missing)
    require(bool(rows.any()), f"{path}: no row is complete; fill the gaps with missing: median")
    columns, outputs = {name: column.take(rows) for name, column in columns.items()}, outputs.take(rows)
    named = None if named is None else named.take(rows)
    require(
        named is None or len(set(named.values)) > 1,
        f"{path}: the groups {group!r} have one value in {int(rows.sum())} rows, and new groups cannot be told from it; leave "
        "groups out (--groups)",
    )
    if left_out:
        remarks += _leave_out_uninformative(columns, dropped, None)
    remarks += [column.reading for column in (*columns.values(), outputs) if column.reading]
    remarks += _remarks_on_leaks(columns, outputs, grouped=named is not None)
    made = encoded(list(columns.values()), encode, missing)
    inputs = _account(columns, made.ways, missing, dropped)
    labels: np.ndarray = outputs.values.astype({"boolean": bool, "text": str}.get(outputs.kind, float))
    return Table(
        made.values, made.sources, made.content, labels, label, outputs.unit, len(raw.frame), left_out, inputs, remarks,
        columns, outputs, made.encoding, encode, missing, named,
    )  # fmt: skip


def _account(columns: dict[str, Column], ways: dict[str, str], missing: str | None, dropped: dict[str, str]) -> Inputs:
    """What became of the columns, for the reader."""
    kinds = {f"{kind}s": [name for name, column in columns.items() if column.kind == kind] for kind in KINDS}
    filled = {name: int(column.gaps.sum()) for name, column in columns.items() if column.gaps.any()}
    ways = ways | {name: column.unit for name, column in columns.items() if column.unit}
    return Inputs(kinds, ways, filled, f"the {missing.replace('_', ' ')}" if missing else "", dropped)


def _reasons(dropped: dict[str, str]) -> str:
    return ", ".join(f"{name} ({reason})" for name, reason in dropped.items())


def _leave_out_uninformative(columns: dict[str, Column], dropped: dict[str, str], row_names: str | None) -> list[str]:
    """Move columns that say nothing of the label to `dropped`, unless none would be left; returns remarks."""
    remarks = []
    reasons = {}
    for name, column in columns.items():
        if name == row_names:
            reasons[name] = "before the others and without a name"
        elif column.gaps.all():
            reasons[name] = "empty"
        elif is_constant(column):
            reasons[name] = "one value"
        elif numbers_rows(column):
            reasons[name] = "numbers the rows"
        elif names_rows(column):
            reasons[name] = "names the rows: a text that differs in nearly every one"
        elif counts_rows(column):
            remarks.append(
                f"{name!r} rises by one from row to row; if it is no time but a number of rows, write --drop {name!r}"
            )
    if len(reasons) == len(columns):
        reasons = {
            name: reason
            for name, reason in reasons.items()
            if reason in ("empty", "before the others and without a name")
        }
    for name in reasons:
        del columns[name]
    dropped.update(reasons)
    renamed = [name for name, reason in reasons.items() if reason.startswith("n")]
    if renamed:
        remarks.append(
            f"{', '.join(map(repr, renamed))} not used, see above; rename the column if it is more than a name of rows"
        )
    return remarks


def _taken_as_gaps(column: Column) -> str:
    first = next(iter(column.others.values()))
    return f"{len(column.others)} values of {column.name!r} that are no {column.kind}s, such as {first!r}, were taken as gaps"


def rows_with_values(
    columns: dict[str, Column], outputs: Column, missing: str | None
) -> tuple[np.ndarray, dict[str, int]]:
    """The rows that are used, (rows,) bool, and why the others are not."""
    unlabelled = outputs.gaps
    left_out = {f"no {outputs.name!r}, the label": int(unlabelled.sum())} if unlabelled.any() else {}
    rows = ~unlabelled
    if missing == "drop":
        incomplete = rows & np.any([column.gaps for column in columns.values()], axis=0)
        rows &= ~incomplete
        left_out |= {"gaps": int(incomplete.sum())} if incomplete.any() else {}
    return rows, left_out


def _remarks_on_leaks(columns: dict[str, Column], outputs: Column, grouped: bool) -> list[str]:
    """What may leak the label, and rows that may belong together."""
    comparable = [(name, _without_gaps(column)) for name, column in columns.items()]
    labels = outputs.values
    copies = copies_of_label(comparable, labels)
    remarks = [
        f"{name!r} says the label {outputs.name!r} itself; write --drop {name!r} unless it is known before"
        for name in copies
    ]
    repeated = {} if grouped else repeated_measurements(comparable)
    if repeated:
        name, number = max(repeated.items(), key=lambda item: item[1])
        remarks.append(
            f"{name!r} has {number} values in {len(labels)} rows and seems to name what was measured repeatedly; "
            f"errors are those on further rows of the same {number}, and larger on new ones: --groups {name!r} predicts these"
        )
    return remarks


def _without_gaps(column: Column) -> np.ndarray:
    if column.kind == "text":
        return np.array(["" if value is None else value for value in column.values], dtype=object)
    return np.where(column.gaps, -np.pi, column.values)
