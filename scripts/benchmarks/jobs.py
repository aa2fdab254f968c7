"""Where the core time of a run goes, from the logs of its jobs: training, other mathematics, and what is neither."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDERS = ("config", "envs", "profiles", "report", "rules", "scripts", "learnability")  # of which a run needs a copy
MATHEMATICS = ("networks", "kernels", "spectra", "theory", "regression", "experiments")  # folders of logs


def by_part(logs: Path) -> list[dict[str, Any]]:
    """Seconds of CPU by part.

    Parameters
    ----------
    logs : Path
        The folder `logs`, all of whose jobs are counted, also of earlier runs; those that did not finish are left out.

    Returns
    -------
    list of rows {part, jobs, seconds, share}; the shares add up to 1
    """
    seconds: defaultdict[str, float] = defaultdict(float)
    jobs: defaultdict[str, int] = defaultdict(int)
    for path in sorted(logs.rglob("*.log")):
        rule, text = path.relative_to(logs).parts[0].removesuffix(".log"), path.read_text(encoding="utf-8")
        done = _seconds("done after", text)
        if not done:
            continue
        if rule == "snakemake":
            seconds["Snakemake itself"], jobs["Snakemake itself"] = done, 1
            continue
        began, trained = _seconds("began after", text), _seconds("trained in", text)
        jobs["starting jobs"] += 1
        seconds["starting jobs"] += began
        own = f"{rule}: measures and files" if trained else rule
        for part, spent in ((own, done - began - trained), ("networks: training", trained)):
            if spent:
                seconds[part] += spent
                jobs[part] += 1
    total = sum(seconds.values())
    return [
        {"part": part, "jobs": jobs[part], "seconds": seconds[part], "share": seconds[part] / total}
        for part in sorted(seconds, key=lambda part: seconds[part], reverse=True)
    ]


def overhead(rows: Sequence[Mapping[str, Any]]) -> float:
    """The share that is not mathematics: Snakemake, starts of jobs, tables, figures, measures and files of networks."""
    return sum(row["share"] for row in rows if not _is_mathematics(row["part"]))


def _is_mathematics(part: str) -> bool:
    return part == "networks: training" or part in MATHEMATICS


def _seconds(what: str, text: str) -> float:
    return sum(map(float, re.findall(rf"{what} ([\d.]+) s of CPU", text)))


def logs_of_a_run(folder: Path) -> Path:
    """Run the default configuration in an empty folder; returns the folder of its logs."""
    for part in FOLDERS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    snakemake = Path(sys.executable).parent / "snakemake"
    subprocess.run([snakemake, "--cores", "all", "--quiet", "all"], cwd=folder, check=True, capture_output=True)
    return folder / "logs"
