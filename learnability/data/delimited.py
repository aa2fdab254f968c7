"""Delimited text of any common dialect: its encoding, separator, decimal comma, header and row names.

Every line must have as many fields as the header. A line with more or fewer is an error, because columns that are shifted in a
part of a table give numbers that look right.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pandas as pd

from ..common.errors import require
from .numbers import CODE, THOUSANDS

SEPARATORS = (",", ";", "\t", "|", " ")
SAMPLE = 200  # lines from which separator and header are recognized
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # at the beginning of a file


@dataclass(frozen=True)
class RawTable:
    """A table as it was read, before anything is made of its values.

    Attributes
    ----------
    frame : DataFrame
        Columns by name; its index holds the lines of the file (of other formats: the rows, counted from 1).
    place : "line" or "row", what the index counts
    row_names : str or None
        The column without a name, as R and pandas write it before the others.
    decimal : "." or ","
    remarks : list of str
        What was decided in reading.
    """

    frame: pd.DataFrame
    place: str = "row"
    row_names: str | None = None
    decimal: str = "."
    remarks: list[str] = field(default_factory=list)


def read_delimited(path: str, content: bytes) -> RawTable:
    """A table from the bytes of a delimited text file.

    Raises
    ------
    ValueError
        No columns or rows, lines of unequal numbers of fields, two columns of one name and different values; the message names
        the line.
    """
    remarks: list[str] = []
    encoding = _encoding(content, remarks)
    try:
        beginning = [line for line in islice(_text(content, encoding), SAMPLE) if line.strip()]
    except UnicodeError as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error}); save it as UTF-8") from error
    require(bool(beginning), f"{path}: cannot be read as CSV (the file is empty)")
    separator = _separator(beginning)
    rows = list(csv.reader(beginning, delimiter=separator, skipinitialspace=True))
    layout = Layout.of(_text(content, encoding), separator)
    layout.settle(path, remarks)
    lines, names = np.array(layout.lines), layout.names
    header = _is_header(rows)
    if not header:
        names = [f"column {number}" for number in range(1, len(rows[0]) + 1)]
        remarks.append(f"no line of column names: they are called {names[0]!r} to {names[-1]!r}")
    skipped = lines[0] if header else 0
    lines = lines[1:] if header else lines
    decimal = _decimal(rows, separator, remarks)
    require(len(names) >= 2, f"{path}: needs columns of inputs and one of labels, separated by commas; it has {names}")
    require(len(lines) > 0, f"{path}: has a line of column names and no rows of values")
    unique = _unique(names)
    try:
        frame = pd.read_csv(
            io.BytesIO(content), sep=separator, encoding=encoding, header=None, names=unique, index_col=False,
            skiprows=skipped, decimal=decimal, keep_default_na=False, na_values=[""], low_memory=False,
            skipinitialspace=True, usecols=range(len(unique)), dtype=_codes(unique, rows),
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error})") from error
    frame.index = pd.Index(lines)
    require(
        not layout.row_names or frame.iloc[:, 0].is_unique,
        f"{path}: every line has one field more than the first, and the first fields are no row names, because they repeat; "
        f"name all columns in the first line",
    )
    frame = _without_repetitions(path, frame, names, remarks)
    row_names = unique[0] if names[0] == "" else None
    return RawTable(frame, "line", row_names, decimal, remarks)


def _text(content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")


def _encoding(content: bytes, remarks: list[str]) -> str:
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return encoding
    if b"\0" in content[:100]:
        return "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    try:
        content.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        remarks.append("the text is no UTF-8 and was read as Windows-1252: check names with accents")
        return "cp1252"


def _separator(beginning: list[str]) -> str:
    """The separator with which most lines have the same number of fields, more than one; the first of equals."""
    best, agreed = ",", 0.0
    for separator in SEPARATORS:
        counts = [len(row) for row in csv.reader(beginning, delimiter=separator, skipinitialspace=True)]
        body = counts[1:] or counts
        usual = max(set(body), key=body.count)
        agreement = body.count(usual) / len(body) if usual > 1 and counts[0] > 1 else 0.0
        if agreement > agreed:
            best, agreed = separator, agreement
    return best


@dataclass
class Layout:
    """The lines of a file on which rows end, the first of them the header's, their numbers of fields, the header."""

    lines: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    empty_ends: bool = True  # whether all rows but the header end in an empty field
    row_names: bool = False  # whether rows begin with names that the header does not count, as R writes them

    @classmethod
    def of(cls, text: Iterable[str], separator: str) -> "Layout":
        """Read all rows of a text."""
        rows = csv.reader(text, delimiter=separator, skipinitialspace=True)
        layout = cls()
        for row in rows:
            if len(row) > 1 or row and row[0].strip():
                layout.empty_ends = layout.empty_ends and (not layout.names or row[-1].strip() == "")
                layout.names = layout.names or [name.strip() for name in row]
                layout.lines.append(rows.line_num)
                layout.lengths.append(len(row))
        return layout

    def settle(self, path: str, remarks: list[str]) -> None:
        """Give every row as many fields as there are names; ValueError that names the first line for which this fails."""
        first, others = self.lengths[0], self.lengths[1:]
        longer = bool(others) and set(others) == {first + 1}
        closed = bool(others) and set(others) == {first} and self.names[-1] == ""
        if self.empty_ends and (longer or closed):
            remarks.append("lines end in a separator, which was left out")
            self.names = self.names[:-1] if closed else self.names
            return
        if longer:
            self.names, self.row_names = ["", *self.names], True
            return
        wrong = [number for number, length in enumerate(others, start=1) if length != first]
        if not wrong:
            return
        number, length = self.lines[wrong[0]], self.lengths[wrong[0]]
        require(
            len(wrong) > 1 and set(others) == {length},
            f"{path}: line {number} has {length} field{'s' * (length > 1)} and the first line {first}; mend "
            f"{'this line' if len(wrong) == 1 else f'these {len(wrong)} lines'}, or quote values that hold a separator",
        )
        raise ValueError(
            f"{path}: the first line has {first} field{'s' * (first > 1)} and all others {length}; name every column once"
        )


