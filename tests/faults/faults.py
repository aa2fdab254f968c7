"""The faults. Each is a function of a folder with a finished run and a random generator; what it disturbs is its docstring.

Faults of files are met by the scripts in one process, those of processes and file systems by Snakemake.
"""

import os
import re
import resource
import signal
import subprocess
from contextlib import contextmanager, suppress
from time import sleep

import numpy as np
import psutil
from runs import CSV, INTERMEDIATES, JOBS, NETWORKS, REGRESSION, TABLE, USERS, Run, by_snakemake, in_one_process, ran

from learnability.measurements.task import LearningTask

JOB_SECONDS = 1.0


def take_away(place, rng):
    """Delete the final tables, and perhaps the result of another job."""
    for path in [CSV, TABLE, rng.choice(INTERMEDIATES)]:
        (place / path).unlink(missing_ok=True)


def job_of(run, rng):
    """A random job of a run, some time after it began; None if the run has ended before."""
    passed, wanted = [], rng.randrange(1, 4)
    while run.going():
        passed += [process for process in run.jobs() if process not in passed]
        if len(passed) == wanted:
            return passed[-1]
        sleep(0.02)
    return None


def kill_a_job(place, rng):
    """SIGKILL for a random job at a random moment."""
    take_away(place, rng)
    run = Run(place, by_snakemake)
    job = job_of(run, rng)
    sleep(rng.uniform(0, JOB_SECONDS))
    with suppress(psutil.NoSuchProcess, AttributeError):
        job.kill()
    return run.end()[1]


def kill_everything(place, rng):
    """SIGKILL for Snakemake and its job at a random moment."""
    take_away(place, rng)
    run = Run(place, by_snakemake)
    job_of(run, rng)
    sleep(rng.uniform(0, JOB_SECONDS))
    with suppress(ProcessLookupError):
        run.kill()
    run.end()
    return ""


def terminate(place, rng):
    """SIGTERM for Snakemake, which lets its job end."""
    take_away(place, rng)
    run = Run(place, by_snakemake)
    job_of(run, rng)
    sleep(rng.uniform(0, JOB_SECONDS))
    with suppress(ProcessLookupError):
        os.kill(run.number, signal.SIGTERM)
    return run.end()[1]


def little_memory(place, rng):
    """Too small an address space for a random job."""
    take_away(place, rng)
    run = Run(place, by_snakemake)
    job = job_of(run, rng)
    with suppress(psutil.NoSuchProcess, AttributeError):
        job.rlimit(resource.RLIMIT_AS, (rng.randrange(10**8, 2 * 10**9), resource.RLIM_INFINITY))
    return run.end()[1]


@contextmanager
def mounted(place, *options):
    """The results on a file system of their own."""
    results, kept = place / "results", place / "kept"
    results.rename(kept)
    results.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", *options, "none", results], check=True)
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", results], check=True)
        yield results
        subprocess.run(["cp", "-a", f"{results}/.", kept], check=True)
    finally:
        subprocess.run(["umount", results], check=True)
        results.rmdir()
        kept.rename(results)


def full_disk(place, rng):
    """A file system that fills up; then it has room again."""
    used = sum(path.stat().st_size // 4096 + 2 for path in (place / "results").rglob("*")) * 4
    with mounted(place, "-o", f"size={used + rng.randrange(4, 100)}k") as results:
        take_away(place, rng)
        said = ran(place)[1]
        for path in (place / "kept").rglob("*"):
            if path.is_file() and not (results / path.relative_to(place / "kept")).exists():
                path.unlink()
    return said


def read_only_results(place, rng):
    """A results folder that cannot be written to; then it can."""
    take_away(place, rng)
    with mounted(place) as results:
        subprocess.run(["mount", "-o", "remount,ro", results], check=True)
        code, said = ran(place)
    assert code != 0 and re.search("Read-only file system|Write-protected output files.*results/", said, re.S), said
    return said


def flip(place, rng):
    """A flipped bit in a random result, before a job that reads it."""
    path = place / _read_again(place, rng)
    content, position = bytearray(path.read_bytes()), rng.randrange(path.stat().st_size)
    content[position] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return ran(place, in_one_process)[1]


def truncate(place, rng):
    """A random result cut off, before a job that reads it."""
    path = place / _read_again(place, rng)
    os.truncate(path, rng.randrange(path.stat().st_size))
    return ran(place, in_one_process)[1]


def exchange(place, rng):
    """A result in the place of another one, before a job that reads it."""
    path, other = place / _read_again(place, rng), place / rng.choice(INTERMEDIATES)
    if other.exists():
        path.write_bytes(other.read_bytes())
    return ran(place, in_one_process)[1]


def _read_again(place, rng):
    """A random intermediate of which a user's results are missing."""
    path = rng.choice(INTERMEDIATES)
    for written in JOBS[rng.choice(USERS[path])][1]:
        (place / written).unlink()
    return path


def damage_met_by_snakemake(place, rng):
    """A random result cut off, before a run of Snakemake."""
    path = place / _read_again(place, rng)
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])
    return ran(place)[1]


def gap_in_the_data(place, rng):
    """nan in the table; then the table is restored."""
    path = place / "table.csv"
    text = path.read_text()
    lines = [line.split(",") for line in text.splitlines()]
    row, column = rng.randrange(1, len(lines)), rng.randrange(3)
    lines[row][column] = "nan"
    path.write_text("\n".join(map(",".join, lines)) + "\n")
    code, said = ran(place, in_one_process)
    expected = f"table.csv: column {'aby'[column]!r} has missing values", f"the first in line {row + 1}"
    assert code != 0 and all(part in said for part in expected), said
    path.write_text(text)
    return said


def nan_in_a_training_set(place, rng):
    """nan in a random label of a random training set of kernel regression or of the networks, in memory."""
    written = rng.choice([REGRESSION, NETWORKS])
    (place / written).unlink()
    late = rng.randrange(2)  # training sets before it

    def disturbed():
        calls, labels = [], LearningTask._labels

        def damaged(*arguments):
            y = labels(*arguments)
            if len(calls) == late:
                y.flat[rng.randrange(y.size)] = np.nan
            calls.append(1)
            return y

        LearningTask._labels = damaged
        in_one_process()

    code, said = ran(place, disturbed)
    assert code != 0 and "not finite" in said, said or "not noticed"
    return said
