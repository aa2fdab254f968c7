"""Which GPUs a job uses: jobs on one machine take different ones.

A job that asks for GPUs locks a file per device in a folder of the user's, and shows PyTorch no others. A lock goes with its
process, however that ends. Devices are those that CUDA_VISIBLE_DEVICES lists (a scheduler's allocation, or the user's choice),
without it those that nvidia-smi lists.
"""

import fcntl
import logging
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from time import sleep

from .errors import require

VARIABLE = "CUDA_VISIBLE_DEVICES"
RETRY = 1.0  # seconds

log = logging.getLogger(__name__)


def visible_gpus() -> list[str]:
    """The devices that this process may choose from, as CUDA_VISIBLE_DEVICES names them.

    Examples
    --------
    >>> os.environ[VARIABLE] = "0,1"
    >>> visible_gpus()
    ['0', '1']
    >>> del os.environ[VARIABLE]
    """
    if VARIABLE in os.environ:
        return [name for name in os.environ[VARIABLE].split(",") if name.strip() not in ("", "-1")]
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return re.findall(r"^GPU \d+: .*\(UUID: (\S+)\)", listed, re.M)


@contextmanager
def gpus(number: int, folder: str | PathLike | None = None) -> Iterator[list[str]]:
    """Inside, PyTorch sees `number` devices that no other job has taken in this way; waits until there are as many.

    To be entered before PyTorch starts CUDA. Where a job sees just as many devices as it asks for, its scheduler has chosen
    them, and nothing is locked; where it sees none, it computes on the CPU.

    Parameters
    ----------
    number : int
        0 changes nothing.
    folder : path-like, optional
        Of the locks; missing: one of the user's among the temporary files.

    Yields
    ------
    list of str, the devices

    Raises
    ------
    ValueError
        More are asked for than there are.

    Examples
    --------
    >>> with gpus(0) as devices:
    ...     devices
    []
    """
    there = visible_gpus() if number else []
    require(
        not there or number <= len(there),
        f"a job asks for {number} GPUs, and there are {len(there)}: {', '.join(there)}; lower `training: gpus`",
    )
    if len(there) <= number:
        yield there
        return
    folder = Path(folder or Path(tempfile.gettempdir()) / f"learnability-gpus-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = os.environ.get(VARIABLE)
    with _locked(number, there, folder) as taken:
        os.environ[VARIABLE] = ",".join(taken)
        log.info("GPU %s of %s", os.environ[VARIABLE], ", ".join(there))
        try:
            yield taken
        finally:
            os.environ.pop(VARIABLE) if before is None else os.environ.update({VARIABLE: before})


@contextmanager
def _locked(number: int, devices: list[str], folder: Path) -> Iterator[list[str]]:
    """Lock the first free ones, all of them or none, so that two jobs never wait for each other."""
    while True:
        with ExitStack() as held:
            taken = []
            for device in devices:
                file = held.enter_context(open(folder / re.sub(r"[^A-Za-z0-9-]", "_", device), "w"))
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                taken.append(device)
                if len(taken) == number:
                    yield taken
                    return
        log.info("waiting for %d of %d GPUs", number, len(devices))
        sleep(RETRY)
