"""What each column of a table holds: numbers, booleans, dates, texts, or nothing."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .numbers import GAPS, MOSTLY, as_numbers
from .scaling import ROUNDING

DATE = re.compile(
    r"\d{4}.*\D.*\d|\d.*\D.*\d{4}|\d\d?[/.-]\d\d?[/.-]\d\d"
)  # a year beside another number, or three of them
TIME = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?")
UNGUESSED = ("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y", "%b %d, %Y", "%d %b %Y")  # formats of dates
INDEX = re.compile(r"|index|idx|id|.+[_ .-]id|#|no|nr|obs|row[_ .]?(names?|id|number|num|nr|no)?|unnamed: \d+|level_0")
NAME_WORDS = 8  # texts that differ in every row are names if they have fewer words than that, on average
NAME_SHARE = 0.9
FEW_ROWS = 10  # in a table of fewer rows nothing follows from values that differ


@dataclass(frozen=True)
class Column:
    """A column with what it holds.

    Attributes
    ----------
    name : str
    kind : "number", "boolean", "date", "text" or "empty"
    values : (rows,) float64 with nan for gaps (booleans as 0 and 1, dates as days since the first), or texts with None
    marks : list of str
        Texts that stand for gaps in it, at most five; "" for an empty cell.
    others : dict of row to text
        In a column of numbers what are no numbers.
    reading : str
        How its values were read, where this took a decision.
    unit : str
        Of dates "days since" the first, of times "hours".
    first : float
        Of dates the first, in days since 1970.
    """

    name: str
    kind: str
    values: np.ndarray
    marks: list[str]
    others: dict[int, str]
    reading: str = ""
    unit: str = ""
    first: float = 0.0

    @property
    def gaps(self) -> np.ndarray:
        """Where nothing is known, (rows,) bool."""
        return pd.isna(self.values)

    def take(self, rows: np.ndarray) -> "Column":
        """The same column of some rows, (chosen,) int or (rows,) bool."""
        return replace(self, values=self.values[rows], others={})

    def since(self, first: float) -> "Column":
        """The same dates in days since another one, in days since 1970."""
        return replace(self, values=self.values + (self.first - first), first=first) if self.first else self


def column_of(name: str, series: pd.Series, decimal: str = ".", texts: bool = False) -> Column:
    """What a column holds.

    Parameters
    ----------
    decimal : "." or ","
        Of the file, see `learnability.data.numbers.as_numbers`.
    texts : bool
        Texts are not read as numbers or dates, because they are classes.

    Examples
    --------
    >>> column = column_of("age", pd.Series(["31", "?", "40"]))
    >>> column.kind, column.values.tolist(), column.marks
    ('number', [31.0, nan, 40.0], ['?'])
    """
    empty = series.isna().to_numpy()
    marks = [""] if empty.any() else []
    if empty.all():
        return Column(name, "empty", np.full(len(series), np.nan), marks, {})
    if pd.api.types.is_bool_dtype(series):
        return Column(name, "boolean", series.astype("Float64").to_numpy(float, na_value=np.nan), marks, {})
    if pd.api.types.is_datetime64_any_dtype(series):
        return Column(name, "date", _days(series), marks, {}, unit=_unit(series), first=_first(series))
    if pd.api.types.is_numeric_dtype(series):
        return Column(name, "number", series.to_numpy(float, na_value=np.nan), marks, {})
    written = series.astype(object).where(~empty, None).map(lambda value: None if value is None else str(value).strip())
    written = written.where(written.notna() & (written != ""), None)
    different = {value.lower() for value in written.dropna()}
    if not different or len(different) == 1 and different <= GAPS:
        return Column(name, "empty", np.full(len(series), np.nan), [""], {})
    if different - GAPS and different - GAPS <= {"true", "false"}:
        marks = [*marks, *sorted(different & GAPS)]
        return Column(name, "boolean", written.str.lower().map({"true": 1.0, "false": 0.0}).to_numpy(float), marks, {})
    if not texts:
        parsed = _numbers(name, written, marks, decimal) or _times(name, written) or _dates(name, written, marks)
        if parsed is not None:
            return parsed
    return Column(name, "text", written.to_numpy(object), marks, {}, _values_like_gaps(written))


def _numbers(name: str, written: pd.Series, marks: list[str], decimal: str) -> Column | None:
    numbers = as_numbers(written, decimal)
    if numbers is None:
        return None
    texts = written.to_numpy(object)
    marks = [*marks, *pd.unique(texts[numbers.gaps])][:5]
    others = {int(row): texts[row] for row in np.flatnonzero(numbers.others)}
    reading = (
        "" if numbers.example is None else f"{numbers.example[0]!r} in {name!r} was read as {numbers.example[1]:.6g}"
    )
    return Column(name, "number", numbers.values, marks, others, reading)


def _times(name: str, written: pd.Series) -> Column | None:
    texts = written.dropna()
    if not texts.map(lambda text: bool(TIME.fullmatch(text))).all():
        return None
    full = written.map(lambda text: text if text is None or text.count(":") == 2 else f"{text}:00")
    hours = pd.to_timedelta(full).dt.total_seconds() / 3600
    return Column(name, "date", hours.to_numpy(float), [""] if written.isna().any() else [], {}, unit="hours")


def _dates(name: str, written: pd.Series, marks: list[str]) -> Column | None:
    texts = written.dropna()
    gaps = texts.str.lower().isin(GAPS)
    texts, gaps = texts[~gaps], texts[gaps]
    likely = np.array([bool(DATE.search(text)) for text in texts], dtype=bool)
    if likely.sum() < MOSTLY * len(texts) or len(texts) == 0:
        return None
    dates, form = _parsed(texts[likely].rename(name).astype(object))
    if dates is None:
        return None
    days = pd.Series(np.nan, index=written.index)
    days[texts.index[likely]] = _days(dates)
    rows = {line: row for row, line in enumerate(written.index)}
    others = {rows[line]: text for line, text in texts[~likely].items()}
    american = form.startswith("%m/%d") and texts.str.contains("/").any()
    reading = f"dates in {name!r} were read as month, day, year" if american else ""
    marks = [*marks, *gaps.unique()][:5]
    return Column(name, "date", days.to_numpy(float), marks, others, reading, _unit(dates), _first(dates))


def _parsed(texts: pd.Series) -> tuple[pd.Series | None, str]:
    """Dates and their format, as skrub guesses it, or of UNGUESSED; None if not all are dates."""
    from skrub import ToDatetime  # here, because it takes more than a second
    from skrub.core import RejectColumn

    for form in (None, *UNGUESSED):
        reader = ToDatetime(form)
        try:
            dates = reader.fit_transform(texts)
        except RejectColumn:
            continue
        if dates.notna().all():
            return dates, reader.format_ or ""
    return None, ""


def _days(dates: pd.Series) -> np.ndarray:
    """Days since the first date."""
    return ((dates - dates.min()).dt.total_seconds() / 86400).to_numpy(float)


def _first(dates: pd.Series) -> float:
    return float((dates.min().tz_localize(None) - pd.Timestamp(0)) / pd.Timedelta(days=1))


def _unit(dates: pd.Series) -> str:
    return f"days since {dates.min():%Y-%m-%d}"


def _values_like_gaps(written: pd.Series) -> str:
    """What is said of texts such as NA and None in a column of texts, where they may be a country or an answer."""
    like = sorted({value for value in written.dropna().unique() if value.lower() in GAPS})
    if not like:
        return ""
    names = ", ".join(map(repr, like))
    return f"{names} in column {written.name!r} is taken as a value; leave such cells empty if they are gaps"


def numbers_rows(column: Column) -> bool:
    """Whether a column numbers the rows: called so, and all its values are different whole numbers."""
    return bool(INDEX.fullmatch(column.name.strip().lower())) and _different(column) and _whole(column)


def counts_rows(column: Column) -> bool:
    """Whether a column rises by one from row to row."""
    many = column.kind == "number" and len(column.values) >= FEW_ROWS
    return many and bool(np.all(np.diff(column.values) == 1))


def names_rows(column: Column) -> bool:
    """Whether texts are names: different in nine of ten rows, and short."""
    if column.kind != "text" or len(column.values) < FEW_ROWS:
        return False
    texts = pd.Series(column.values).dropna()
    different = texts.nunique() >= max(NAME_SHARE * len(column.values), 2)
    return bool(different and texts.str.split().str.len().mean() < NAME_WORDS)


def is_constant(column: Column) -> bool:
    """Whether a column has one value, to rounding, beside gaps."""
    values = column.values[~column.gaps]
    if column.kind == "text":
        return len(set(values)) == 1
    least, most = values.min(), values.max()
    return bool(most == least or most - least <= ROUNDING * max(abs(least), abs(most)) < np.inf)


def _different(column: Column) -> bool:
    return len(column.values) >= FEW_ROWS and len(np.unique(column.values)) == len(column.values)


def _whole(column: Column) -> bool:
    return column.kind == "number" and bool(np.all(column.values == np.round(column.values)))
