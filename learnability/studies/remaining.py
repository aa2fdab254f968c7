"""How long a run still takes: what its plan expects of the jobs that are left, corrected by those that have finished."""

from collections import defaultdict
from collections.abc import Iterable

from .costs import JOB_START
from .job import Job

TRUSTED = 3.0  # expected seconds of finished jobs that count as much as the expectation that they correct


class Remaining:
    """The jobs of a run, and the time until the last of them has finished.

    Parameters
    ----------
    jobs : iterable of Job
        Those that the run starts, each after those whose outputs it reads.

    Examples
    --------
    Two of four jobs took twice as long as expected, one at a time; the others will too.

    >>> asked = {"inputs": {}, "outputs": {}, "parameters": {}, "megabytes": 0, "minutes": 0}
    >>> jobs = [Job("networks", {"n": str(n)}, seconds=99, **asked) for n in range(4)]
    >>> remaining = Remaining(jobs)
    >>> for number, job in enumerate(jobs[:2]):
    ...     remaining.began(job, at=200.0 * number)
    ...     remaining.finished(job, at=200.0 * (number + 1))
    >>> round(remaining.seconds(at=400.0))
    400
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.jobs = [*jobs]
        self._began: dict[Job, float] = {}  # of jobs that have begun, also of those that have finished
        self._took: dict[Job, float] = {}  # of finished ones

    def began(self, job: Job, at: float) -> None:
        """A job, perhaps for another time, began at this second of any clock."""
        self._began[job] = at

    def finished(self, job: Job, at: float) -> None:
        """A job that had begun finished."""
        self._took[job] = at - self._began[job]

    def seconds(self, at: float) -> float:
        """What is left at this second of the clock, if as many jobs run at once as did up to now on average.

        With all jobs' time W, p jobs at once and C the longest chain of jobs that wait for one another it is at least W/p and
        C, and at most W/p + (1 - 1/p) C (Graham 1969, "Bounds on multiprocessing timing anomalies"). Returns the mean of both.
        """
        running = {job: at - began for job, began in self._began.items() if job not in self._took}
        corrections = self._corrections()
        left, until = dict[Job, float](), dict[Job, float]()
        for job in self.jobs:
            if job not in self._took:
                left[job] = max(corrections[_alike(job)] * _expected(job) - running.get(job, 0.0), 0.0)
                until[job] = left[job] + max((until.get(before, 0.0) for before in job.after), default=0.0)
        elapsed = at - min(self._began.values(), default=at)
        at_once = (sum(self._took.values()) + sum(running.values())) / elapsed if elapsed else 1.0
        work, chain = sum(left.values()) / at_once, max(until.values(), default=0.0)
        at_most = work + (1 - 1 / at_once) * chain
        return (max(work, chain) + at_most) / 2

    def _corrections(self) -> dict[tuple[str, ...], float]:
        """What jobs that are alike take in units of what is expected of them.

        Those of which little has finished take over what holds for all, and all what was expected.
        """
        took: defaultdict[tuple[str, ...], float] = defaultdict(float)
        expected: defaultdict[tuple[str, ...], float] = defaultdict(float)
        for job, seconds in self._took.items():
            took[_alike(job)] += seconds
            expected[_alike(job)] += _expected(job)
        overall = (sum(took.values()) + TRUSTED) / (sum(expected.values()) + TRUSTED)
        alike = set(map(_alike, self.jobs))
        return {those: (took[those] + TRUSTED * overall) / (expected[those] + TRUSTED) for those in alike}


def _alike(job: Job) -> tuple[str, ...]:
    """What jobs have in common whose expected times are wrong by the same factor: a rule, and the kind of an experiment."""
    return job.kind, *job.modules


def _expected(job: Job) -> float:
    return JOB_START + job.seconds
