"""`learnability run` is Snakemake as its users know it, on the workflow of the checkout in which they stand."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import h5py
import pytest
from click.testing import CliRunner
from test_workflow import copy_of_the_repository

from learnability.command import workflow
from learnability.command.main import main

ROOT = Path(__file__).parent.parent
KERNEL = "results/kernels/cube/relu1.h5"


@pytest.fixture
def started(tmp_path, monkeypatch):
    """A function that runs the command in an empty folder and returns the arguments with which Snakemake is started."""
    commands = []
    monkeypatch.setattr(workflow.os, "execv", lambda program, command: commands.append(command))
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "b.yml", "c.json"):
        Path(name).write_text("{}")

    def arguments(*arguments):
        done = CliRunner().invoke(main, ["run", *arguments])
        assert done.exit_code == 0, done.output
        prefix = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        assert commands[-1][:5] == prefix
        return commands[-1][5:]

    return arguments


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", ""),
        ("a.yaml", "--configfile a.yaml"),
        ("a.yaml b.yml -n", "-n --configfile a.yaml b.yml"),
        ("--dry-run a.yaml", "--dry-run --configfile a.yaml"),
        ("--configfile a.yaml --configfile b.yml", "--configfile a.yaml b.yml"),
        ("--configfile=a.yaml --configfiles b.yml c.json --cores 2", "--cores 2 --configfile a.yaml b.yml c.json"),
        ("--configfile a.yaml figures --cores 2", "--cores 2 --configfile a.yaml -- figures"),
        ("a.yaml figures tables", "figures tables --configfile a.yaml"),
        ("a.yaml -n -- results/agreement.csv", "-n --configfile a.yaml -- results/agreement.csv"),
        ("--slurm-partition-config b.yml a.yaml", "--slurm-partition-config b.yml --configfile a.yaml"),
        ("--profile profiles/slurm a.yaml -j 9", "--profile profiles/slurm -j 9 --configfile a.yaml"),
        ("-j 1 --until join", "-j 1 --until join --cores 1"),
        ("a.yaml --report results/report.html", "--report results/report.html --configfile a.yaml"),
    ],
)
def test_what_is_typed_is_what_snakemake_does(started, typed, meant):
    assert started(*typed.split()) == meant.split()


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["a.yaml", "--configfile", "broken.yaml"], "broken.yaml, line 1, column"),
        (["templates.yaml"], "templates.yaml: __use_yte__ lets Snakemake evaluate templates"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
    ],
)
def test_what_cannot_be_meant_is_said(tmp_path, monkeypatch, typed, message):
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("{}")
    Path("broken.yaml").write_text("{")
    Path("templates.yaml").write_text("__use_yte__: true\n")
    done = CliRunner().invoke(main, ["run", *typed])
    assert done.exit_code != 0 and message in done.output and "Traceback" not in done.output


def test_without_a_configuration_the_headline_figures_are_had_in_any_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "learnability", "run", "--list-target-rules"],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
    )  # fmt: skip
    assert done.returncode == 0 and "figures" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory):
    """Two checkouts whose versions tell them apart, and the Python of an environment in which the first is installed."""
    place, environment = tmp_path_factory.mktemp("two checkouts"), tmp_path_factory.mktemp("shared")
    for name in ("first", "second"):
        copy_of_the_repository(place / name)
        package = place / name / "scripts" / "learnability" / "__init__.py"
        package.write_text(f'{package.read_text()}\n__version__ = "of the {name}"\n')
    venv.create(environment, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (packages / "shared.pth").write_text(f"{place / 'first' / 'scripts'}\n{sysconfig.get_path('purelib')}\n")
    return place, environment / "bin" / "python"


@pytest.mark.parametrize("command", [["snakemake", "--configfile"], ["learnability", "run"]])
def test_jobs_run_the_library_of_their_checkout_whichever_is_installed(checkouts, command):
    place, python = checkouts
    shutil.rmtree(place / "second" / "results", ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    typed = [python, "-m", *command, "config/test.yaml", "--cores", "1", "--", KERNEL]
    done = subprocess.run(typed, cwd=place / "second", env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    with h5py.File(place / "second" / KERNEL) as file:
        assert file.attrs["package_version"] == "of the second"


def test_validate_reads_the_schema_of_the_checkout_with_its_library(checkouts):
    place, python = checkouts
    schema = place / "second" / "config" / "schema.yaml"
    schema.write_text(schema.read_text().replace("domains:", "places:", 1))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    typed = [python, "-m", "learnability", "validate", "config/test.yaml"]
    done = subprocess.run(typed, cwd=place / "second", env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1 and "unknown key 'domains'" in done.stdout + done.stderr
