"""How right a run was about the time that it still took, from Snakemake's own log of it."""

import re
from datetime import datetime
from pathlib import Path

from .measured import Row

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}
STAMP = re.compile(r"^\[(\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})\]$", re.MULTILINE)
LINE = re.compile(r"^(\d+) of (\d+) jobs, about ([\d.]+) (\w+) left$", re.MULTILINE)


def progress(log: Path) -> list[Row]:
    """The lines of progress in .snakemake/log/*.log, with the time that was left, which is known to a second.

    Returns
    -------
    list of rows {jobs, share, told, left, ratio}; share is that of the run's time that had passed, times are in seconds
    """
    text = log.read_text(encoding="utf-8")
    stamps = [(match.start(), _seconds(match[1])) for match in STAMP.finditer(text)]
    began, ended = stamps[0][1], stamps[-1][1]
    rows = []
    for match in LINE.finditer(text):
        at = max((time for place, time in stamps if place < match.start()), default=began)
        told, left = float(match[3]) * UNITS[match[4]], ended - at
        if left > 0:
            share = (at - began) / (ended - began)
            rows.append(
                {"jobs": f"{match[1]} of {match[2]}", "share": share, "told": told, "left": left, "ratio": told / left}
            )
    return rows


def _seconds(stamp: str) -> float:
    return datetime.strptime(stamp, "%a %b %d %H:%M:%S %Y").timestamp()
