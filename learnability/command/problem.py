"""From a command's arguments to domains, targets and tables: the same functions that the workflow calls."""

import numpy as np
import yaml

from ..common.errors import require
from ..domains import domain_from, label_of, target_from
from ..domains.kernel_on_domain import KernelOnDomain
from ..figures import drawing, save_as
from ..kernels.odd import warn_of_odd
from ..selection.ranking import PARAMETERS
from ..studies.schema import load_config, load_schema
from ..studies.validation import check_meaning, checked
from ..tables.recommendation import best_lines, samples_lines
from ..tables.theory import theory_table
from .workflow import workflow_file

MOST_ROWS = 24  # of a ranking on the terminal


def problem(file, label, encode, missing, domain, target, train_sizes):
    """The domain and its targets, {label: Target}, from a data file or from YAML texts.

    Raises
    ------
    ValueError
        Neither or both of file and domain; a domain without a target; what `domain_from` and `target_from` refuse; training
        sets that leave nothing to predict.
    """
    require((file is None) != (domain is None), "give either a data file or --domain")
    options = {"label": label, "encode": encode, "missing": missing}
    if file is None:
        unused = [f"--{name}" for name, value in options.items() if value is not None]
        require(not unused, f"{', '.join(unused)}: for data files only")
        require(target is not None, "--target is missing, e.g. --target '{parity: 3}'")
        space = domain_from(_yaml("--domain", domain, "{kind: hypercube, dim: 8}"))
    else:
        given = {name: value for name, value in options.items() if value is not None}
        try:
            space = domain_from({"kind": "data", "path": file, **given})
        except ValueError as error:
            raise ValueError(str(error) if file in str(error) else f"{file}: {error}") from error
    largest, size = max(train_sizes), space.size
    require(
        size is None or largest < size,
        f"-n {largest}: {file or domain} has {size} {'rows' if file else 'points'}, and a training set must leave some of them",
    )
    entry = _yaml("--target", target or "{all: null}", "{parity: 3}")
    return space, {label_of(entry): target_from(space, entry)}


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
