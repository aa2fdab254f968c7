"""A study's training, cut into jobs by what its networks cost. No number depends on it, but files are named by it."""

from itertools import groupby

from ..ensembles.training.methods import options_of
from .configuration import OWN, Study
from .costs import descent_seconds, mini_batch_seconds, module_seconds, network_seconds

BLOCKS = (300, 100, 30, 10, 5, 1)  # seeds per job
SHARED = 1 / 4  # of a job's time that 30 seeds of a training-set size take at most, if it is to share a job with others


def training_jobs(study: Study, architecture: str, width: int | str) -> list[tuple[int, int, int, int]]:
    """The training jobs of a study's architecture and width.

    Returns
    -------
    list of (smallest, largest, first, last)
        Their training-set sizes, those of the study in this range, and their seeds. With `training: {block}` one size and so
        many seeds each. Else cheap sizes from a power of 16 to the next share jobs, and a job has as many seeds as train in
        `job_seconds`: which sizes share one follows from the size alone, whatever other sizes and how many seeds there are.

    Examples
    --------
    >>> from learnability.studies.example import example_study
    >>> study = example_study(widths=[50])
    >>> training_jobs(study, "net", 50)
    [(4, 4, 0, 29)]
    """
    block, limit = study.training.get("block"), study.training["job_seconds"]
    seconds = {n: seed_seconds(study, architecture, width, n) for n in sorted(study.network_sizes)}

    def company(n: int) -> tuple[bool, int]:
        cheap = block is None and 30 * seconds[n] <= SHARED * limit
        return (cheap, (n.bit_length() - 1) // 4 if cheap else n)

    jobs = []
    for _, group in groupby(seconds, company):
        sizes = list(group)
        if block is None:
            ranges = seed_ranges_by_cost(study.network_seeds, sum(seconds[n] for n in sizes), limit)
        else:
            ranges = seed_ranges(study.network_seeds, block)
        jobs += [(sizes[0], sizes[-1], *seeds) for seeds in ranges]
    return jobs


def seed_seconds(study: Study, architecture: str, width: int | str, train_size: int) -> float:
    """Estimated time to train a study's networks of one seed at one training-set size.

    Examples
    --------
    >>> from learnability.studies.example import example_study
    >>> study = example_study(widths=[50])
    >>> seed_seconds(study, "net", 50, 4) < seed_seconds(study, "net", 500, 4)
    True
    """
    module, method = study.module(architecture, width), study.training["method"]
    size = (study.architectures[architecture].get("depth", 1), 0 if width == OWN else int(width), train_size)
    if module is not None:
        batch = study.training["batch_size"] if "batch_size" in options_of(method) else train_size
        one = module_seconds(module, train_size, batch)
    elif "batch_size" in options_of(method):
        one = mini_batch_seconds(*size, study.training["batch_size"])
    elif method == "gradient_descent":
        one = descent_seconds(*size, study.outputs)
    else:
        one = network_seconds(*size, study.outputs)
    return one * len(study.targets) * len(study.noise_stds)


def seed_ranges(seeds: int, block: int) -> list[tuple[int, int]]:
    """Ranges (first, last) of whole blocks, then of single seeds: one more seed is one more job.

    Examples
    --------
    >>> seed_ranges(5, block=2)
    [(0, 1), (2, 3), (4, 4)]
    """
    whole = seeds // block * block
    ranges = [(first, first + block - 1) for first in range(0, whole, block)]
    return ranges + [(seed, seed) for seed in range(whole, seeds)]


def seed_ranges_by_cost(seeds: int, seconds_per_seed: float, job_seconds: float) -> list[tuple[int, int]]:
    """Ranges of at most `job_seconds` each where a single seed allows it, of the sizes in BLOCKS, the largest first.

    A further seed is a job of its own, until the last ones fill a block of the next size.

    Examples
    --------
    >>> seed_ranges_by_cost(17, seconds_per_seed=5.0, job_seconds=60.0)
    [(0, 9), (10, 14), (15, 15), (16, 16)]
    """
    ranges, first = [], 0
    for block in BLOCKS:
        while first + block <= seeds and (block == 1 or block * seconds_per_seed <= job_seconds):
            ranges.append((first, first + block - 1))
            first += block
    return ranges
