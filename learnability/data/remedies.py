"""What a user has to decide about a table or to mend in it: a line each, with column, line of the file and remedy."""

import numpy as np

from ..common.errors import choose
from .columns import Column
from .delimited import RawTable


def problems(
    columns: dict[str, Column], outputs: Column, raw: RawTable, encode: str | None, missing: str | None
) -> list[str]:
    """What the user has to decide or to mend, a line each, with the remedy."""
    lines, used = [], [*columns.values(), outputs]
    place = raw.frame.index
    infinite = [column for column in used if column.kind == "number" and np.isinf(column.values).any()]
    for column in infinite:
        line = place[np.flatnonzero(np.isinf(column.values))[0]]
        lines.append(
            f"column {column.name!r} has infinite values, the first in {raw.place} {line}; write a number there"
        )
    if missing is None:
        lines += _gaps([*columns.values()], raw, "median or drop", "")
        lines += _gaps(
            [outputs], raw, "drop", "; rows without a label are also left out where missing: median fills inputs"
        )
        for column in used:
            if column.others:
                row, text = next(iter(column.others.items()))
                lines.append(
                    f"column {column.name!r} holds {column.kind}s, and {len(column.others)} of its values are none, the first "
                    f"in {raw.place} {place[row]}: {text!r}; mend it, or take such values as gaps: write missing: median or "
                    f"drop (--missing median)"
                )
    texts = [column.name for column in columns.values() if column.kind == "text"]
    if texts and encode is None:
        names = " ".join(f"--drop {name!r}" for name in texts[:5])
        lines.append(
            f"{_columns(texts)} not numeric; write encode: one_hot (--encode one_hot), or drop them ({names}); if one "
            "names what was measured repeatedly, such as persons, write --groups and its name"
        )
    if encode is not None:
        choose("encode", encode, ("one_hot",))
    return lines


def unnamed_groups(column: Column, raw: RawTable) -> list[str]:
    """A line where rows have no group."""
    if not column.gaps.any():
        return []
    return [
        f"column {column.name!r} names the groups and is empty in {int(column.gaps.sum())} rows, the first in {raw.place} "
        f"{raw.frame.index[np.flatnonzero(column.gaps)[0]]}; name the group there, or leave these rows out: missing: drop "
        "(--missing drop)"
    ]


def _gaps(columns: list[Column], raw: RawTable, remedy: str, more: str) -> list[str]:
    with_gaps = [column for column in columns if (column.gaps & ~_at(column)).any()]
    if not with_gaps:
        return []
    rows = np.flatnonzero(np.any([column.gaps & ~_at(column) for column in with_gaps], axis=0))
    marks = [*dict.fromkeys(mark for column in with_gaps for mark in column.marks if mark)]
    shown = f" ({', '.join(map(repr, marks[:5]))})" if marks else ""
    verb = "has" if len(with_gaps) == 1 else "have"
    return [
        f"{_columns([column.name for column in with_gaps], verb)} missing values{shown}, the first in {raw.place} "
        f"{raw.frame.index[rows[0]]}; write missing: {remedy} (--missing {remedy.split()[0]}){more}"
    ]


def _at(column: Column) -> np.ndarray:
    """The rows of a column's `others`, (rows,) bool."""
    rows = np.zeros(len(column.values), bool)
    rows[[*column.others]] = True
    return rows


def _columns(names: list[str], verb: str | None = None) -> str:
    verb = verb or ("is" if len(names) == 1 else "are")
    return f"column{'s' if len(names) > 1 else ''} {', '.join(map(repr, names[:5]))} {verb}"
