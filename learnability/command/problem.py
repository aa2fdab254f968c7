"""From a command's arguments to domains, targets and tables: the same functions that the workflow calls."""

import shlex
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal

import click
import numpy as np
import pandas as pd
import yaml
from click.core import ParameterSource
from numpy.typing import ArrayLike

from ..common.errors import require
from ..curves.beyond import EXTRAPOLATED
from ..curves.columns import INTERVAL
from ..curves.learning_curve import LearningCurve, checked_curve
from ..domains import domain_from, label_of, target_from
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..domains.samples import DataSet
from ..figures import drawing, save_as
from ..figures.style import colours
from ..kernels.kernel import Kernel
from ..selection.selection import OF_CLASSES, Selection
from ..spectra.target import Target
from ..studies.schema import load_config, load_schema
from ..studies.validation import check_meaning, checked
from ..tables.recommendation import best_lines, named, samples_lines
from ..theory.extrapolation import Extrapolation
from .terminal import as_text, bars, width
from .workflow import workflow_file

FALLS = (0.9, 0.75, 0.5)  # shares of today's error, for which the samples needed are told
BAND = 0.2  # opacity
SHORT = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
    "log_loss": "log-loss",
}  # beside each other in a table
BEST, OTHERS = "* ", "  "  # before candidates of a ranking


def problem(
    file: str | None, table_options: dict, domain: str | None, target: str | None
) -> tuple[Domain, dict[str, Target]]:
    """The domain and its targets, {label: Target}, from a data file or from YAML texts; says what was understood of a file.

    Parameters
    ----------
    table_options : dict
        How a file is read, as `learnability.domains.samples.DataSet` takes it; what is None or empty was not asked for.

    Raises
    ------
    ValueError
        Neither or both of file and domain; a domain without a target; what `domain_from` and `target_from` refuse.
    """
    require((file is None) != (domain is None), "give either a data file or --domain")
    options = {name: value for name, value in table_options.items() if value}
    if domain is not None:
        unused = [f"--{name}" for name in options]
        require(not unused, f"{', '.join(unused)}: for data files only")
        require(target is not None, "--target is missing, e.g. --target '{parity: 3}'")
        space = _shown(mapping_of("--domain", domain, "{kind: hypercube, dim: 8}"))
    else:
        space = _data(str(file), options)
    entry = mapping_of("--target", target or "{all: null}", "{parity: 3}")
    return space, {label_of(entry): target_from(space, entry)}


def _data(file: str, options: dict) -> Domain:
    """The data set in a file; a ValueError names the file."""
    options = {name: [*value] if name == "drop" else value for name, value in options.items()}
    try:
        return _shown({"kind": "data", "path": file, **options})
    except ValueError as error:
        raise ValueError(str(error) if file in str(error) else f"{file}: {error}") from error


def _shown(specification: dict) -> Domain:
    """The domain of a specification; what was understood of a data set is shown, and remarks on it after that."""
    with warnings.catch_warnings(record=True) as remarks:
        space = domain_from(specification)
    if hasattr(space, "understood"):
        click.echo(space.understood, err=True)
    for remark in remarks:
        warnings.warn(remark.message, stacklevel=2)
    return space


