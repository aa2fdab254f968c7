"""A run says now and then how many of its jobs are done and how much time is left."""

import logging

import pytest
from test_plan import planned  # noqa: F401

from learnability.command.progress import ProgressLines
from learnability.studies.plan import KINDS
from learnability.studies.remaining import Remaining


def run(jobs, seconds, cores, remaining):
    """Jobs begin and finish in this order on so many cores; (now, seconds told to be left) after each."""
    told, running, waiting, done, now = [], {}, [*jobs], set(), 0.0
    while waiting or running:
        ready = [job for job in waiting if done.issuperset(before for before in job.after if before in jobs)]
        for job in ready[: cores - len(running)]:
            waiting.remove(job)
            running[job] = now + seconds(job)
            remaining.began(job, now)
        job = min(running, key=running.get)
        now = running.pop(job)
        remaining.finished(job, now)
        done.add(job)
        told.append((now, remaining.seconds(now)))
    return told


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_what_is_left_follows_from_a_tenth_of_the_run_on_a_machine_of_any_speed(planned, cores):  # noqa: F811
    """The machine is three times slower than expected, and starts jobs in no time."""
    jobs = [job for job in planned.jobs() if job.kind != "explorer"]
    told = run(jobs, lambda job: 3 * (1 + job.seconds), cores, Remaining(jobs))
    end = told[-1][0]
    assert told[-1][1] == 0
    for now, left in told:
        if end / 10 < now < end * 0.9:
            assert left == pytest.approx(end - now, rel=1 / 3)


def test_jobs_that_wait_for_one_another_take_their_time_whatever_the_cores(planned):  # noqa: F811
    join = planned.job("join", study="bars")
    chain = [*join.after[:1], join, planned.job("figure", drawn="bars")]
    remaining = Remaining(chain)
    remaining.began(chain[0], 0.0)
    assert remaining.seconds(0.0) == pytest.approx(sum(1 + job.seconds for job in chain))


def events(**fields):
    return logging.makeLogRecord(fields)


def test_lines_come_now_and_then(planned):  # noqa: F811
    """Events are those of Snakemake's logger; rules that are no jobs of the plan are counted by Snakemake alone."""
    jobs, lines = [*planned.jobs()], []
    handler = ProgressLines(
        Remaining(jobs), lambda rule, wildcards: planned.job(rule, **wildcards) if rule in KINDS else None, lines.append
    )
    for number, job in enumerate(jobs):
        begun = {"event": "job_info", "jobid": number, "rule_name": job.kind, "wildcards": job.identity}
        handler.handle(events(**begun, created=4.0 * number))
        handler.handle(events(event="job_finished", job_id=number, created=4.0 * number + 4))
        handler.handle(events(event="progress", done=number + 1, total=len(jobs) + 1, created=4.0 * number + 4))
    handler.handle(events(event="job_info", jobid=99, rule_name="all", wildcards={}, created=200.0))
    handler.handle(events(event="job_finished", job_id=99, created=200.0))
    handler.handle(events(msg="no event", created=200.0))
    assert lines[0].startswith(f"1 of {len(jobs) + 1} jobs, about ") and lines[0].endswith(" left")
    assert [int(line.split()[0]) for line in lines] == [*range(1, len(jobs) + 1, 3)]
    handler.handle(events(event="progress", done=len(jobs) + 1, total=len(jobs) + 1, created=200.0))
    assert lines[-1] == f"{len(jobs) + 1} of {len(jobs) + 1} jobs, about 0 seconds left"
