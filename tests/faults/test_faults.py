"""Faults of files, and two of processes; `make test-faults` has two hundred of all kinds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).with_name("campaign.py")
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.xdist_group("faults")
def test_after_a_fault_the_tables_are_the_same():
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")  # in one process; a job has one
    environment = {**os.environ, **threads, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "scripts")))}
    done = subprocess.run([sys.executable, CAMPAIGN, "7"], env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f": {fault}: same tables" in done.stdout for fault in ("truncate", "exchange", "kill_everything"))
    assert "0 that did not end with the same tables, 0 of them silently" in done.stdout
