"""The workflow through profiles/slurm on a real Slurm: the same bytes as a local run, whatever happens on the way."""

import os
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
FOLDERS = ("config", "envs", "profiles", "report", "rules", "scripts")
# This cluster keeps no accounting, and its jobs last seconds.
HERE = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "20"]
PROFILE = ["--profile", ROOT / "profiles" / "slurm", "--jobs", "4", *HERE]

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"no Slurm here: {missing()}")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


def copy_of_the_repository(place):
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", place)
    config = yaml.safe_load((place / "config" / "test.yaml").read_text())
    study = {
        **config["studies"]["curves"],
        "train_sizes": [2, 4],
        "figure_options": {"x": "train_size", "group": "target"},
    }
    study.update(ridges=[0.0], noise_stds=[0.0])
    small = {**config, "studies": {"curves": study}, "experiments": {}}
    (place / "config" / "small.yaml").write_text(yaml.safe_dump(small))
    return place


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The results of runs on this machine, {configuration: contents}."""
    found = {}
    for config in (WHOLE, SMALL):
        place = copy_of_the_repository(tmp_path_factory.mktemp("local"))
        subprocess.run([SNAKEMAKE, "--cores", "2", *config], cwd=place, check=True, capture_output=True, timeout=300)
        found[config] = contents(place)
    return found


WHOLE = ("--configfile", "config/test.yaml")
SMALL = ("--configfile", "config/small.yaml")  # nine jobs


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


def submitted(place, slurm, config, *arguments):
    """A run through the profile, in the background."""
    command = [SNAKEMAKE, *PROFILE, *config, *arguments]
    log = open(place / "run.log", "a")  # noqa: SIM115
    return subprocess.Popen(command, cwd=place, env=slurm, stdout=log, stderr=log, start_new_session=True)


def until(condition, seconds=120):
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, "waited in vain"
        sleep(0.2)


def jobs(slurm, states="RUNNING,PENDING"):
    """Numbers and names of Slurm's jobs in the given states."""
    command = ["squeue", "-h", "-t", states, "-o", "%i %j"]
    return [
        line.split() for line in subprocess.run(command, env=slurm, capture_output=True, text=True).stdout.splitlines()
    ]


def completed(place):
    return {path: path.stat().st_mtime_ns for path in (place / "results").rglob("*.h5")}


def test_the_same_bytes_as_on_this_machine(slurm, greedy, local, tmp_path):
    place = copy_of_the_repository(tmp_path)
    assert submitted(place, slurm, WHOLE).wait(500) == 0, (place / "run.log").read_text()[-3000:]
    assert contents(place) == local[WHOLE]


def test_killed_and_cancelled_runs_go_on_to_the_same_bytes(slurm, local, tmp_path):
    """Snakemake killed in the middle, restarted as docs/cluster.md says, a job cancelled, restarted again."""
    place = copy_of_the_repository(tmp_path)
    first = submitted(place, slurm, SMALL)
    until(lambda: len(completed(place)) >= 3)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(10)
    for name in {name for _, name in jobs(slurm)}:
        subprocess.run(["scancel", "--name", name], env=slurm, check=True)
    until(lambda: not jobs(slurm, "RUNNING,PENDING,COMPLETING"))
    before = completed(place)
    unlock = [SNAKEMAKE, *SMALL, "--unlock"]
    subprocess.run(unlock, cwd=place, env=slurm, check=True, capture_output=True, timeout=60)

    second = submitted(place, slurm, SMALL, "--retries", "0")
    until(lambda: jobs(slurm, "RUNNING"))
    number, _ = jobs(slurm, "RUNNING")[0]
    subprocess.run(["scancel", number], env=slurm, check=True)
    assert second.wait(400) != 0, "a cancelled job is a failed job"

    assert submitted(place, slurm, SMALL).wait(400) == 0, (place / "run.log").read_text()[-3000:]
    assert contents(place) == local[SMALL]
    after = completed(place)
    assert all(after[path] == time for path, time in before.items()), "complete results are not made again"


GREEDY = """
rule all:
    input: "long", "large"

rule long:
    output: "long"
    resources: runtime=lambda wildcards, attempt: attempt
    shell: "sleep 105; touch {output}"

rule large:
    output: "large"
    resources: mem_mb=lambda wildcards, attempt: 500 * attempt
    shell: "python3 -c 'import time; x = bytearray(10**6 * 600); time.sleep(6)'; touch {output}"
"""


@pytest.fixture(scope="module")
def greedy(slurm, tmp_path_factory):
    """A run of minutes, mostly asleep, beside the other tests."""
    place = tmp_path_factory.mktemp("greedy")
    (place / "Snakefile").write_text(GREEDY)
    run = submitted(place, slurm, ())
    yield run, place / "run.log"
    run.kill()


def test_jobs_beyond_their_time_or_memory_are_tried_again_with_more(greedy):
    run, log = greedy
    assert run.wait(400) == 0, log.read_text()[-3000:]
    assert log.read_text().count("Trying to restart job") == 2, "each ends at its second attempt"
