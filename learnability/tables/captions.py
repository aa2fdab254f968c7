"""A figure's caption: its settings, and how far experiment is from theory, from its table."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pandas as pd

from .. import __version__
from .agreement import agreement
from .columns import NAMES
from .recommendation import recommendation

CLOSE = 3  # standard errors
SOFTWARE = ("torch", "numpy", "scipy", "snakemake")


def caption(name: str, settings: Mapping[str, Any], table: pd.DataFrame) -> str:
    """A page of reStructuredText.

    Parameters
    ----------
    settings : dict, JSON-serialisable
        What the study or experiment is.
    table : DataFrame, see `learnability.tables.agreement.agreement`
    """
    lines = [f"**{name}**", ""]
    lines += [f"- {key}: ``{_short(value)}``" for key, value in settings.items() if value not in ({}, [], None)]
    lines += [
        "",
        *_summary(table),
        *(f"- {line}" for line in recommendation(table)),
        "",
        f"Made with learnability {__version__}, {_versions()}.",
    ]
    return "\n".join(lines) + "\n"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 300 else f"{text[:297]}..."


def _summary(table: pd.DataFrame) -> list[str]:
    """One line per source and measure."""
    if "theory" not in table and "source" not in table:
        return ["No theory is compared here."]
    distances = agreement(table)
    lines = []
    for (source, measure), part in distances.groupby(["source", "measure"], sort=False):
        part = part[part["theory"] != 0]
        z, relative = part["z"].dropna().abs(), part["relative"].dropna().abs()
        statements = []
        if len(z):
            statements.append(f"{(z <= CLOSE).sum()} of {len(z)} within {CLOSE} standard errors of theory")
        if len(relative):
            statements.append(
                f"median relative difference {100 * relative.median():.3g} %, largest {100 * relative.max():.3g} %"
            )
        if statements:
            lines.append(f"- {NAMES.get(source, source)}, {measure}: {len(part)} means; {'; '.join(statements)}")
    return lines or ["No theory is compared here."]


def _versions() -> str:
    return ", ".join(f"{package} {version(package)}" for package in SOFTWARE)
