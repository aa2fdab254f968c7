"""From a command's arguments to domains, targets and tables: the same functions that the workflow calls."""

from pathlib import Path

import yaml

from ..common.errors import require
from ..domains import domain_from, target_from
from ..figures import drawing, save_as
from ..studies.configuration import label_of
from ..studies.schema import load_config, load_schema
from ..studies.validation import check_meaning, checked
from ..tables.normalised import with_normalised
from ..tables.theory import domain_table


def problem(file, label, encode, missing, domain, target):
    """The domain and its targets, {label: Target}, from a data file or from YAML texts.

    Raises
    ------
    ValueError
        Neither or both of file and domain; a domain without a target; what `domain_from` and `target_from` refuse.
    """
    require((file is None) != (domain is None), "give either a data file or --domain")
    options = {"label": label, "encode": encode, "missing": missing}
    if file is None:
        unused = [f"--{name}" for name, value in options.items() if value is not None]
        require(not unused, f"{', '.join(unused)}: for data files only")
        require(target is not None, "--target is missing, e.g. --target '{parity: 3}'")
        place = domain_from(_yaml("--domain", domain, "{kind: hypercube, dim: 8}"))
    else:
        given = {name: value for name, value in options.items() if value is not None}
        place = domain_from({"kind": "data", "path": file, **given})
    entry = _yaml("--target", target or "{all: null}", "{parity: 3}")
    return place, {label_of(entry): target_from(place, entry)}


def _yaml(option, text, example):
    try:
        entry = yaml.safe_load(text)
    except yaml.YAMLError:
        entry = None
    require(isinstance(entry, dict) and bool(entry), f"{option} {text!r} is no YAML mapping; write e.g. '{example}'")
    return entry


def predicted(place, targets, network, kernel, train_sizes, ridges, noise_stds, population):
    """The theory's rows, as in the table of a study."""
    values = place.kernel_values(network, kernel)
    sizes = (list(train_sizes), list(train_sizes))
    spectrum = place.spectrum_of(values)
    table = domain_table(
        place, targets, spectrum, values.get("matrix"), *sizes, list(ridges), list(noise_stds), population
    )
    return with_normalised(table)


def drawn(table, path):
    """Test error and learnability against the training-set size, a colour per ridge."""
    options = {"x": "train_size", "group": "ridge", "measures": ["test_mse", "learnability"], "xscale": "log"}
    save_as(drawing("comparison")(table.assign(width=float("nan"), architecture="", seed=0), **options), path)


def workflow_file(name):
    """A file of the workflow; ValueError where only the library is installed."""
    path = Path(__file__).parents[3] / name
    require(
        path.is_file(), "the workflow is not part of an installed package: run this in a checkout of the repository"
    )
    return path


def check_config(path):
    """Check a configuration file as the workflow does; returns remarks. ValueError lists all that is wrong, a line each."""
    schema = load_schema(workflow_file("config/schema.yaml"))
    try:
        return check_meaning(checked(load_config(path), schema))
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(str(path)) else f"{path}:\n{text}") from error
