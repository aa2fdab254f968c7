"""What was understood of a file, in three lines and as fields: rows, label, inputs; and remarks on what may not be meant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .labels import MOST_CLASSES, Labels

SHOWN = 6  # names that are listed


@dataclass(frozen=True)
class Inputs:
    """What became of the columns of inputs.

    Attributes
    ----------
    kinds : dict of kind ("numbers", "booleans", "dates", "texts") to names
    encoded : dict of name to how its texts became numbers
    filled : dict of name to the number of gaps that were filled
    fill : str, how
    dropped : dict of name to why
    shape : str
        Of arrays without names of columns, in words.
    """

    kinds: dict[str, list[str]] = field(default_factory=dict)
    encoded: dict[str, str] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    fill: str = ""
    dropped: dict[str, str] = field(default_factory=dict)
    shape: str = ""


@dataclass(frozen=True)
class Understanding:
    """What was understood as data.

    Attributes
    ----------
    source : str, the file or data set
    rows_read, rows_used : int
    left_out : dict of reason to number of rows
    repeated : int
        Rows whose inputs are those of an earlier row, and of them
    contradicting : int
        those with another label.
    label : str, its column
    labels : Labels, numbers or classes, with the reason
    inputs : Inputs
    scaling : str
    remarks : list of str
        Decisions that may not be meant, and what may leak the label.
    groups : str
        The column that names groups, else empty.
    rows_of_groups : list of int
        How many rows each group has.
    """

    source: str
    rows_read: int
    left_out: dict[str, int]
    repeated: int
    contradicting: int
    label: str
    labels: Labels
    inputs: Inputs
    scaling: str
    remarks: list[str]
    groups: str = ""
    rows_of_groups: list[int] = field(default_factory=list)

    @property
    def rows_used(self) -> int:
        """Samples of the data set."""
        return len(self.labels.values)

    @property
    def task(self) -> str:
        """ "regression" or "classification"."""
        return self.labels.task

    @cached_property
    def lines(self) -> list[str]:
        """Rows, label and inputs, a line each."""
        return [self._rows(), self._label(), self._inputs()]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _rows(self) -> str:
        out = [f"{number} left out: {reason}" for reason, number in self.left_out.items()]
        repeated = f"; {self.repeated} repeat the inputs of an earlier row" if self.repeated else ""
        if self.contradicting:
            repeated += f", {self.contradicting} of them with another label"
        used = f"{self.source}: {self.rows_used} of {self.rows_read} rows used{f' ({listed(out)})' if out else ''}"
        return f"{used}{self._groups()}{repeated}"

    def _groups(self) -> str:
        if not self.rows_of_groups:
            return ""
        fewest, most = min(self.rows_of_groups), max(self.rows_of_groups)
        each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        return f"; {len(self.rows_of_groups)} groups by {self.groups!r}, of {each} rows each, drawn as a whole"

    def _label(self) -> str:
        labels, values = self.labels, self.labels.values
        if values.ndim == 2:
            return f"label {self.label!r}: {labels.reason} of numbers"
        if labels.task == "regression":
            numbers = f"{values.min():.4g} to {values.max():.4g}, {len(np.unique(values))} different values"
            whole = len(np.unique(values)) <= MOST_CLASSES and bool(np.all(values == np.round(values)))
            other = "; --task classification makes classes of it" if whole else ""
            return f"label {self.label!r}: a number ({numbers}; {labels.reason}){other}"
        names, counts = np.unique(values.astype(str), return_counts=True)
        classes = listed([f"{name}: {count}" for name, count in zip(names, counts)])
        other = "; --task regression takes it as a number" if values.dtype.kind in "iuf" else ""
        return f"label {self.label!r}: {len(names)} classes ({classes}; {labels.reason}){other}"

    def _inputs(self) -> str:
        inputs = self.inputs
        parts = [inputs.shape] if inputs.shape else []
        for kind, names in inputs.kinds.items():
            how = [f"{name}: {inputs.encoded[name]}" if name in inputs.encoded else name for name in names]
            if names:
                parts.append(f"{len(names)} {kind if len(names) > 1 else kind.removesuffix('s')} ({listed(how)})")
        text = f"inputs: {', '.join(parts)}, scaled {self.scaling}"
        if inputs.filled:
            filled = [f"{name} {number}" for name, number in inputs.filled.items()]
            text += f"; gaps filled by {inputs.fill}: {listed(filled)}"
        if inputs.dropped:
            dropped = [f"{name} ({reason})" for name, reason in inputs.dropped.items()]
            text += f"; dropped: {listed(dropped)}"
        return text


def listed(names: Sequence[str]) -> str:
    """The first names, and how many there are beside them."""
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
