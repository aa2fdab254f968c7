"""What happens when something goes wrong: a recorded status or a clear error, and the rest goes on. docs/faults.md lists it."""

import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import learnability as lb
from learnability.common.store import replacing, write_h5
from learnability.ensembles.networks import Ensemble
from learnability.ensembles.training.fit import fit
from learnability.studies.configuration import experiments_from
from learnability.studies.schema import load_config, load_schema
from learnability.studies.validation import checked

ROOT = Path(__file__).parent.parent
NETWORK = lb.FullyConnected(depth=1, bias_std=0.1)


def training_sets(networks):
    rng = np.random.default_rng(0)
    return rng.standard_normal((networks, 3, 2)), rng.standard_normal((networks, 3, 1)), rng.standard_normal((5, 2))


def test_a_diverged_network_says_so_and_leaves_the_others_as_they_are():
    x, y, x_test = training_sets(3)
    alone = fit(NETWORK, 8, x[[0, 2]], y[[0, 2]], x_test, [0, 2])
    y[1] *= 1e30
    together = fit(NETWORK, 8, x, y, x_test, [0, 1, 2], max_steps=200)
    assert together.converged.tolist() == [True, False, True]
    np.testing.assert_allclose(together.predictions[[0, 2]], alone.predictions, rtol=1e-5)


NUMPY, CUDA = MemoryError("Unable to allocate 1. TiB"), torch.OutOfMemoryError("CUDA out of memory.")
CUBLAS = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


def allocate_too_much():
    torch.empty(2**60, dtype=torch.uint8)


@pytest.mark.parametrize("shortage", [NUMPY, CUDA, CUBLAS, allocate_too_much], ids=["numpy", "cuda", "cublas", "cpu"])
def test_a_block_without_memory_is_halved_and_the_networks_are_the_same(monkeypatch, caplog, shortage):
    """Memory for two networks at once: blocks of five become two, one single network fails with a message."""
    x, y, x_test = training_sets(5)
    plain = fit(NETWORK, 8, x, y, x_test, range(5), dtype="float64")
    initial, room, sizes = Ensemble.initial, [2], []

    def initial_in_little_memory(architecture, dim, width, seeds, *rest):
        sizes.append(len(seeds))
        if len(seeds) > room[0]:
            if callable(shortage):
                shortage()
            raise shortage
        return initial(architecture, dim, width, seeds, *rest)

    monkeypatch.setattr(Ensemble, "initial", initial_in_little_memory)
    halved = fit(NETWORK, 8, x, y, x_test, range(5), dtype="float64")
    assert sizes == [5, 2, 3, 1, 2] and "does not suffice for 5 networks at once, going on with 2" in caplog.text
    # Products of two networks may round otherwise than products of five.
    assert np.abs(halved.predictions - plain.predictions).max() < 1e-9 and halved.converged.all()
    room[0] = 0
    with pytest.raises(MemoryError, match="does not suffice to train a single network.*take a smaller width"):
        fit(NETWORK, 8, x, y, x_test, range(5))


def test_other_errors_of_a_block_are_not_taken_for_a_lack_of_memory(monkeypatch):
    def broken(*arguments):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Ensemble, "initial", broken)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        fit(NETWORK, 8, *training_sets(5), range(5))


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "results" / "x.h5"
    with pytest.raises(OSError, match=r"cannot write .*x.h5 .*No space left.*make room"), replacing(path) as partial:
        partial.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(path.parent.iterdir()) == []


def test_what_a_killed_job_left_is_removed_by_the_next(tmp_path):
    (tmp_path / ".x.h5.0123abcd.partial").write_text("half")
    write_h5(tmp_path / "x.h5", {"a": np.ones(2)}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


JOB = """
import time
from types import SimpleNamespace as Job
from job import run
from learnability.common.store import replacing

def main(output):
    with replacing(output) as partial:
        partial.write_text("half")
        print("ready", flush=True)
        time.sleep(60)

no = {}
run(main, Job(log=["job.log"], params=no, output={"output": "results/x.h5"}, input=no, threads=1, resources=no, rule="networks"))
"""


def test_a_terminated_job_says_so_in_its_log_and_leaves_nothing_half_written(tmp_path):
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"}
    job = subprocess.Popen(
        [sys.executable, "-c", JOB], cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert job.stdout.readline() == "ready\n"
    job.send_signal(signal.SIGTERM)
    assert job.wait(20) == 128 + signal.SIGTERM
    assert "ended by SIGTERM" in (tmp_path / "job.log").read_text() and list((tmp_path / "results").iterdir()) == []


def test_no_name_in_an_experiment_leads_out_of_the_results():
    config = load_config(ROOT / "config" / "test.yaml")
    config["experiments"]["spectra"]["vary"]["levels"] = ["../../x", "/etc/passwd", "..", "a/../b", "~root", {"a": "/"}]
    cells = experiments_from(checked(config, load_schema(ROOT / "config" / "schema.yaml")))["spectra"].cells
    assert len(cells) == 12 and all(re.fullmatch(r"[A-Za-z0-9._+~-]+", f"{cell}.h5") for cell in cells)


@pytest.mark.slow
def test_a_configuration_is_read_as_plain_yaml(tmp_path):
    """Snakemake's own reader evaluates templates, `learnability validate` and `learnability run` do not."""
    told = tmp_path / "evaluated"
    (tmp_path / "x.yaml").write_text(f"__use_yte__: true\n?__import__('pathlib').Path('{told}').touch(): 1\n")
    for command in ("validate", "run"):
        done = subprocess.run(
            [sys.executable, "-m", "learnability", command, tmp_path / "x.yaml"],
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"},
        )  # fmt: skip
        assert done.returncode != 0 and "x.yaml" in done.stdout + done.stderr and not told.exists()


def test_nothing_is_pickled_and_no_text_is_evaluated():
    """But by Snakemake, which hands a job its parameters so, and a kernel's file for which a configuration says allow_code."""
    forbidden = re.compile(
        r"\bpickle\b|(?<![\w.])(eval|exec)\(|yaml\.(load|unsafe_load|full_load)\(|allow_pickle=True|torch\.load\("
    )
    for path in [
        *(ROOT / "learnability").rglob("*.py"),
        *(ROOT / "scripts").rglob("*.py"),
        *(ROOT / "rules").glob("*.smk"),
        ROOT / "Snakefile",
    ]:
        found = [match[0] for match in forbidden.finditer(path.read_text())]
        assert found == (["exec("] if path.name == "user_code.py" else []), path
