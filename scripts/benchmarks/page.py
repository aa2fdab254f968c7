"""A page that is measured part by part within a time limit, and says what it left out."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from .measured import markdown


class Clock:
    """The time limit of a page."""

    def __init__(self, seconds):
        self.end = monotonic() + seconds

    def left(self):
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
    rows: list = field(default_factory=list)
    remarks: list = field(default_factory=list)

    def each(self, cases, growth=1.0):
        """The cases one by one, as long as the next one, `growth` times as long as the last, would be done in time."""
        took, cases = 0.0, list(cases)
        for number, case in enumerate(cases):
            began = monotonic()
            if not self.has_time_for(growth * took):
                self.left_out(cases[number:])
                return
            yield case
            took = monotonic() - began

    def left_out(self, cases):
        """Say which cases there was no time for."""
        names = [getattr(case, "__name__", str(case)) for case in cases]
        self.remarks.append(f"Left out for want of time: {', '.join(names)}.")

    def has_time_for(self, seconds):
        """Whether something that takes so long would be done in time."""
        return monotonic() + seconds <= self.end

    @contextmanager
    def failures_are_remarks(self):
        """An error ends what is inside, and is a line of the page."""
        try:
            yield
        except Exception as error:
            self.remarks.append(f"**Failed**: {type(error).__name__}: {error}")

    def __str__(self):
        table = markdown(self.rows) if self.rows else "Nothing measured."
        return "\n\n".join([f"## {self.title}", self.text, table, *self.remarks])


class Page:
    """A Markdown file that is complete after every part."""

    def __init__(self, path, heading, seconds):
        self.path, self.heading, self.parts, self.clock = Path(path), heading, [], Clock(seconds)

    def measure(self, title, text, measurement, share):
        """Run measurement(part), which should take `share` of the time that is left; write the page."""
        part = Part(title, text, monotonic() + share * self.clock.left())
        self.parts.append(part)
        print(f"{title} ...", flush=True)
        with part.failures_are_remarks():
            measurement(part)
        self.write()

    def write(self, *remarks):
        """Write what is measured so far."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("\n\n".join([self.heading, *remarks, *map(str, self.parts)]) + "\n", encoding="utf-8")