def test_set_of(space: Domain, path: str | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Points and labels of a test set in a file, read as the data set was."""
    if path is None:
        return None
    require(
        isinstance(space, DataSet), "--test is another file with the columns of FILE; a domain has all of its points"
    )
    assert isinstance(space, DataSet)
    points, labels = space.test_set(path)
    click.echo(f"test set {path}: {len(points)} rows, read as the training table", err=True)
    return points, labels


def require_writable(*paths: str | None) -> None:
    """ValueError that names a file which cannot be written; nothing is left where it could be."""
    for path in filter(None, paths):
        place = Path(path)
        require(not place.is_dir(), f"cannot write {path}: it is a folder; name a file in it")
        folder = next(parent for parent in place.absolute().parents if parent.exists())
        try:
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ValueError(f"cannot write {path} ({error.strerror}); choose another place") from error


def mapping_of(option: str, text: str, example: str) -> dict[str, Any]:
    """An option in YAML; ValueError with the example unless it is a mapping."""
    try:
        entry = yaml.safe_load(text)
    except yaml.YAMLError:
        entry = None
    if not isinstance(entry, dict) or not entry:
        raise ValueError(f"{option} {text!r} is no YAML mapping; write e.g. '{example}'")
    return entry


def predicted(
    space: Domain,
    targets: Mapping[str, Target],
    network: Kernel,
    kind: str,
    sizes: ArrayLike,
    ridges: Sequence[float] | Literal["auto"],
    noise_stds: Sequence[float],
    theory: str,
    solve: Callable[..., LearningCurve] = checked_curve,
    test_set: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[pd.DataFrame, dict[float, Extrapolation]]:
    """The theory's rows, as in the table of a study, and by ridge what was extrapolated beyond the data."""
    ((name, target),) = targets.items()
    axes = [sizes, [np.nan] if ridges == "auto" else ridges, noise_stds]
    n, ridge, noise_std = np.meshgrid(*axes, indexing="ij")
    learner = KernelOnDomain(space, network, kind)
    curve = solve(learner, target, n, "auto" if ridges == "auto" else ridge, noise_std, theory, test_set)
    return curve.to_frame().assign(target=name, source="theory"), curve.extrapolations


def at_sizes(table: pd.DataFrame, sizes: Sequence[int]) -> pd.DataFrame:
    """The rows of some training-set sizes, in the order of the sizes."""
    return pd.concat(
        [table[:0], *(table[table["train_size"] == size] for size in dict.fromkeys(sizes))], ignore_index=True
    )


def summary(table: pd.DataFrame) -> str:
    """The columns of predictions that a reader looks at first, as text; what the spectrum alone says is left to --csv."""
    several = [name for name in ("ridge", "noise_std") if table[name].nunique() > 1 or table[name].max() > 0]
    measures = ["learnability", "train_mse", "test_mse", "test_mse_off_train", *INTERVAL, "nmse", "r2"]
    names = [
        *measures,
        "accuracy_off_train",
        "balanced_accuracy_off_train",
        "log_loss_off_train",
        *(f"test_set_{name}" for name in ("mse", "r2", *OF_CLASSES)),
        "test_mse_std",
    ]
    keys = table[["train_size", *several]].rename(columns={"train_size": "n"})
    rows = [", ".join(f"{name} = {value:.4g}" for name, value in row.items()) for row in keys.to_dict("records")]
    chosen = table.reindex(columns=names).set_axis(rows).dropna(axis=1, how="all")
    return as_text(chosen, 4, width())


def needed_lines(space: Domain, curves: Mapping[float, Extrapolation]) -> list[str]:
    """How many samples bring the error to some shares of today's, a line per ridge.

    None where no share is reached, or where some of the rows were extrapolated from, whose error is not that of all.
    """
    if space.size is None or space.size > EXTRAPOLATED:
        return []
    lines = []
    for ridge, curve in curves.items():
        needed = {share: curve.samples_needed(fall=share) for share in FALLS}
        parts = [f"{share:g} with {_interval(*found)}" for share, found in needed.items() if np.isfinite(found[0])]
        if parts:
            lines.append(f"ridge {ridge:g}: of today's error, {'; '.join(parts)} samples (90 % interval)")
    return lines


def _interval(median: float, low: float, high: float) -> str:
    middle, least, most = (f"{float(f'{samples:.2g}'):g}" for samples in (median, low, high))
    return f"{middle} ({least} to {most if np.isfinite(high) else 'any number'})"


def ranking(selection: Selection, shared: Mapping[str, Any], reach: float | None = None) -> str:
    """A selection as text: candidates by their error at the largest size, and what to take.

    shared : dict
        The parameters that all candidates have.
    reach : float, optional
        A normalised error, for which the samples needed are told.
    """
    sizes = sorted(selection.table["train_size"].unique())
    candidate, measure = [*selection.parameters], "nmse" if selection.by == "error" else selection.by
    wide = _wide(selection.table, candidate, measure)
    wide = wide.sort_values(wide.columns[-1], kind="stable", ascending=not measure.endswith("accuracy"))
    for name in OF_CLASSES:
        if name != measure and selection.table[name].notna().all():
            wide = wide.join(_wide(selection.table, candidate, name, SHORT[name]).iloc[:, -1:])
    if "spread" in selection.table:
        wide = wide.join(
            _wide(selection.table, candidate, "spread").iloc[:, -1:].rename(columns=lambda name: "± over seeds")
        )
    if "ridge" not in candidate:
        wide = wide.join(_wide(selection.table, candidate, "ridge", "best ridge"))
    if reach is not None:
        needed = selection.samples_needed(reach).set_index(candidate).reindex(wide.index)
        group = f"samples for nmse {reach:g}"
        wide[group, ""], wide[group, "±"] = needed["samples"], needed["standard_error"]
        wide[group, "bar"] = bars(needed["samples"])
    text = as_text(wide.set_axis(_candidates(wide.index)), 3, width())
    same = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in shared.items()
    )
    moved = f"another draw would move an error by about {100 * selection.sampling_error:.2g} %"
    lines = [
        f"{len(wide)} candidates{same and f', all of {same},'} ranked in {selection.seconds:.2g} s, nothing trained"
    ]
    if selection.samples is not None:
        lines.append(
            f"predicted from {len(selection.samples)} rows, drawn at random and the same for all"
            + (f": {moved}" if np.isfinite(selection.sampling_error) else "")
        )
    if selection.on_test_set:
        lines.append(f"errors are those on the {len(selection.variances)} rows of the test set")
    lines += ["", text, f"{BEST}best at n = {sizes[-1]:g}", ""]
    lines += best_lines(selection.best(), selection.by)
    if reach is not None:
        lines += samples_lines(selection.samples_needed(reach), reach, sizes[0])
    return "\n".join(lines)


