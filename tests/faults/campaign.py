"""A campaign of seeded random faults: `make test-faults`, or `python tests/faults/campaign.py FAULTS [FIRST_SEED]`.

Each fault hits a copy of a finished run from which some results were taken away. Then the workflow is run again, as a user would:
it must end with the tables of the undisturbed run, or stop with an error that names the file or the lock, after which doing what the
message says must lead to these tables. A table that differs without a word is a silent difference; there must be none.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import sleep

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
FOLDERS = ("config", "envs", "profiles", "report", "rules", "scripts")
STUDY = {
    "domains": {"table": {"kind": "data", "path": "table.csv"}},
    "architectures": {"relu": {"depth": 1, "bias_std": 0.1}},
    "training": {"block": 1},
    "studies": {
        "curve": {
            "figure": "comparison", "domain": "table", "architectures": ["relu"], "targets": [{"all": None}], "train_sizes": [2, 4],
            "widths": [8], "seeds": 2, "figure_options": {"x": "train_size", "measures": ["test_mse"]},
        }
    },
}  # fmt: skip


def prepared(place):
    """A folder in which the study has not run yet."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", place)
    (place / "config" / "study.yaml").write_text(yaml.safe_dump(STUDY))
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.standard_normal((24, 3)), columns=["a", "b", "y"])
    table.to_csv(place / "table.csv", index=False)


def command(*arguments):
    return [SNAKEMAKE, "--cores", "1", "--configfile", "config/study.yaml", *arguments]


def ran(place, *arguments, limits=""):
    line = " ".join(map(str, command(*arguments)))
    done = subprocess.run(["bash", "-c", f"{limits} {line}"], cwd=place, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def tables(place):
    """The final tables, byte for byte."""
    return {path.relative_to(place): path.read_bytes() for path in sorted((place / "results").rglob("*.csv"))}


def results(place):
    return sorted((place / "results").rglob("*.h5"))


def take_away(place, rng):
    """Delete the final tables and some intermediates."""
    for path in [*results(place), *(place / "results").rglob("*.csv")]:
        if "studies" in path.parts or rng.random() < 0.3:
            path.unlink()


# --- faults: each disturbs a run and returns what was said, or "" --------------------------------------------------------


def kill_a_job(place, rng):
    """SIGKILL one process of a job."""
    run = subprocess.Popen(command(), cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    sleep(rng.uniform(2, 5))
    found = subprocess.run(
        ["pgrep", "-f", f"{place}/.snakemake/scripts"], capture_output=True, text=True
    ).stdout.split()
    if found:
        with suppress(ProcessLookupError):
            os.kill(int(rng.choice(found)), signal.SIGKILL)
    return run.communicate(timeout=300)[0]


def kill_everything(place, rng):
    """SIGKILL Snakemake and its jobs."""
    run = subprocess.Popen(
        command(), cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    sleep(rng.uniform(0.5, 6))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait(30)
    return ""


def flip(place, rng):
    """Flip a bit of a result file."""
    path = rng.choice(results(place))
    content, position = bytearray(path.read_bytes()), rng.randrange(path.stat().st_size)
    content[position] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return ""


def truncate(place, rng):
    """Cut a result file off."""
    path = rng.choice(results(place))
    os.truncate(path, rng.randrange(path.stat().st_size))
    return ""


def not_a_number(place, rng):
    """Write nan into the data; then restore them."""
    path = place / "table.csv"
    text = path.read_text()
    lines = text.splitlines()
    row, column = rng.randrange(1, len(lines)), rng.randrange(3)
    cells = lines[row].split(",")
    cells[column] = "nan"
    path.write_text("\n".join([*lines[:row], ",".join(cells), *lines[row + 1 :]]) + "\n")
    code, said = ran(place)
    expected = f"table.csv: column {'aby'[column]!r} has missing values, the first in line {row + 1}"
    assert code != 0 and expected in said, said
    path.write_text(text)
    return said


def little_memory(place, rng):
    """Run within an address space that is too small for some jobs."""
    return ran(place, limits=f"ulimit -v {rng.randrange(700_000, 4_000_000)};")[1]


def full_disk(place, rng):
    """Results on a file system that fills up; then it grows."""
    kept = place / "kept"
    (place / "results").rename(kept)
    (place / "results").mkdir()
    used = sum(path.stat().st_size // 4096 + 1 for path in kept.rglob("*") if path.is_file()) * 4
    mount = ["mount", "-t", "tmpfs", "-o", f"size={used + rng.randrange(20, 300)}k", "none", str(place / "results")]
    subprocess.run(mount, check=True)
    subprocess.run(["cp", "-a", f"{kept}/.", str(place / "results")], check=True)
    said = ran(place)[1]
    subprocess.run(["mount", "-o", "remount,size=64m", str(place / "results")], check=True)
    return said


FAULTS = [kill_a_job, kill_everything, flip, truncate, not_a_number, little_memory]
if (
    os.geteuid() == 0
    and subprocess.run(["bash", "-c", "d=$(mktemp -d) && mount -t tmpfs none $d && umount $d"]).returncode == 0
):
    FAULTS.append(full_disk)


def recovered(place, undisturbed):
    """Run plainly, do what the messages say, and tell in one word how it ended."""
    told = []
    for _ in range(4):
        code, said = ran(place)
        if code == 0:
            same = tables(place) == undisturbed
            return " after ".join(["same tables", *told]) if same else "SILENT DIFFERENCE"
        named = [
            p
            for p in results(place)
            if re.search(re.escape(str(p.relative_to(place))) + r".*delete it and run snakemake", said)
        ]
        if "--unlock" in said:
            ran(place, "--unlock")
            told.append("unlocking")
        elif named:
            for path in named:
                path.unlink()
            told.append("deleting the named file")
        else:
            return f"NO REMEDY: {said[-2000:]}"
    return "NO END"


def fault(finished, undisturbed, seed):
    """One fault on a copy of the finished run; (its name, how it ended)."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "run"
        subprocess.run(["cp", "-a", str(finished), str(place)], check=True)
        disturb = FAULTS[seed % len(FAULTS)]
        try:
            take_away(place, rng)
            disturb(place, rng)
            return disturb.__name__, recovered(place, undisturbed)
        except Exception as error:
            return disturb.__name__, f"FAILED: {type(error).__name__}: {error}"
        finally:
            if disturb is full_disk:
                subprocess.run(["umount", str(place / "results")], check=False)


def campaign(number, first=0, workers=2):
    """Ends of the faults with seeds first ... first + number - 1, counted by fault and outcome."""
    with tempfile.TemporaryDirectory() as folder:
        finished = Path(folder)
        prepared(finished)
        code, said = ran(finished)
        assert code == 0, said
        undisturbed = tables(finished)
        seeds = range(first, first + number)
        with ThreadPoolExecutor(workers) as pool:
            ends = list(pool.map(lambda seed: fault(finished, undisturbed, seed), seeds))
    for seed, (name, end) in zip(seeds, ends, strict=True):
        if not end.startswith("same tables"):
            print(f"seed {seed}: {name}: {end}")
    return Counter(ends)


if __name__ == "__main__":
    number, first = (int(value) for value in (sys.argv[1:] + ["200", "0"][len(sys.argv) - 1 :])[:2])
    counts = campaign(number, first)
    for (name, end), count in sorted(counts.items()):
        print(f"{count:4d}  {name}: {end.splitlines()[0]}")
    bad = sum(count for (_, end), count in counts.items() if not end.startswith("same tables"))
    print(f"{number} faults, seeds {first} to {first + number - 1}: {bad} that did not end with the same tables")
    sys.exit(bool(bad))
