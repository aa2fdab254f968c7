"""Start programs, and end them and all that they started when standard input ends: `python supervisor.py`, a JSON list of commands a line.

Daemons and jobs leave their parents, sessions and process groups. As a subreaper this process becomes the parent of whatever loses
its own, so that none survives, however the tests end: the pipe closes even when they are killed.
"""

import ctypes
import json
import subprocess
import sys

import psutil

SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main():
    """Start what each line says, its output to the named file, until there are no more lines."""
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)
    for line in sys.stdin:
        command, output = json.loads(line)
        with open(output, "a") as log:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    while children := psutil.Process().children(recursive=True):
        for child in children:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(psutil.Process().children(), timeout=1)


if __name__ == "__main__":
    main()
