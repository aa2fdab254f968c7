"""What a first run may meet: a wrong Python, a folder that cannot be written to, an interruption."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pythons import interpreter

import job

ROOT = Path(__file__).parent.parent


def test_a_wrong_python_is_refused_before_anything_is_made(tmp_path):
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "envs", tmp_path / "envs")
    old = tmp_path / "python3.9"
    pretended = "import sys; sys.version_info = (3, 9, 1); sys.version = '3.9.1 (old)'; exec(sys.argv[1])"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretended}" "$2"\n')
    old.chmod(0o755)
    command = ["make", ".venv/ready", "VENV=.venv", f"PYTHON={old}"]  # whatever the make that runs the tests was told
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (
        done.returncode != 0 and "needs Python 3.11 to 3.13, this is 3.9.1; try: make PYTHON=python3.12" in done.stderr
    )
    assert not (tmp_path / ".venv").exists()


def test_a_shim_of_pyenv_that_refuses_is_passed_over_for_the_python_behind_it(tmp_path, monkeypatch):
    shim, python = tmp_path / "shims" / "python3.12", tmp_path / "pyenv" / "versions" / "3.12.1" / "bin" / "python"
    for program, does in ((shim, "exit 127"), (python, "echo 3.12")):
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert interpreter("3.12") == python and interpreter("3.13") is None


def test_a_folder_that_cannot_be_written_to_is_named_with_the_remedy(tmp_path):
    command = [
        Path(sys.executable).parent / "snakemake",
        "--dry-run",
        "--cores",
        "1",
        "--snakefile",
        ROOT / "Snakefile",
    ]
    command += ["--configfile", ROOT / "config" / "config.yaml"]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("the superuser can write everywhere")
        rights = "-dac_override,-dac_read_search"
        command = ["setpriv", "--bounding-set", rights, "--inh-caps", rights, *command]
    place = tmp_path / "read only"
    place.mkdir()
    place.chmod(0o555)
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert (
        done.returncode != 0
        and f"{place} cannot be written to; results go elsewhere with --directory DIR" in done.stdout + done.stderr
    )
    assert "Traceback" not in done.stdout + done.stderr


def test_an_interrupted_job_says_so_without_a_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    rule = SimpleNamespace(
        log=[str(tmp_path / "log")], params={}, output={}, input={}, threads=1, resources={}, rule="networks"
    )

    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit, match="networks: interrupted"):
        job.run(main, rule)
