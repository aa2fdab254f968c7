"""A study of seven small jobs, and two ways to run it: by Snakemake, and as the same scripts in one process.

Both happen in forks of a process that has imported everything already: a run begins within a tenth of a second, and can be killed.
"""

import os
import signal
import sys
import traceback
from inspect import signature
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import pandas as pd
import psutil
import snakemake.cli
import torch
import yaml

import build_kernel
import decompose_kernel
import join_study
import measure_agreement
import predict_theory
import run_regression
import train_networks
from learnability.studies.plan import KINDS, parts, plan
from learnability.studies.schema import load_config, load_schema
from learnability.studies.validation import check_meaning, checked

ROOT = Path(__file__).parents[2]
os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "scripts")))  # for jobs, wherever they run
STUDY = {
    "domains": {"table": {"kind": "data", "path": "table.csv"}},
    "architectures": {"relu": {"depth": 1, "bias_std": 0.1}},
    "training": {"block": 2},
    "studies": {
        "curve": {
            "figure": "comparison", "domain": "table", "architectures": ["relu"], "targets": [{"all": None}], "train_sizes": [2, 4],
            "network_sizes": [3], "widths": [4], "seeds": 2, "figure_options": {"x": "train_size", "measures": ["test_mse"]},
        }
    },
}  # fmt: skip
KERNEL, SPECTRUM = "results/kernels/table/relu.h5", "results/spectra/table/relu.h5"
THEORY, REGRESSION = "results/theory/curve/relu.h5", "results/regression/curve/relu.h5"
NETWORKS = "results/networks/curve/relu/width4/n3-3/seeds0-1.h5"
TABLE, CSV, AGREEMENT = "results/studies/curve.h5", "results/studies/curve.csv", "results/agreement.csv"
# What each job reads and writes, in the order of a run.
JOBS = {
    build_kernel: ([], [KERNEL]),
    decompose_kernel: ([KERNEL], [SPECTRUM]),
    predict_theory: ([KERNEL, SPECTRUM], [THEORY]),
    run_regression: ([KERNEL], [REGRESSION]),
    train_networks: ([], [NETWORKS]),
    join_study: ([THEORY, REGRESSION, NETWORKS], [CSV, TABLE]),
    measure_agreement: ([TABLE], [AGREEMENT]),
}
INTERMEDIATES = [KERNEL, SPECTRUM, THEORY, REGRESSION, NETWORKS, TABLE]
USERS = {path: [job for job, (read, _) in JOBS.items() if path in read] for path in INTERMEDIATES}


def prepared(place):
    """Write the study and its data into a folder."""
    (place / "study.yaml").write_text(yaml.safe_dump(STUDY))
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((24, 3)).round(4), columns=["a", "b", "y"])
    table.to_csv(place / "table.csv", index=False)


def tables(place):
    """The final tables, byte for byte."""
    return {path: (place / path).read_bytes() for path in (CSV, AGREEMENT) if (place / path).exists()}


def by_snakemake(*arguments):
    """The study by Snakemake, in the present folder; its figures are left out, they take half of the time."""
    where = ["--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--max-jobs-per-timespan", "500/1s"]
    snakemake.cli.main(["tables", AGREEMENT, *where, *arguments, "--configfile", "study.yaml"])


def warmed(place):
    """Run the study in this process once, so that its forks have imported and compiled all that they need."""
    prepared(place)
    os.chdir(place)
    in_one_process()


def in_one_process():
    """The study's missing files, and those made from newer ones, by the rules' scripts; a failing one ends it as in a job."""
    config = checked(load_config("study.yaml"), load_schema(ROOT / "config" / "schema.yaml"))
    _, sizes = check_meaning(config)
    jobs = {Path(KINDS[job.kind].script).stem: job for job in plan(config, sizes).jobs()}
    made = set()
    for job, (read, written) in JOBS.items():
        if made.intersection(read) or not all(Path(path).exists() for path in written):
            try:
                job.main(**arguments_of(job.main, jobs[job.__name__]))
            except Exception as error:
                sys.exit(f"{job.__name__}: {type(error).__name__}: {error}")
            made.update(written)


def arguments_of(main, job):
    """What the rules hand to a script."""
    arguments = {"parameters": job.parameters, "parts": parts(job), **job.inputs, **job.outputs}
    arguments |= {"threads": job.threads, "gpu": job.gpus}
    return {name: arguments[name] for name in signature(main).parameters}


class Run:
    """A function in a fork of this process, a session of its own, in a folder; what it says is kept."""

    def __init__(self, place, function):
        self.output = TemporaryFile("w+")  # noqa: SIM115
        self.number = os.fork()
        if self.number == 0:
            self._do(place, function)

    def _do(self, place, function):
        code = 1
        try:
            os.setsid()
            os.chdir(place)
            for stream in (1, 2):
                os.dup2(self.output.fileno(), stream)
            sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
            torch.set_num_threads(1)
            function()
            code = 0
        except SystemExit as end:
            if isinstance(end.code, str):
                print(end.code)
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def jobs(self):
        """The processes of its jobs."""
        try:
            found = psutil.Process(self.number).children(recursive=True)
            return [p for p in found if "python" in p.name() and ".snakemake/scripts" in " ".join(p.cmdline())]
        except psutil.NoSuchProcess:
            return []

    def kill(self):
        """SIGKILL for it and its jobs."""
        os.killpg(self.number, signal.SIGKILL)

    def going(self):
        """Whether it has not ended yet."""
        return psutil.pid_exists(self.number) and psutil.Process(self.number).status() != psutil.STATUS_ZOMBIE

    def end(self):
        """Wait for it: its exit status and what it said."""
        _, status = os.waitpid(self.number, 0)
        self.output.seek(0)
        return os.waitstatus_to_exitcode(status), self.output.read()


def ran(place, function=by_snakemake):
    """Exit status and words of a run to its end."""
    return Run(place, function).end()
