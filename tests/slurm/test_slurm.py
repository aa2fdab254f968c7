"""The workflow through profiles/slurm on a real Slurm: the same bytes as a local run, whatever happens on the way.

A job costs some seconds of CPU (three starts of Python), so there are few, and the tests' runs go on beside each other.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import h5py
import pytest
import yaml
from cluster import cluster, missing

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
FOLDERS = ("config", "envs", "profiles", "report", "rules", "scripts", "learnability")
# This cluster keeps no accounting, and its jobs last seconds: Snakemake looks after 3 s, then 13 s later.
HERE = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "20"]
PARTITIONS = ["--slurm-partition-config", "profiles/slurm/partitions.yaml"]
PROFILE = ["--profile", "profiles/slurm", "--jobs", "6", *HERE, *PARTITIONS]
STUDY = {
    "domains": {"cube": {"kind": "hypercube", "dim": 3}},
    "architectures": {"relu": {"depth": 1, "bias_std": 0.1}},
    "training": {"gpus": 1},
    "studies": {
        "curve": {
            "figure": "comparison", "domain": "cube", "architectures": ["relu"], "targets": [{"parity": 1}], "train_sizes": [2, 4],
            "network_sizes": [2, 3], "widths": [8], "seeds": 3, "figure_options": {"x": "train_size", "measures": ["test_mse"]},
        }
    },
    "experiments": {
        "spectra": {
            "kind": "spectra", "vary": {"domain": ["cube"], "architecture": ["relu"]}, "figure": "comparison",
            "figure_options": {"x": "mode", "measures": ["eigenvalue"]},
        }
    },
}  # fmt: skip
GREEDY = """
rule all:
    input: "long", "large"

rule long:
    output: "long"
    resources: runtime=lambda wildcards, attempt: 2 ** (attempt - 1)
    shell: "test {resources.runtime} -ge 2 || sleep 600; touch {output}"

rule large:
    output: "large"
    resources: mem_mb=lambda wildcards, attempt: 500 * 2 ** (attempt - 1)
    shell: "python3 -c 'import time; x = bytearray(10**6 * 600); time.sleep(6)'; touch {output}"
"""

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"no Slurm here: {missing()}")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


class Runs:
    """Runs of Snakemake; all of them end with the tests, even when these are killed."""

    def __init__(self, environment):
        self.environment, self.started = {**environment, "PYTHONPATH": str(ROOT)}, []

    def start(self, place, *arguments):
        """A run in the background; what it says goes to run.log."""
        with open(place / "run.log", "a") as log:
            run = subprocess.Popen(
                [SNAKEMAKE, *arguments], cwd=place, env=self.environment, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )  # fmt: skip
        self.started.append(run)
        return run

    def end(self):
        for run in self.started:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)


def _end_with_parent():
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@pytest.fixture(scope="module")
def runs(slurm):
    runs = Runs(slurm)
    yield runs
    runs.end()


@pytest.fixture(scope="module")
def greedy(runs, tmp_path_factory):
    """Jobs that need more than they ask for first: minutes, mostly asleep, beside the other tests."""
    place = tmp_path_factory.mktemp("greedy")
    (place / "Snakefile").write_text(GREEDY)
    shutil.copytree(ROOT / "profiles", place / "profiles")
    return runs.start(place, *PROFILE), place / "run.log"


@pytest.fixture(scope="module")
def local(runs, tmp_path_factory):
    """A run on this machine."""
    place = copy_of_the_repository(tmp_path_factory.mktemp("local"))
    return runs.start(place, "--cores", "1", *CONFIG), place


CONFIG = ("--configfile", "config/study.yaml")


def copy_of_the_repository(place):
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", place)
    (place / "config" / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return place


def contents(place):
    """Every array of every result file, and every table."""
    found = {}
    for path in sorted((place / "results").rglob("*.h5")):
        with h5py.File(path) as file:
            name = path.relative_to(place).as_posix()
            file.visititems(lambda key, item, name=name: found.update(read(name, key, item)))
    for path in sorted((place / "results").rglob("*.csv")):
        found[path.relative_to(place).as_posix()] = path.read_bytes()
    return found


def read(name, key, item):
    if not isinstance(item, h5py.Dataset):
        return {}
    values = item[()]
    return {f"{name}:{key}": values.tolist() if values.dtype == object else values.tobytes()}


def until(condition, run, seconds=300):
    """Wait for a condition that must come true while a run goes on."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end and run.poll() is None, "waited in vain"
        sleep(0.2)


def queue(slurm, place):
    """Slurm's jobs of a folder by number: name, state, rule, partition and whether they have a GPU."""
    text = subprocess.run(["scontrol", "show", "job"], env=slurm, capture_output=True, text=True, timeout=30).stdout
    found = {}
    for job in re.split(r"\n\n", text):
        value = {key: (re.search(rf"\b{key}=(\S+)", job) or [None, ""])[1] for key in KEYS}
        if value["WorkDir"] == str(place):
            found[value["JobId"]] = value
    return found


KEYS = ("JobId", "JobName", "JobState", "Comment", "Partition", "TresPerJob", "WorkDir")


def active(slurm, place, rule=""):
    """Numbers and names of the jobs that wait, run or end, of one rule or of all."""
    states = ("PENDING", "RUNNING", "COMPLETING")
    jobs = queue(slurm, place).values()
    return {j["JobId"]: j["JobName"] for j in jobs if j["JobState"] in states and f"rule_{rule}" in j["Comment"]}


def completed(place):
    return {path: path.stat().st_mtime_ns for path in (place / "results").rglob("*.h5")}


def test_a_killed_run_with_a_cancelled_job_ends_with_the_bytes_of_a_local_one(slurm, runs, greedy, local, tmp_path):
    """Snakemake killed in the middle, restarted as docs/cluster.md says, a job cancelled, restarted again."""
    place = copy_of_the_repository(tmp_path)
    submit = (*PROFILE, *CONFIG)
    first = runs.start(place, *submit)
    until(lambda: len(completed(place)) >= 2 and active(slurm, place, "regression"), first)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(10)
    for name in set(active(slurm, place).values()):
        subprocess.run(["scancel", "--name", name], env=slurm, check=True, timeout=30)
    before = completed(place)
    assert runs.start(place, *CONFIG, "--unlock").wait(60) == 0

    second = runs.start(place, *submit, "--retries", "0")
    until(lambda: active(slurm, place, "regression"), second)
    subprocess.run(["scancel", *active(slurm, place, "regression")], env=slurm, check=True, timeout=30)
    assert second.wait(400) != 0, "a cancelled job is a failed job"

    assert runs.start(place, *submit).wait(400) == 0, (place / "run.log").read_text()[-3000:]
    undisturbed, elsewhere = local
    assert undisturbed.wait(400) == 0, (elsewhere / "run.log").read_text()[-3000:]
    assert contents(place) == contents(elsewhere)
    assert (place / "results" / "figures" / "curve.png").exists()
    after = completed(place)
    assert before and all(after[path] == time for path, time in before.items()), "complete results are not made again"
    for job in queue(slurm, place).values():
        assert (job["Partition"], job["TresPerJob"]) == (
            ("gpu", "gres:gpu:1") if "rule_networks" in job["Comment"] else ("cpu", "")
        ), job


def test_jobs_beyond_their_time_or_memory_are_tried_again_with_twice_as_much(greedy):
    run, log = greedy
    assert run.wait(400) == 0, log.read_text()[-3000:]
    assert log.read_text().count("Trying to restart job") == 2, "each ends at its second attempt"
