"""A page that is measured part by part within a time limit, and says what it left out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from .measured import Row, markdown

Case = TypeVar("Case")


class Clock:
    """The time limit of a page."""

    def __init__(self, seconds: float) -> None:
        self.end = monotonic() + seconds

    def left(self) -> float:
        """Seconds until the limit."""
        return self.end - monotonic()


@dataclass
class Part:
    """A table of the page, measured row by row.

    Attributes
    ----------
    title, text : str
    end : float
        Moment at which it should be done.
    rows : list of dict
    remarks : list of str
        What was left out, or failed.
    """

    title: str
    text: str
    end: float
    rows: list[Row] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def each(self, cases: Iterable[Case], growth: float = 1.0) -> Iterator[Case]:
        """The cases one by one, as long as the next one, `growth` times as long as the last, would be done in time."""
        took, ordered = 0.0, list(cases)
        for number, case in enumerate(ordered):
            began = monotonic()
            if not self.has_time_for(growth * took):
                self.left_out(ordered[number:])
                return
            yield case
            took = monotonic() - began

    def left_out(self, cases: Sequence[Any]) -> None:
        """Say which cases there was no time for."""
        names = [getattr(case, "__name__", str(case)) for case in cases]
        self.remarks.append(f"Left out for want of time: {', '.join(names)}.")

    def has_time_for(self, seconds: float) -> bool:
        """Whether something that takes so long would be done in time."""
        return monotonic() + seconds <= self.end

    @contextmanager
    def failures_are_remarks(self) -> Iterator[None]:
        """An error ends what is inside, and is a line of the page."""
        try:
            yield
        except Exception as error:
            self.remarks.append(f"**Failed**: {type(error).__name__}: {error}")

    def __str__(self) -> str:
        table = markdown(self.rows) if self.rows else "Nothing measured."
        return "\n\n".join([f"## {self.title}", self.text, table, *self.remarks])


class Page:
    """A Markdown file that is complete after every part."""

    def __init__(self, path: Path, heading: str, seconds: float) -> None:
        self.path, self.heading, self.clock = path, heading, Clock(seconds)
        self.parts: list[Part] = []

    def measure(self, title: str, text: str, measurement: Callable[[Part], None], share: float) -> None:
        """Run measurement(part), which should take `share` of the time that is left; write the page."""
        part = Part(title, text, monotonic() + share * self.clock.left())
        self.parts.append(part)
        print(f"{title} ...", flush=True)
        with part.failures_are_remarks():
            measurement(part)
        self.write()

    def write(self, *remarks: str) -> None:
        """Write what is measured so far."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("\n\n".join([self.heading, *remarks, *map(str, self.parts)]) + "\n", encoding="utf-8")