def _is_number(text: str) -> bool:
    return bool(NUMBER.fullmatch(text.strip()) or DECIMAL_COMMA.fullmatch(text.strip()))


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns.

    It does not if every column of numbers has a number there, too, and a column of texts, if there is one, a text that it has
    elsewhere, too. Numbers at equal distances, and five or more that rise or fall, name columns: years, wavelengths.
    """
    first, body = rows[0], rows[1:]
    if not body or any(len(row) != len(first) for row in body):
        return True
    columns = [{value.strip() for value in column if value.strip()} for column in zip(*body)]
    numeric = [bool(values) and all(map(_is_number, values)) for values in columns]
    heads = [name for name, number in zip(first, numeric) if number]
    if not heads or not all(map(_is_number, heads)):
        return True
    texts = [(name, values) for name, values, number in zip(first, columns, numeric) if values and not number]
    if texts:
        return not any(name.strip() in values for name, values in texts)
    steps = np.diff([float(head.replace(",", ".")) for head in heads])
    counted = len(steps) > 0 and bool((steps == 1).all())
    spaced = len(steps) > 1 and steps[0] != 0 and np.allclose(steps, steps[0])
    return bool(counted or spaced or len(steps) > 3 and abs(np.sign(steps).sum()) == len(steps))


def _decimal(rows: list[list[str]], separator: str, remarks: list[str]) -> str:
    """The decimal point of a file: a comma where it parts no fields and numbers have some, unless they may group thousands."""
    values = [value.strip() for row in rows[1:] for value in row]
    commas = [value for value in values if DECIMAL_COMMA.fullmatch(value)]
    points = [value for value in values if "." in value and NUMBER.fullmatch(value)]
    grouped = all(re.fullmatch(THOUSANDS["."], value) for value in points)
    thousands = separator != ";" and all(re.fullmatch(THOUSANDS[","], value) for value in commas)
    if separator not in ";\t" or not commas or not grouped or thousands:
        return "."
    remarks.append(f"commas are decimal points: {commas[0]!r} is {commas[0].replace(',', '.')}")
    return ","


def _codes(names: list[str], rows: list[list[str]]) -> dict[str, type]:
    """Columns of codes with leading zeros, which pandas would take away."""
    coded = {number for row in rows[1:] for number, value in enumerate(row) if re.fullmatch(CODE, value.strip())}
    return {name: str for number, name in enumerate(names) if number in coded}


def _unique(names: list[str]) -> list[str]:
    """Names that differ: "price" again is "price (2)", no name is "row names" before the others and "column 3" among them."""
    unique: list[str] = []
    for number, name in enumerate(names, start=1):
        plain = name or ("row names" if number == 1 else f"column {number}")
        count = sum(plain == other or other.startswith(f"{plain} (") for other in unique)
        unique.append(f"{plain} ({count + 1})" if plain in unique else plain)
    return unique


def _without_repetitions(path: str, frame: pd.DataFrame, names: list[str], remarks: list[str]) -> pd.DataFrame:
    """The table without columns that repeat another with the same name; ValueError where their values differ."""
    unique, repeated = list(frame), []
    for number, name in enumerate(names):
        first = names.index(name)
        if name and first < number:
            require(
                frame[unique[number]].equals(frame[unique[first]]),
                f"{path}: columns {first + 1} and {number + 1} are both called {name!r} and differ; rename one of them",
            )
            repeated.append(unique[number])
            remarks.append(f"column {number + 1} repeats column {first + 1}, {name!r}, and was left out")
    return frame.drop(columns=repeated)