def _wide(table: pd.DataFrame, candidate: list[str], measure: str, name: str | None = None) -> pd.DataFrame:
    """A measure, a row per candidate and a column per training size, below its name."""
    wide = table.pivot(index=candidate, columns="train_size", values=measure)
    sizes = [(f"{name or measure} at n =", f"{size:g}") for size in wide.columns]
    return wide.set_axis(pd.MultiIndex.from_tuples(sizes), axis=1)


def _candidates(index: pd.MultiIndex) -> pd.Index:
    """Candidates by name, the first one marked as the best."""
    names = [named(row) for row in index.to_frame().to_dict("records")]
    return pd.Index([(OTHERS if row else BEST) + name for row, name in enumerate(names)])


def drawn(table: pd.DataFrame, asked: pd.DataFrame, path: str, title: str, by_ridge: bool = True) -> None:
    """Error (off the training set, on a finite domain) and learnability against the training-set size.

    Bars at the sizes that were asked for are the scatter of one training set, one standard deviation to each side.

    A colour per ridge, unless every size has its own; then one per level of label noise.

    The interval of an error beyond the data is a band.
    """
    error = "test_mse_off_train" if table["test_mse_off_train"].notna().any() else "test_mse"
    group = "ridge" if by_ridge else "noise_std"
    options = {"x": "train_size", "group": group, "measures": [error, "learnability"], "title": title}
    figure = drawing("comparison")(table.assign(width=float("nan"), architecture="", seed=0), **options)
    for ridge, colour in (colours(dict.fromkeys(table["ridge"])) if by_ridge else {None: "0.3"}).items():
        rows = asked if ridge is None else asked[asked["ridge"] == ridge]
        if "test_mse_std" in rows and rows["noise_std"].max() == 0 and "test_set_mse" not in rows:
            figure.axes[0].errorbar(
                rows["train_size"],
                rows[error],
                rows["test_mse_std"],
                fmt="none",
                ecolor=colour,
                elinewidth=0.8,
                capsize=2,
            )
    if INTERVAL[0] in table:
        for ridge, colour in colours(dict.fromkeys(table["ridge"])).items():
            rows = table[(table["ridge"] == ridge) & table[INTERVAL[0]].notna()]
            low, high = (rows[name] for name in INTERVAL)
            figure.axes[0].fill_between(rows["train_size"], low, high, color=colour, alpha=BAND, linewidth=0)
    save_as(figure, path)


def check_config(path: str) -> list[str]:
    """Check a configuration file as the workflow does; returns remarks. ValueError lists all that is wrong, a line each."""
    schema = load_schema(workflow_file("config/schema.yaml"))
    try:
        remarks, _ = check_meaning(checked(load_config(path), schema))
        return remarks
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(str(path)) else f"{path}:\n{text}") from error


def prediction_command(
    context: click.Context, options: Collection[str], file: str, entry: Mapping[str, Any], kernel: str
) -> str:
    """The command `predict` for a dense network of a ranking, with those of the ranking's options that were given."""
    words = ["learnability", "predict", file]
    for option in context.command.params:
        if option.name in options and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            value = context.params[option.name]
            for each in value if isinstance(value, tuple) else (value,):
                words += [option.opts[0], str(each)]
    for name, value in entry.items():
        words += [f"--{name.replace('_', '-')}", f"{value:.4g}" if isinstance(value, float) else str(value)]
    words += [] if kernel == "ntk" else ["--kernel", kernel]
    return shlex.join([*words, "--ridge", "auto"])
