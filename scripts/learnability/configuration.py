"""From a configuration file to studies, checked before any job starts.

The schema (config/schema.yaml) says which keys exist, their types, ranges and defaults; this module turns its findings
into one message that names the key, the value and what is allowed, and checks what a schema cannot: that names refer to
something, that targets exist on their domain, that training sets fit into it.
"""

import itertools
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from inspect import Parameter, signature

import jsonschema
import numpy as np

from .errors import choose, require

CURVE_POINTS = 200  # of the theory's grid of training sizes


@dataclass(frozen=True)
class Study:
    """A named cross product: domain x architectures x targets x train_sizes x ridges x noise x widths x seeds.

    Attributes
    ----------
    domain : dict, architectures : dict of name to dict, targets : dict of label to dict
        Specifications as in the configuration.
    train_sizes, network_sizes : lists of int
        For kernel regression and theory; for trained networks.
    seeds, network_seeds : int
        Seeds 0 ... seeds - 1.
    """

    name: str
    figure: str
    domain_name: str
    domain: dict
    architectures: dict
    targets: dict
    train_sizes: list
    network_sizes: list
    ridges: list
    noise_stds: list
    widths: list
    seeds: int
    network_seeds: int
    kernel: str
    training: dict = field(default_factory=dict)
    figure_options: dict = field(default_factory=dict)

    def blocks(self):
        """Seed ranges (first, last), one per training job.

        Whole blocks, then single seeds: one more seed is one more job, and no block that exists changes.
        """
        block = self.training["block"]
        whole = self.network_seeds // block * block
        ranges = [(first, first + block - 1) for first in range(0, whole, block)]
        return ranges + [(seed, seed) for seed in range(whole, self.network_seeds)]

    def training_options(self):
        """What decides the trained networks; how a job is cut and scheduled does not."""
        own = {"gradient_flow": ("tolerance",), "gradient_descent": ("step_fraction",)}[self.training["method"]]
        return {key: self.training[key] for key in ("method", "target_mse", "max_steps", "dtype", *own)}

    def theory_sizes(self):
        """Training sizes at which the theory is evaluated: a fine grid and those of the experiments."""
        largest = max(self.train_sizes)
        measured = np.array([*self.train_sizes, *self.network_sizes], dtype=float)
        fine = [np.linspace(0, largest, CURVE_POINTS), np.geomspace(min(0.1, largest), largest, CURVE_POINTS)]
        return np.unique(np.concatenate([measured, *fine])) if largest > 0 else np.zeros(1)


@dataclass(frozen=True)
class Experiment:
    """An experiment of its own kind, cut into cells.

    Attributes
    ----------
    cells : dict of cell name to (options, labels)
        The arguments of the kind's `run`, and the columns that name the cell in the joined table.
    """

    name: str
    kind: str
    figure: str
    cells: dict
    figure_options: dict = field(default_factory=dict)


def label_of(specification):
    """The name of a target in tables and legends: {parity: 3} is "parity 3"."""
    ((name, argument),) = specification.items()
    if isinstance(argument, dict):
        argument = " ".join(str(value) for value in argument.values())
    return name if argument is None else f"{name} {argument}"


def studies_from(config):
    """The studies of a checked configuration, {name: Study}."""
    return {name: _study(config, name, entry) for name, entry in config["studies"].items()}


def experiments_from(config):
    """The experiments of a checked configuration, {name: Experiment}."""
    return {name: _experiment(config, name, entry) for name, entry in config["experiments"].items()}


def _experiment(config, name, entry):
    cells = {}
    for values in itertools.product(*entry["vary"].values()):
        labels = dict(zip(entry["vary"], values))
        cell = "_".join(str(value).replace("/", "-") for value in values) or "all"
        options = {**entry["options"], **labels}
        for what, section in (("domain", "domains"), ("architecture", "architectures")):
            if what in options:
                options[what] = config[section][_known(config, f"experiments.{name}", what, options[what])]
        cells[cell] = (dict(sorted(options.items())), labels)
    return Experiment(name, entry["kind"], entry.get("figure", entry["kind"]), cells, entry["figure_options"])


def _study(config, name, entry):
    where = f"studies.{name}"
    domain = config["domains"][_known(config, where, "domain", entry["domain"])]
    architectures = {
        architecture: config["architectures"][_known(config, where, "architecture", architecture)]
        for architecture in entry["architectures"]
    }
    network_sizes = entry.get("network_sizes", entry["train_sizes"]) if entry["widths"] else []
    return Study(
        name=name,
        figure=entry["figure"],
        domain_name=entry["domain"],
        domain=domain,
        architectures=architectures,
        targets={label_of(target): target for target in entry["targets"]},
        train_sizes=_sizes(entry["train_sizes"]),
        network_sizes=_sizes(network_sizes),
        ridges=entry["ridges"],
        noise_stds=entry["noise_stds"],
        widths=entry["widths"],
        seeds=entry["seeds"],
        network_seeds=entry.get("network_seeds", entry["seeds"]) if entry["widths"] else 0,
        kernel=entry["kernel"],
        training={**config["training"], **entry.get("training", {})},
        figure_options=entry["figure_options"],
    )


