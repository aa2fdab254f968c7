"""Figures: one module per kind, each with `draw(table, **options) -> Figure`.

`FIGURES` names the kinds a study may ask for and the module that draws each; a new kind is one file and one line here.
The modules are imported when they are needed, so that a change of one redraws its figures only, and Matplotlib with them:
every job on a cluster reads the rules, and with them these names, twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.errors import choose
from ..common.store import replacing
from .study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES = {
    "learning_curves": "learnability.figures.learning_curves",
    "conservation": "learnability.figures.conservation",
    "comparison": "learnability.figures.comparison",
    "after_kernel": "learnability.figures.after_kernel",
    "beyond_the_data": "learnability.figures.beyond_the_data",
    "circle_fits": "learnability.figures.fits",
    "corrections": "learnability.figures.corrections",
    "covariance": "learnability.figures.covariance",
    "estimators": "learnability.figures.estimators",
    "fidelity": "learnability.figures.fidelity",
    "hard_samples": "learnability.figures.hard_samples",
    "hermite_ansatz": "learnability.figures.hermite_ansatz",
    "large_data": "learnability.figures.large_data",
    "large_spectrum": "learnability.figures.large_spectrum",
    "modules": "learnability.figures.modules",
    "optimizers": "learnability.figures.optimizers",
    "random_features": "learnability.figures.random_features",
    "select": "learnability.figures.select",
    "shifted_test": "learnability.figures.shifted_test",
    "small_n": "learnability.figures.small_n",
    "universal": "learnability.figures.universal",
    "width_sweep": "learnability.figures.width_sweep",
}


def drawing(kind: str) -> Callable[..., Figure]:
    """The function that draws a kind of figure; ValueError names the kinds there are."""
    return import_module(FIGURES[choose("figure", kind, FIGURES)]).draw


def told_apart(kind: str, options: Mapping[str, Any]) -> Collection[str | None]:
    """The columns of a table of which a figure shows several values without mixing them: TOLD_APART or `told_apart`."""
    module = import_module(FIGURES[choose("figure", kind, FIGURES)])
    return module.told_apart(**options) if hasattr(module, "told_apart") else module.TOLD_APART


def check(kind: str, study: Study) -> None:
    """ValueError if a study has nothing that a kind of figure draws: its module's `check(study)`, where there is one."""
    module = import_module(FIGURES[choose("figure", kind, FIGURES)])
    if hasattr(module, "check"):
        module.check(study)


def save(figure: Figure, pdf: str | Path, svg: str | Path, png: str | Path) -> None:
    """Write a figure in three formats, without time stamps, each renamed into place."""
    from matplotlib import rc_context

    from .style import SETTINGS

    for path, form, stamp in ((pdf, "pdf", {"CreationDate": None}), (svg, "svg", {"Date": None}), (png, "png", {})):
        with replacing(path) as partial, rc_context(SETTINGS):
            figure.savefig(partial, format=form, dpi=200, metadata=stamp)


def format_of(path: str | Path) -> str:
    """The format that a file's ending names; ValueError if it is none of pdf, svg and png."""
    return choose("figure format", Path(path).suffix.lstrip("."), ("pdf", "svg", "png"))


def save_as(figure: Figure, path: str | Path) -> None:
    """Write a figure in the format of `format_of`."""
    from matplotlib import rc_context

    from .style import SETTINGS

    with replacing(path) as partial, rc_context(SETTINGS):
        figure.savefig(partial, format=format_of(path), dpi=200)
