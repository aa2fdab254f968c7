"""Jobs on one machine take different GPUs; the devices are names, none of them is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnability.common.devices import VARIABLE, gpus, visible_gpus

ROOT = Path(__file__).parent.parent
# Takes a device, says which, and keeps it until its standard input ends.
HOLDER = """
import os, sys
from learnability.common.devices import gpus
with gpus(int(sys.argv[2]), sys.argv[1]):
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path, monkeypatch):
    """Starts processes that hold devices of three."""
    monkeypatch.setenv(VARIABLE, "0,1,2")
    started = []

    def start(number=1):
        command = [sys.executable, "-c", HOLDER, str(tmp_path), str(number)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        started.append(
            subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def device_of(process):
    return process.stdout.readline().strip()


def test_jobs_take_different_devices_and_one_more_waits_for_the_first_that_is_killed(holder):
    jobs = [holder() for _ in range(3)]
    devices = [device_of(job) for job in jobs]
    assert sorted(devices) == ["0", "1", "2"]
    late = holder()
    jobs[1].kill()  # no chance to clean up
    assert device_of(late) == devices[1]


def test_a_job_of_two_devices_takes_two_that_are_free(holder):
    assert device_of(holder()) == "0"
    assert device_of(holder(2)) == "1,2"


def test_devices_are_given_back_and_the_environment_too(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "GPU-a,GPU-b")
    for _ in range(2):
        with gpus(1, tmp_path) as taken:
            assert taken == ["GPU-a"] and os.environ[VARIABLE] == "GPU-a"
    assert os.environ[VARIABLE] == "GPU-a,GPU-b"


def test_what_a_scheduler_chose_is_not_locked(tmp_path, monkeypatch):
    """On a cluster every job may see its own device as number 0."""
    monkeypatch.setenv(VARIABLE, "0")
    with gpus(1, tmp_path) as first, gpus(1, tmp_path) as second:
        assert first == second == ["0"]
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("value", ["", "-1"])
def test_without_devices_the_cpu_computes(tmp_path, monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    with gpus(1, tmp_path) as taken:
        assert taken == []


def test_too_many_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "0,1")
    with pytest.raises(ValueError, match="asks for 3 GPUs, and there are 2: 0, 1; lower `training: gpus`"), gpus(3):
        pass


def test_without_the_variable_the_machine_is_asked(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == []
    (tmp_path / "nvidia-smi").write_text(
        "#!/bin/sh\necho 'GPU 0: NVIDIA A100 (UUID: GPU-11-aa)'\necho '  MIG 1g.5gb Device 0: (UUID: MIG-5)'\n"
        "echo 'GPU 1: NVIDIA A100 (UUID: GPU-22-bb)'\n"
    )
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert visible_gpus() == ["GPU-11-aa", "GPU-22-bb"]
