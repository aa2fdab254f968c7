"""What a job is: a rule of the workflow with an identity, its files, its parameters, and what it asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

FACTOR = 2  # by which a job asks for more than at the try before


@dataclass(frozen=True)
class Kind:
    """What the jobs of a rule have in common. In texts, {name} stands for a part of a job's identity.

    Attributes
    ----------
    make : function (plan, **identity) -> Job
    script : str
        Its file in the folder `scripts`.
    message : str
        What the terminal says when a job starts.
    place : str
        Of a job's log, of its measured time and memory, and of its results, without folder and ending.
    endings : dict of str to str
        Of the files that the script writes, by the names of its arguments.
    results : str, optional
        Where these lie, if not at `place`.
    """

    make: Callable[..., "Job"]
    script: str
    message: str
    place: str
    endings: Mapping[str, str]
    results: str | None = None

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The files that its script writes, with the wildcards of its rule."""
        return {name: f"results/{self.results or self.place}.{ending}" for name, ending in self.endings.items()}

    @property
    def log(self) -> str:
        """Where its messages go."""
        return f"logs/{self.place}.log"

    @property
    def benchmark(self) -> str:
        """Where its time and memory are written."""
        return f"results/benchmarks/jobs/{self.place}.tsv"


@dataclass(frozen=True, eq=False)
class Job:
    """One job: what it is, what it reads and writes, and what it takes. A plan makes each once, so that it equals itself only.

    Attributes
    ----------
    kind : str
        The rule.
    identity : dict of str to str
        What tells it from the others of its rule; Snakemake's wildcards.
    inputs, outputs : dict of str to path or list of paths
        Files by the names of the script's arguments; `data` are files of the user's, which its parameters name too.
    parameters : dict
        What its script computes from. The result file says that it was made from these, and its readers compare.
    megabytes, minutes : float
        Memory and time that its first try asks for.
    seconds : float
        That it is expected to take on a recent processor.
    threads, gpus : int
    modules : tuple of str
        Those that its script imports by name.
    after : tuple of Job
        Those whose outputs it reads.

    Examples
    --------
    >>> job = Job("agreement", {}, {}, {}, {}, megabytes=4000.5, minutes=30, seconds=1)
    >>> [job.memory_mb(attempt) for attempt in (1, 2, 3)]
    [4000, 8000, 16000]
    """

    kind: str
    identity: Mapping[str, str]
    inputs: Mapping[str, str | list[str]]
    outputs: Mapping[str, str]
    parameters: Mapping[str, Any]
    megabytes: float
    minutes: float
    seconds: float
    threads: int = 1
    gpus: int = 0
    modules: tuple[str, ...] = ()
    after: tuple["Job", ...] = field(default=(), repr=False)

    def memory_mb(self, attempt: int = 1) -> int:
        """Megabytes of a try, the first of which is 1."""
        return int(self.megabytes) * FACTOR ** (attempt - 1)

    def runtime(self, attempt: int = 1) -> int:
        """Minutes of a try."""
        return int(self.minutes) * FACTOR ** (attempt - 1)
