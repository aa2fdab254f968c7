"""From a command's arguments to domains, targets and tables: the same functions that the workflow calls."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

import click
import numpy as np
import yaml

from ..common.errors import require
from ..domains import domain_from, label_of, target_from
from ..domains.domain import Domain
from ..domains.kernel_on_domain import KernelOnDomain
from ..figures import drawing, save_as
from ..kernels.odd import warn_of_odd
from ..selection.ranking import PARAMETERS
from ..spectra.target import Target
from ..studies.schema import load_config, load_schema
from ..studies.validation import check_meaning, checked
from ..tables.recommendation import best_lines, samples_lines
from ..tables.theory import theory_table
from .workflow import workflow_file

SIZE_ON_NO_POINTS = 256  # the largest training set on a domain of infinitely many points, unless sizes are given
MOST_ROWS = 24  # of a ranking on the terminal


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
    if file is None:
        unused = [f"--{name}" for name in options]
        require(not unused, f"{', '.join(unused)}: for data files only")
        require(target is not None, "--target is missing, e.g. --target '{parity: 3}'")
        space = _shown(_yaml("--domain", domain, "{kind: hypercube, dim: 8}"))
    else:
        space = _data(file, options)
    entry = _yaml("--target", target or "{all: null}", "{parity: 3}")
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


def sizes_of(space: Domain, train_sizes: Sequence[int], what: str) -> list[int]:
    """The training-set sizes that are asked for, or a choice that is said.

    Raises
    ------
    ValueError
        Training sets that leave nothing to predict.
    """
    size = space.size
    if not train_sizes:
        largest = SIZE_ON_NO_POINTS if size is None else max(1, size // 2)
        train_sizes = sorted({max(1, largest // part) for part in (8, 4, 2, 1)})
        points = "" if size is None else f", up to half of the {size} there are"
        click.echo(f"training-set sizes {', '.join(map(str, train_sizes))}{points}; -n takes others", err=True)
    largest = max(train_sizes)
    require(
        size is None or largest < size,
        f"-n {largest}: {what} has {size} {'points' if space.alike else 'rows'}, and a training set must leave some of them",
    )
    return [*train_sizes]


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


def _yaml(option, text, example):
    try:
        entry = yaml.safe_load(text)
    except yaml.YAMLError:
        entry = None
    require(isinstance(entry, dict) and bool(entry), f"{option} {text!r} is no YAML mapping; write e.g. '{example}'")
    return entry


def curve_sizes(train_sizes):
    """Training-set sizes for a smooth curve through the given ones."""
    between = np.geomspace(max(1, min(train_sizes) / 2), max(train_sizes), 16)
    return np.unique([*train_sizes, *between.round().astype(int)])


def predictor(space, targets, network, kind, ridges, noise_stds, theory):
    """A function of training-set sizes whose values are the theory's rows, as in the table of a study."""
    for target in targets.values():
        warn_of_odd(network, target(*space.evaluation()))
    learner = KernelOnDomain(space, network, kind)
    return lambda sizes: theory_table(learner, targets, sizes, list(ridges), list(noise_stds), theory)


def summary(table):
    """The columns of predictions that a reader looks at first, as text; what the spectrum alone says is left to --csv."""
    told = table[table["source"] == "theory"]
    several = [name for name in ("ridge", "noise_std") if told[name].nunique() > 1 or told[name].max() > 0]
    measures = ["learnability", "train_mse", "test_mse", "test_mse_off_train", "nmse", "r2", "accuracy_off_train"]
    chosen = told[[*several, "train_size", *measures]].dropna(axis=1, how="all")
    return chosen.to_string(index=False, float_format="{:.4g}".format)


def ranking(selection, shared, reach=None):
    """A selection as text: candidates by their error at the largest size, and what to take.

    shared : dict
        The parameters that all candidates have.
    reach : float, optional
        A normalised error, for which the samples needed are told.
    """
    sizes = sorted(selection.table["train_size"].unique())
    wide = selection.table.pivot(index=PARAMETERS, columns="train_size", values="nmse").sort_values(
        sizes[-1], kind="stable"
    )
    wide.columns = [f"nmse at n = {size:g}" for size in sizes]
    if reach is not None:
        needed = selection.samples_needed(reach).set_index(PARAMETERS)
        wide[f"samples for nmse {reach:g}"], wide["±"] = needed["samples"], needed["standard_error"]
    wide = wide.reset_index()
    if wide["ridge"].max() == 0:
        wide = wide.drop(columns="ridge")
    text = wide.to_string(index=False, float_format="{:.3g}".format, na_rep="", max_rows=MOST_ROWS)
    same = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in shared.items()
    )
    lines = [
        f"{len(wide)} candidates{same and f', all of {same},'} ranked in {selection.seconds:.2g} s, nothing trained"
    ]
    lines += ["", text, ""]
    lines += best_lines(selection.best())
    if reach is not None:
        lines += samples_lines(selection.samples_needed(reach), reach, sizes[0])
    return "\n".join(lines)


def drawn(table, path, title):
    """Error (off the training set, on a finite domain) and learnability against the training-set size, a colour per ridge."""
    error = "test_mse_off_train" if table["test_mse_off_train"].notna().any() else "test_mse"
    options = {"x": "train_size", "group": "ridge", "measures": [error, "learnability"], "title": title}
    save_as(drawing("comparison")(table.assign(width=float("nan"), architecture="", seed=0), **options), path)


def check_config(path):
    """Check a configuration file as the workflow does; returns remarks. ValueError lists all that is wrong, a line each."""
    schema = load_schema(workflow_file("config/schema.yaml"))
    try:
        remarks, _ = check_meaning(checked(load_config(path), schema))
        return remarks
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(str(path)) else f"{path}:\n{text}") from error
