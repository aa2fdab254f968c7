"""A make target on the other supported Pythons of this machine: `make test-pythons`, `make test-newest`.

`python tests/pythons.py TARGET [--newest]` leaves out the Python that runs it: `make test` is for that one.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13")
OWN = "{}.{}".format(*sys.version_info)
# Debian's Python has no ensurepip until python3-venv is installed: no environment can be made with it.
VERSION = "import ensurepip, sys; print('{}.{}'.format(*sys.version_info))"


def candidates(version: str) -> Iterator[Path]:
    """Where a Python of this version may lie: on PATH, or below pyenv's root, chosen there or not."""
    yield from (Path(folder) / f"python{version}" for folder in os.get_exec_path())
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob(f"versions/{version}.*/bin/python"))


def works(program: Path, version: str) -> bool:
    """Whether the program is this Python; pyenv's shims are there, and fail, for versions that are not chosen."""
    try:
        answer = subprocess.run([program, "-c", VERSION], capture_output=True, text=True)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


def interpreter(version: str) -> Path | None:
    """The first working Python of this version, if there is one."""
    return next((program for program in candidates(version) if works(program, version)), None)


def main() -> int:
    """Make the target on one Python after the other; the number of those on which it failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", help="of the Makefile, such as test")
    parser.add_argument("--newest", action="store_true", help="only on the newest Python, if it is newer than this one")
    arguments = parser.parse_args()
    outcomes = {OWN: f"`make {arguments.target}` is for this one"}
    interpreters = {version: interpreter(version) for version in SUPPORTED if version != OWN}
    outcomes |= {version: "not on this machine" for version, program in interpreters.items() if program is None}
    chosen = [version for version in interpreters if version not in outcomes]
    if arguments.newest:
        chosen = [version for version in chosen[-1:] if version > OWN]
    for version in chosen:
        command = ["make", arguments.target, f"PYTHON={interpreters[version]}", f"VENV=.venv-{version}"]
        print(*command, flush=True)
        outcomes[version] = "failed" if subprocess.run(command).returncode else "passed"
    for version in SUPPORTED:
        print(f"Python {version}: {outcomes.get(version, 'left out')}")
    return list(outcomes.values()).count("failed")


if __name__ == "__main__":
    sys.exit(main() > 0)
