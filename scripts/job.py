"""How every script of the pipeline runs: its messages and warnings go to the rule's log, its errors say what to do.

The log also says what the job cost: seconds of CPU until its script began (Python, Snakemake's preamble, imports), and until
its end.
"""

import logging
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from inspect import signature
from time import process_time
from types import FrameType
from typing import Any

from learnability.common.conditioning import one_warning


def run(main: Callable[..., None], snakemake: Any) -> None:
    """Call `main` with the rule's inputs, params and outputs by name; it takes the ones that it names."""
    log = snakemake.log[0]
    logging.basicConfig(filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s")
    logging.info("began after %.3f s of CPU", process_time())
    warnings.showwarning = _noted
    signal.signal(signal.SIGTERM, _terminated)
    arguments = {**dict(snakemake.params.items()), **dict(snakemake.output.items()), **dict(snakemake.input.items())}
    arguments |= {"threads": snakemake.threads, "gpu": snakemake.resources.get("gpu", 0)}
    try:
        with one_warning():
            main(**{name: arguments[name] for name in signature(main).parameters})
    except KeyboardInterrupt:
        sys.exit(f"{snakemake.rule}: interrupted, nothing half done is left")
    except Exception as error:
        logging.error("%s", traceback.format_exc())
        sys.exit(f"{snakemake.rule}: {type(error).__name__}: {error}\n(the whole story: {log})")
    logging.info("done after %.3f s of CPU", process_time())


def _noted(message: Warning | str, category: type[Warning], *_: object) -> None:
    """A warning goes to the log and to the terminal."""
    logging.warning("%s: %s", category.__name__, message)
    print(f"note: {message}", file=sys.stderr)


def _terminated(number: int, frame: FrameType | None) -> None:
    """Slurm sends SIGTERM some seconds before it kills a job: time to leave no half-written file, and to say so."""
    logging.error("ended by %s, as at the end of a job's time or by scancel", signal.Signals(number).name)
    sys.exit(128 + number)
