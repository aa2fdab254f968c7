"""The repository agrees with itself: pins, formatting, and the rules' completeness."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
CONDA_NAMES = {"torch": "pytorch", "snakemake": "snakemake-minimal", "matplotlib": "matplotlib-base"}


def test_conda_environment_has_the_same_pins():
    lines = (ROOT / "envs" / "requirements.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    entries = yaml.safe_load((ROOT / "envs" / "environment.yaml").read_text())["dependencies"]
    conda = dict(entry.split(" =") for entry in entries if not entry.startswith("python "))
    assert {CONDA_NAMES.get(name, name).lower(): version for name, version in pins.items()} == conda


def test_versions_agree():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    import learnability

    assert learnability.__version__ == version
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text()


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "rules"],
        ["snakemake", "--lint"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_lint(command):
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_complete():
    for path in (ROOT / "rules").glob("*.smk"):
        for rule in re.split(r"\n\n\nrule ", "\n\n\n" + path.read_text())[1:]:
            name = rule.split(":")[0]
            if name not in ("figures", "tables"):
                for directive in ("message", "log", "benchmark", "threads", "resources", "conda"):
                    assert re.search(rf"^    {directive}:", rule, re.M), f"rule {name} lacks {directive}"


def test_sorts_keep_the_order_of_equal_keys():
    """NumPy's default is a sort whose order of equal keys depends on the processor."""
    for path in (ROOT / "scripts").rglob("*.py"):
        for call in re.findall(r"(?:argsort|sort_values)\([^()]*\)", path.read_text()):
            assert 'kind="stable"' in call, f"{path.name}: {call}"


def test_the_picture_of_the_imports_is_up_to_date():
    from describe_architecture import PAGE, with_picture

    assert PAGE.read_text() == with_picture(PAGE.read_text()), "run `make docs`"


def test_public_names_exist():
    import learnability

    for name in learnability.__all__:
        assert getattr(learnability, name) is not None
