"""Columns of texts that are numbers: "$1,200", "3,5", "45 %", and marks of gaps among numbers such as "?" and "unknown"."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

GAPS = frozenset(
    ["?", ".", "..", "...", "-", "--", "---", "*", "na", "n/a", "#n/a", "#na", "n.a.", "nan", "-nan", "<na>", "null", "none",
     "nil", "unknown", "missing", "undefined", "#value!", "#div/0!"]
)  # fmt: skip
MOSTLY = 0.8  # share of a column's values that are numbers, the others being errors or gaps, in a column of numbers
CURRENCY = re.compile(r"^([+-]?)\s*(?:[$€£¥]|USD|EUR|GBP|CHF)\s*|\s*(?:[$€£¥%]|USD|EUR|GBP|CHF)$")
THOUSANDS = {
    ",": r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?",
    ".": r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?",
    " ": r"[+-]?\d{1,3}([ \u00a0\u202f']\d{3})+([.,]\d*)?",  # spaces, two of which do not break a line, and Swiss apostrophes
}
UNIT = r"\d\s*([A-Za-z°µ][A-Za-z°µ/²³]*)$"  # "5 kg", where every value has the same
CODE = r"0\d{3,}"  # as of postal districts: a leading zero is no part of a number
DECIMAL_COMMA = r"[+-]?\d*,\d+([eE][+-]?\d+)?"


@dataclass(frozen=True)
class Numbers:
    """A column of texts as numbers.

    Attributes
    ----------
    values : (rows,) float64, nan where there is a gap or no number
    gaps : (rows,) bool, texts that mark gaps
    others : (rows,) bool, texts that are neither numbers nor known to mark gaps
    example : (text, number) or None
        A value that needed more than Python's reading of numbers.
    """

    values: np.ndarray
    gaps: np.ndarray
    others: np.ndarray
    example: tuple[str, float] | None


def as_numbers(column: pd.Series, decimal: str = ".") -> Numbers | None:
    """The numbers that a column of texts holds; None if it is one of texts.

    Parameters
    ----------
    column : Series of texts, missing values where nothing was written
    decimal : "." or ",", of the file; it decides what "1,200" and "1.200" mean

    Examples
    --------
    >>> as_numbers(pd.Series(["$1,200", "?", "900"])).values.tolist()
    [1200.0, nan, 900.0]
    >>> as_numbers(pd.Series(["1.200", "3,5"]), decimal=",").values.tolist()
    [1200.0, 3.5]
    >>> as_numbers(pd.Series(["red", "blue"])) is None
    True
    """
    texts = column.astype("string").str.strip()
    written = texts.notna().to_numpy(bool)
    gaps = written & texts.str.lower().isin(GAPS).to_numpy(bool, na_value=False)
    candidates = texts[written & ~gaps]
    if len(candidates) == 0 or candidates.str.fullmatch(CODE).any():
        return None
    different = pd.Series(candidates.unique(), dtype="string")
    plain = pd.to_numeric(different.astype(object), errors="coerce").to_numpy(float, copy=True)
    if decimal == ",":  # points then group thousands, if they could in every text that has some
        pointed = different.str.contains(".", regex=False).to_numpy(bool)
        if different[pointed].str.replace(CURRENCY, r"\1", regex=True).str.fullmatch(THOUSANDS["."]).all():
            plain[pointed] = np.nan
    numbers = np.where(np.isnan(plain), _cleaned(different, decimal), plain)
    value_of = dict(zip(different, numbers))
    values = np.full(len(texts), np.nan)
    values[written & ~gaps] = candidates.map(value_of).to_numpy(float)
    others = written & ~gaps & np.isnan(values)
    if (~np.isnan(values)).sum() < MOSTLY * (written & ~gaps).sum():
        return None
    changed = np.flatnonzero(np.isnan(plain) & ~np.isnan(numbers))
    example = (different[changed[0]], float(numbers[changed[0]])) if len(changed) else None
    return Numbers(values, gaps, others, example)


def _cleaned(texts: pd.Series, decimal: str) -> np.ndarray:
    """Numbers of texts (n,) without currency, per cent and thousands; commas are decimal where the file's are."""
    bare = texts.str.replace(CURRENCY, r"\1", regex=True).str.strip()
    units = bare.str.extract(UNIT)[0]
    if units.notna().all() and units.nunique() == 1:
        bare = bare.str.removesuffix(units[0]).str.strip()
    thousands, point = (",", ".") if decimal == "." else (".", ",")
    grouped = bare.str.fullmatch(THOUSANDS[thousands])
    commas = bare.str.fullmatch(DECIMAL_COMMA)
    only_decimal = decimal == "," or not bool(grouped[bare.str.contains(",", regex=False)].all())
    result = bare.where(~bare.str.fullmatch(THOUSANDS[" "]), bare.str.replace(r"[ \u00a0\u202f']", "", regex=True))
    result = result.where(~grouped, bare.str.replace(thousands, "", regex=False).str.replace(point, ".", regex=False))
    if only_decimal:
        result = result.where(~commas, bare.str.replace(",", ".", regex=False))
    return pd.to_numeric(result.astype(object), errors="coerce").to_numpy(float)