def _sizes(entry):
    """A list of sizes, written out or as {first, last, step}."""
    return list(range(entry["first"], entry["last"] + 1, entry["step"])) if isinstance(entry, dict) else entry


def _known(config, where, what, name):
    try:
        return choose(what, name, config["domains" if what == "domain" else "architectures"])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


# --- checking -------------------------------------------------------------------------------------------------


def checked(config, schema):
    """The configuration with defaults filled in.

    Parameters
    ----------
    config, schema : dicts, as loaded from YAML

    Raises
    ------
    ValueError
        One message for the first thing that is wrong: the key, its value, what is allowed.
    """
    complete = _with_defaults(config, schema, schema)
    validator = jsonschema.Draft202012Validator(schema)
    error = next(iter(sorted(validator.iter_errors(complete), key=lambda e: list(map(str, e.absolute_path)))), None)
    if error is not None:
        raise ValueError(_explain(error))
    for section in ("domains", "architectures"):  # the order of keys in the file is no parameter of a job
        complete[section] = {name: dict(sorted(entry.items())) for name, entry in complete[section].items()}
    return complete


def check_meaning(config):
    """Build every domain, architecture and target of a checked configuration; ValueError names the one that fails."""
    from .architectures import FullyConnected
    from .domains import domain_from, target_from
    from .experiments import experiment
    from .figures import FIGURES

    with_context("domains", config["domains"], domain_from)
    with_context("architectures", config["architectures"], lambda entry: FullyConnected(**entry))
    for name, study in studies_from(config).items():
        domain = domain_from(study.domain)
        with_context(f"studies.{name}", {"figure": study.figure}, lambda kind: choose("figure", kind, FIGURES))
        with_context(f"studies.{name}.targets", study.targets, partial(target_from, domain))
        size = getattr(domain, "size", None)
        for key in ("train_sizes", "network_sizes"):
            largest = max(getattr(study, key), default=0)
            require(
                size is None or largest <= size,
                f"studies.{name}.{key}: {largest} is larger than domain {study.domain_name!r}, which has {size} points",
            )

    for name, entry in experiments_from(config).items():
        with_context("experiments", {name: entry}, partial(_check_experiment, experiment, FIGURES))


def _check_experiment(experiment, figures, entry):
    """The kind and its figure exist, and every cell has the options that the kind takes."""
    parameters = signature(experiment(entry.kind)).parameters
    choose("figure", entry.figure, figures)
    for options, _ in entry.cells.values():
        for option in options:
            choose(f"option of {entry.kind}", option, parameters)
        for name, parameter in parameters.items():
            missing = name not in options and parameter.default is Parameter.empty
            require(not missing, f"option {name!r} is missing; {entry.kind} takes {', '.join(parameters)}")


def with_context(where, entries, build):
    """Apply `build` to every entry; a ValueError is raised again with the place of the entry."""
    for name, entry in entries.items():
        try:
            build(entry)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{where}.{name}: {error}") from None


def _with_defaults(value, schema, root):
    schema = _resolve(schema, root)
    if isinstance(value, dict):
        filled = dict(value)
        for key, part in schema.get("properties", {}).items():
            if key not in filled and "default" in _resolve(part, root):
                filled[key] = _resolve(part, root)["default"]
        parts = schema.get("properties", {})
        other = schema.get("additionalProperties")
        for key in filled:
            part = parts.get(key, other if isinstance(other, dict) else None)
            if part is not None:
                filled[key] = _with_defaults(filled[key], part, root)
        return filled
    return value


def _resolve(schema, root):
    reference = schema.get("$ref")
    if reference is None:
        return schema
    for name in reference.removeprefix("#/").split("/"):
        root = root[name]
    return {**root, **{key: value for key, value in schema.items() if key != "$ref"}}


def _explain(error):
    where = ".".join(str(part) for part in error.absolute_path) or "configuration"
    if error.validator == "additionalProperties":
        allowed = list(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in allowed)
        nearest = get_close_matches(str(unknown), allowed, n=1, cutoff=0.5)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        return f"{where}: unknown key {unknown!r}; {hint}allowed: {', '.join(allowed)}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"{where}: key {missing!r} is missing ({error.schema['properties'][missing].get('description', '')})"
    if error.validator == "enum":
        return f"{where}: {error.instance!r} is not one of {', '.join(map(str, error.validator_value))}"
    meaning = error.schema.get("description", "")
    return f"{where}: {error.instance!r} is not allowed, {error.message.replace(repr(error.instance), 'it')}" + (
        f" ({meaning})" if meaning else ""
    )
