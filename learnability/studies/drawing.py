"""Whether the figures of a configuration can draw their studies and experiments without mixing what differs."""

from .. import figures
from ..common.errors import choose, require, require_arguments
from ..experiments import EXPERIMENTS
from ..tables.columns import KEYS, MEASURES
from .configuration import Experiment, Study

SWEPT = {  # options of experiments that are lists, and the columns of their entries
    "train_sizes": "train_size",
    "ridges": "ridge",
    "noise_stds": "noise_std",
    "targets": "target",
    "frequencies": "target",
    "features": "features",
    "errors": "error",
    "degrees": "degree",
}


def check_figure_options(entry: Study | Experiment) -> None:
    """The options are those of the kind of figure."""
    require_arguments("figure option", figures.drawing(entry.figure), entry.figure_options, without=["table"])


def check_figure(study: Study) -> None:
    """A figure must not average over what it does not tell apart, and draws what there is."""
    require(study.figure not in EXPERIMENTS, f"figure {study.figure} draws an experiment, not a study")
    several = {
        "architecture": study.learners,
        "target": [*study.targets],
        "ridge": study.ridges,
        "noise_std": study.noise_stds,
        "width": study.widths,
        "train_size": "many, along the theory's curve",
    }
    if study.figure == "comparison":
        _check_comparison(study, several)
    _require_told_apart(study, several)
    figures.check(study.figure, study)


def check_figure_of_experiment(entry: Experiment) -> None:
    """An experiment has a figure of its own, or a comparison; neither mixes values of what the cells or options sweep."""
    require(
        entry.figure in (entry.kind, "comparison"),
        f"figure {entry.figure} does not draw an experiment of kind {entry.kind}; write figure: comparison"
        + (f" or {entry.kind}" if entry.kind in figures.FIGURES else ""),
    )
    several: dict[str, list] = {}
    for options, labels in entry.cells.values():
        swept = {SWEPT[key]: values for key, values in options.items() if key in SWEPT}
        swept |= {key: [label] for key, label in labels.items() if key not in SWEPT}
        for column, values in swept.items():
            several.setdefault(column, []).extend(value for value in values if value not in several[column])
    _require_told_apart(entry, several)


def _require_told_apart(entry: Study | Experiment, several: dict) -> None:
    """Columns of the table with several values are among those that the figure tells apart."""
    shown = figures.told_apart(entry.figure, entry.figure_options)
    for column, values in several.items():
        require(
            len(values) <= 1 or column in shown,
            f"figure {entry.figure} does not tell apart values of {column}, and there are {values}; give one of them, or "
            f"draw figure: comparison with {column} as x, group, panel or in select",
        )


def _check_comparison(study: Study, several: dict) -> None:
    """Columns, measures and values that a comparison asks for are those of the study's table."""
    options = study.figure_options
    places = {key: options[key] for key in ("x", "group", "panel") if options.get(key) is not None}
    for key, column in [*places.items(), *(("select", column) for column in options.get("select") or {})]:
        choose(f"figure_options.{key}", column, [name for name in (*KEYS, "measure") if name != "seed"])
    for measure in options.get("measures") or ():
        choose("figure_options.measures", measure, MEASURES)
    for key in ("x", "panel"):
        require(
            places.get(key) != "width" or study.widths,
            f"figure_options.{key}: width without widths; give the widths of the networks, or another column",
        )
    values = {**several, "train_size": [*study.train_sizes, *study.network_sizes]}
    for column, value in (options.get("select") or {}).items():
        require(
            value in values.get(column, [value]),
            f"figure_options.select: the study has no {column} {value!r}; it has {values.get(column)}",
        )
