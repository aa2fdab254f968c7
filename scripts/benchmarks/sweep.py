"""A sweep of 10,080 networks planned and cut as the workflow does; some of its jobs trained beside what the plan expects."""

import signal
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
import torch

from learnability.common.provenance import PACKAGE
from learnability.studies.job import Job
from learnability.studies.plan import Plan, plan
from learnability.studies.schema import load_schema
from learnability.studies.validation import check_meaning, checked

from .measured import Row

DEPTHS = (1, 2, 4, 8)
WIDTHS = [50, 100, 200, 500, 1000]
TRAIN_SIZES = [8, 16, 32, 64, 128, 256, 512]
SEEDS = 36  # 4 depths, 5 widths, 7 sizes, 2 targets: 10,080 networks
JOB_SECONDS = 20
TRAINED = 40  # jobs
LONGEST = 60  # seconds; three times what a plan cuts jobs to
ONE_OF_THE_REST = {"panel": "architecture", "measures": ["nmse"], "select": {"target": "parity 1"}}  # in a figure


def planned() -> Plan:
    """The plan of the sweep: ReLU networks on two parities of ten bits."""
    study = {
        "domain": "cube",
        "architectures": [f"relu{depth}" for depth in DEPTHS],
        "targets": [{"parity": 1}, {"parity": 2}],
        "train_sizes": TRAIN_SIZES,
        "widths": WIDTHS,
        "network_seeds": SEEDS,
        "training": {"job_seconds": JOB_SECONDS},
        "figure": "comparison",
        "figure_options": {"x": "train_size", "group": "width", **ONE_OF_THE_REST},
    }
    networks = {f"relu{depth}": {"depth": depth, "weight_std": 1.4, "bias_std": 0.1} for depth in DEPTHS}
    config = {
        "domains": {"cube": {"kind": "hypercube", "dim": 10}},
        "architectures": networks,
        "studies": {"sweep": study},
    }
    complete = checked(config, load_schema(PACKAGE.parent / "config" / "schema.yaml"))
    return plan(complete, check_meaning(complete)[1])


def sweep(trained: int = TRAINED) -> list[Row]:
    """Seconds of one core that jobs of the sweep take and that its plan expects, for jobs drawn at random.

    Every job is as likely as every other. One that has not ended after a minute is stopped, and its seconds are infinite: some
    narrow networks never fit their training set, and take all steps that they may. The last row compares what the plan expects
    of all jobs with the share of it that the others took, extrapolated.
    """
    from train_networks import main  # a script of the workflow, beside this folder

    whole = planned()
    jobs = [job for job in whole.jobs() if job.kind == "networks"]
    drawn = np.random.default_rng(0).choice(len(jobs), trained, replace=False)
    rows: list[Row] = []
    signal.signal(signal.SIGALRM, _stop)
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        for number in sorted(drawn):
            job = jobs[number]
            began, ended = process_time(), True
            signal.alarm(LONGEST)
            try:
                main(job.parameters, 1, 0, functions=str(Path(folder) / "functions.h5"))
            except TimeoutError:
                ended = False
            signal.alarm(0)
            rows.append(_row(_described(job), process_time() - began if ended else np.inf, job.seconds))
    torch.set_num_threads(threads)
    total = sum(job.seconds for job in jobs)
    ended = [row for row in rows if np.isfinite(row["seconds"])]
    seconds, estimated = (sum(row[column] for row in ended) for column in ("seconds", "expected"))
    return [*rows, _row(f"all {len(jobs)} jobs, extrapolated", total * seconds / estimated, total)]


def _stop(*_: object) -> None:
    raise TimeoutError


def _described(job: Job) -> str:
    sizes, (first, last) = job.parameters["train_sizes"], job.parameters["seeds"]
    network = f"{job.identity['architecture']}, width {job.identity['width']}"
    return f"{network}, n = {sizes[0]} to {sizes[-1]}, {last - first + 1} seeds"


def _row(job: str, seconds: float, expected: float) -> Row:
    return {"job": job, "seconds": seconds, "expected": expected, "ratio": expected / seconds}
