"""A campaign of seeded random faults: `make test-faults`, or `PYTHONPATH=.:scripts python tests/faults/campaign.py FAULTS [FIRST_SEED]`.

Each fault hits a copy of a finished run. Then the workflow is run again, as a user would: it must end with the tables of the
undisturbed run, or stop with an error that names the file or the lock, after which doing what the message says must lead to these
tables. A table that differs without a word is a silent difference; there must be none.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic

import faults
from runs import by_snakemake, in_one_process, prepared, ran, tables, warmed

# Faults of files, met by the scripts in one process within a fraction of a second, and how many of each come in 24.
OF_FILES = {
    faults.flip: 8,
    faults.truncate: 4,
    faults.exchange: 2,
    faults.gap_in_the_data: 1,
    faults.nan_in_a_training_set: 2,
}
# Faults of processes and file systems, which take Snakemake some seconds each.
OF_PROCESSES = {
    faults.kill_a_job: 1,
    faults.kill_everything: 1,
    faults.terminate: 1,
    faults.little_memory: 1,
    faults.damage_met_by_snakemake: 1,
    faults.full_disk: 1,
    faults.read_only_results: 1,
}
MOUNT = "d=$(mktemp -d) && mount -t tmpfs none $d && umount $d && rmdir $d"


def kinds(number):
    """The first so many faults: those that need a mount are left out where nothing can be mounted."""
    mounts = os.geteuid() == 0 and subprocess.run(["bash", "-c", MOUNT], capture_output=True).returncode == 0
    often = OF_FILES | OF_PROCESSES
    found = [fault for fault in often if mounts or fault not in (faults.full_disk, faults.read_only_results)]
    rest = [fault for fault in found for _ in range(often[fault] - 1)]
    return [(found + rest)[seed % len(found + rest)] for seed in range(number)]


def recovered(place, undisturbed, run):
    """Run plainly, do what the messages say, and tell in a line how it ended."""
    told = []
    for _ in range(4):
        code, said = ran(place, run)
        if code == 0:
            same = tables(place) == undisturbed
            return " after ".join(["same tables", *told]) if same else "SILENT DIFFERENCE"
        named = set(re.findall(r"(results/\S+\.h5)\b.*; delete it and run snakemake again", said))
        if "--unlock" in said:
            ran(place, lambda: by_snakemake("--unlock"))
            told.append("unlocking")
        elif named:
            for path in named:
                (place / path).unlink()
            told.append("deleting the named file")
        else:
            return f"NO REMEDY: {said[-2000:]}"
    return "NO END"


def met(fault, finished, undisturbed, seed):
    """One fault on a copy of the finished run, and how it ended."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "run"
        subprocess.run(["cp", "-a", str(finished), str(place)], check=True)
        try:
            fault(place, rng)
            return recovered(place, undisturbed, in_one_process if fault in OF_FILES else by_snakemake)
        except AssertionError as error:
            return f"FAILED: {error}"


def campaign(number, first=0):
    """Print how every fault ended, then a count; the number of those that did not end with the same tables."""
    began, ends = monotonic(), Counter()
    with tempfile.TemporaryDirectory() as warm, tempfile.TemporaryDirectory() as folder:
        warmed(Path(warm))
        finished = Path(folder) / "run"  # as deep as its copies: from there the paths of the source files are the same
        finished.mkdir()
        prepared(finished)
        code, said = ran(finished, by_snakemake)
        undisturbed = tables(finished)
        assert code == 0 and undisturbed == tables(Path(warm)), said
        for seed, fault in enumerate(kinds(first + number)[first:], first):
            end = met(fault, finished, undisturbed, seed)
            print(f"seed {seed}: {fault.__name__}: {end}", flush=True)
            ends[fault.__name__, end.split(":")[0]] += 1
    for (name, end), count in sorted(ends.items()):
        print(f"{count:4d}  {name}: {end}")
    bad = sum(count for (_, end), count in ends.items() if not end.startswith("same tables"))
    silent = sum(count for (_, end), count in ends.items() if end == "SILENT DIFFERENCE")
    print(
        f"{number} faults, seeds {first} to {first + number - 1}, {monotonic() - began:.0f} s: "
        f"{bad} that did not end with the same tables, {silent} of them silently"
    )
    return bad


if __name__ == "__main__":
    sys.exit(campaign(*(int(value) for value in sys.argv[1:])) > 0)
