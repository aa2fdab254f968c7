"""A line about a run of Snakemake now and then: how many of its jobs are done, and for how long the others still take."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ..common.progress import LINE_EVERY
from ..studies.job import Job
from ..studies.remaining import Remaining


class ProgressLines(logging.Handler):
    """Reads the events of Snakemake's logger, and tells it what follows from them for the time that is left.

    Parameters
    ----------
    remaining : Remaining
        The jobs that the run starts.
    job_of : function (rule, wildcards) -> Job or None
        The job of the plan that a rule with these wildcards is, if it is one.
    tell : function of a line
    """

    def __init__(
        self,
        remaining: Remaining,
        job_of: Callable[[str, Mapping[str, str]], Job | None],
        tell: Callable[[str], Any],
    ) -> None:
        super().__init__()
        self.remaining, self.job_of, self.tell = remaining, job_of, tell
        self._running: dict[int, Job] = {}
        self._told = -LINE_EVERY

    def emit(self, record: logging.LogRecord) -> None:
        """Take notice of an event; what goes wrong here is told, and does not end the run."""
        try:
            self._notice(record.created, **vars(record))
        except Exception:
            self.handleError(record)

    def _notice(self, at: float, event: str = "", **fields: Any) -> None:
        """A job begins or finishes, or Snakemake counts those that are done: a line, if the last one is long ago."""
        if event == "job_info" and (job := self.job_of(fields["rule_name"], fields["wildcards"])):
            self._running[fields["jobid"]] = job
            self.remaining.began(job, at)
        elif event == "job_finished" and fields["job_id"] in self._running:
            self.remaining.finished(self._running.pop(fields["job_id"]), at)
        elif event == "progress" and at - self._told >= LINE_EVERY:
            self._told = at
            self.tell(f"{fields['done']} of {fields['total']} jobs, about {duration(self.remaining.seconds(at))} left")


def duration(seconds: float) -> str:
    """A time in words, in minutes but for less than one and more than a hundred of them.

    Examples
    --------
    >>> duration(31), duration(95), duration(660), duration(30_000)
    ('31 seconds', '1.6 minutes', '11 minutes', '8.3 hours')
    """
    minutes = seconds / 60
    if minutes < 1:
        return f"{seconds:.0f} seconds"
    if minutes > 100:
        return f"{minutes / 60:.1f} hours"
    return f"{minutes:.{1 if minutes < 10 else 0}f} minutes"
