"""A configuration is checked before any job starts.

The schema (config/schema.yaml) says which keys exist, their types, ranges and defaults; this module turns its findings
into one message that names the key, the value and what is allowed, and checks what a schema cannot: that names refer to
something, that targets exist on their domain, that training sets fit into it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from itertools import product
from typing import Any, TypeVar

import jsonschema

from ..common.errors import require, require_arguments
from ..domains.domain import Domain
from ..ensembles.memory import ModuleSize
from ..experiments import OF_MODULES, READS, WITHOUT_MATRIX, check, check_domain, experiment
from ..spectra.target import Target
from .configuration import (
    MODULES,
    OWN,
    Config,
    Entry,
    Experiment,
    Study,
    candidates_in,
    experiments_from,
    studies_from,
    targets_in,
    with_grids,
)
from .drawing import SWEPT, check_figure, check_figure_of_experiment, check_figure_options
from .schema import described
from .sizes import Sizes

Schema = dict[str, Any]
Described = TypeVar("Described")
Built = TypeVar("Built")

WHOLE_LISTS = ("coefficients_by_mode", "decades")  # options whose entries are no values of their own


def _whole(_: object, value: object) -> bool:
    """An integer as Python understands it: JSON's 3.0 is none, because ranges and names are made of it."""
    return isinstance(value, int) and not isinstance(value, bool)


STRICT = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _whole),
)


def checked(config: dict[str, Any], schema: Schema) -> Config:
    """The configuration with defaults filled in.

    Parameters
    ----------
    config, schema : dicts, as loaded from YAML

    Raises
    ------
    ValueError
        A line for each thing that is wrong: the key, its value, what is allowed.

    Examples
    --------
    >>> from learnability.studies.schema import load_schema
    >>> from learnability.common.provenance import PACKAGE
    >>> schema = load_schema(PACKAGE.parent / "config" / "schema.yaml")
    >>> study = {"domain": "cube", "architectures": ["net"], "targets": [{"parity": 2}], "figure": "learning_curves"}
    >>> config = {"studies": {"one": {**study, "train_sizes": [4]}}, "architectures": {"net": {"depth": 1}}}
    >>> config["domains"] = {"cube": {"kind": "hypercube", "dim": 3}}
    >>> checked(config, schema)["studies"]["one"]["ridges"]
    [0.0]
    """
    for section in ("domains", "architectures", "studies", "experiments"):
        named = config.get(section)
        for name in named if isinstance(named, dict) else ():
            require(isinstance(name, str), f"{section}: the name {name!r} is a number in YAML; put it in quotes")
    complete = _with_defaults(config, schema, schema)
    validator = STRICT(schema)
    errors = sorted(validator.iter_errors(complete), key=lambda e: list(map(str, e.absolute_path)))
    require(not errors, "\n".join(_explain(error) for error in errors))
    _require_finite(complete, "configuration")
    clash = set(complete["studies"]) & set(complete["experiments"])
    require(not clash, f"{', '.join(clash)}: a study and an experiment have the same name")
    for section in ("domains", "architectures"):  # the order of keys in the file is no parameter of a job
        complete[section] = {name: dict(sorted(entry.items())) for name, entry in complete[section].items()}
    return with_grids(complete)


def _require_finite(value: object, where: str) -> None:
    """Infinities and nan, which YAML can write and JSON schemas let pass, are errors."""
    if isinstance(value, float):
        require(math.isfinite(value), f"{where}: {value} is not a finite number")
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        _require_finite(part, f"{where}.{key}".removeprefix("configuration."))


def check_meaning(config: Config) -> tuple[list[str], Sizes]:
    """Build every domain, architecture and target of a checked configuration; ValueError names the ones that fail.

    Returns
    -------
    remarks : list of str
        On what is allowed and yet probably not meant.
    sizes : Sizes
        Of the domains and targets, from which memory and time of jobs follow.

    Examples
    --------
    >>> from learnability.studies.example import example_config
    >>> _, sizes = check_meaning(example_config())
    >>> sizes.domains["cube"].points, sizes.outputs
    (8, {'one': 1})
    """
    from ..kernels import architecture_from
    from .remarks import remarks
    from .sizes import Sizes, measured

    built, architectures, studies, experiments = _together(
        lambda: with_context("domains", config["domains"], measured),
        lambda: with_context("architectures", config["architectures"], architecture_from),
        lambda: studies_from(config),
        lambda: experiments_from(config),
    )
    domains = {name: domain for name, (domain, _) in built.items()}
    with_context("domains", domains, _require_single_rows)
    known = [(config["domains"][name], domain) for name, domain in domains.items()]
    of_studies, _, modules, _, cells, _ = _together(
        lambda: with_context("studies", studies, lambda study: _check_study(study, domains[study.domain_name])),
        lambda: with_context("studies", studies, check_figure_options),
        lambda: with_context("studies", studies, partial(_check_networks, architectures, domains)),
        lambda: with_context("studies", studies, partial(_check_kernels, architectures, domains)),
        lambda: with_context("experiments", experiments, partial(_check_experiment, known)),
        lambda: with_context("experiments", experiments, check_figure_options),
    )
    _together(
        lambda: with_context("studies", studies, check_figure),
        lambda: with_context("experiments", experiments, check_figure_of_experiment),
    )
    outputs = {**of_studies, **{name: number for name, (number, _) in cells.items()}}
    modules |= {name: of_cells for name, (_, of_cells) in cells.items()}
    sizes = Sizes({name: size for name, (_, size) in built.items()}, outputs, modules)
    return remarks(config, studies, experiments, domains, architectures), sizes


def _require_single_rows(domain: Domain) -> None:
    if domain.groups is not None:
        domain.sample(1, 0)


def _together(*checks: Callable[[], Any]) -> list[Any]:
    """The results of all checks; what they find is raised together, a line each."""
    results, problems = [], []
    for one in checks:
        try:
            results.append(one())
        except ValueError as error:
            problems += str(error).splitlines()
    require(not problems, "\n".join(problems))
    return results


def _check_study(study: Study, domain: Domain) -> int:
    """Targets exist and have the same number of outputs, which is returned, and training sets fit into the domain."""
    from ..ensembles.training.methods import trainer_from

    _check_matrix(domain, study.domain_name)
    for key in ("train_sizes", "network_sizes"):
        _check_sizes(key, getattr(study, key), domain, study.domain_name)
    outputs = _outputs(study, domain)
    options = study.training_options()
    trainer_from(**{key: value for key, value in options.items() if key not in ("target_mse", "max_steps", "dtype")})
    return outputs


def _check_experiment(known: list[tuple[Entry, Domain]], entry: Experiment) -> tuple[int, dict[str, ModuleSize]]:
    """The kind exists; every cell has the options that the kind takes, and they mean something.

    Returns the largest number of outputs that targets of the cells have, and of each cell that trains PyTorch modules the size
    of the largest.

    known : list of (specification, domain), built before
    """
    from ..kernels import architecture_from
    from ..measurements.task import truth

    outputs, modules = 1, dict[str, ModuleSize]()
    for cell, (options, _) in entry.cells.items():
        require_arguments("option", experiment(entry.kind), options, without=["files"])
        _check_lists(options)
        with_context("grid", candidates_in(options), architecture_from)
        check(entry.kind, options)
        if options.get("domain"):
            name = entry.names[cell]["domain"]
            domain = next(domain for specification, domain in known if specification == options["domain"])
            if entry.kind not in WITHOUT_MATRIX:
                _check_matrix(domain, name)
            targets = _targets(targets_in(options), domain)
            sizes = {label: truth({"": target}, domain.sample(1, 0)).shape[-1] for label, target in targets.items()}
            outputs = max([outputs, *sizes.values()])
            check_domain(entry.kind, options["domain"]["kind"], domain.size, sizes)
            networks = {name: architecture_from(one) for name, one in candidates_in(options).items()}
            if options.get("architecture"):
                networks[entry.names[cell]["architecture"]] = architecture_from(options["architecture"])
            width, shape = options.get("width"), domain.sample(1, 0)[0].shape[1:]
            trained = [*networks.values()] if width or entry.kind in OF_MODULES else []
            largest = _largest_module(trained, shape, width, max(sizes.values(), default=1))
            if largest is not None:
                modules[cell] = largest
            read = [options.get("kernel", kind) for kind in READS.get(entry.kind, {}).values()]
            for kind, (label, network) in product({*read, *options.get("kernels", [])} or {"ntk"}, networks.items()):
                _check_kernel(domain, label, network, kind)
            _check_sizes("train_sizes", options.get("train_sizes", []), domain, name)
    return outputs, modules


def _largest_module(
    architectures: Sequence[Any], shape: tuple[int, ...], width: int | None, outputs: int
) -> ModuleSize | None:
    """The size of the network that takes the most memory, of those that are PyTorch modules; None where there is none."""
    from ..ensembles.memory import module_bytes
    from ..ensembles.module_of import module_size
    from ..kernels.sequential import Sequential
    from ..kernels.torch_module import TorchModule

    kind = Sequential if width else TorchModule  # which has sizes of its own
    sizes = [module_size(one, shape, width, outputs) for one in architectures if isinstance(one, kind)]
    return max(sizes, key=lambda size: module_bytes(size, 1, 1, outputs), default=None)


def _check_lists(options: dict) -> None:
    """What is swept is a list, and no list says a value twice."""
    for key, values in options.items():
        require(
            key not in SWEPT or (isinstance(values, list) and values), f"{key}: {values!r} is no list; write [{values}]"
        )
        repeated = [value for value in values if values.count(value) > 1] if isinstance(values, list) else []
        require(key in WHOLE_LISTS or not repeated, f"{key}: {repeated and repeated[0]!r} is repeated; write it once")
    for key, values in options.get("grid", {}).items():
        with_context("grid", {key: {key: values}}, _check_lists)


def _check_networks(
    architectures: Mapping[str, Any], domains: Mapping[str, Domain], study: Study
) -> dict[str, ModuleSize]:
    """Only architectures that have networks are trained, by methods that they know.

    Returns the sizes of networks that are PyTorch modules, {"architecture/width": ModuleSize}.
    """
    from ..ensembles.families import require_method, trains
    from ..ensembles.module_of import module_size

    sizes = {}
    for name in study.architectures if study.widths else ():
        architecture, kind = architectures[name], study.architectures[name].get("kind")
        require(
            trains(architecture),
            f"widths: {study.widths} with architecture {name!r}, which is a kernel only; leave widths out",
        )
        remedy = f"sizes of its own: add {OWN}" if kind == "torch_module" else "networks of any width: add some"
        require(bool(study.widths_of(name)), f"widths: {study.widths} with architecture {name!r}, which has {remedy}")
        require_method(architecture, study.training["method"])
        if kind in MODULES:
            domain = domains[study.domain_name]
            shape, outputs = domain.sample(1, 0)[0].shape[1:], _outputs(study, domain)
            for width in study.widths_of(name):
                own = None if width == OWN else int(width)
                sizes[f"{name}/{width}"] = module_size(architecture, shape, own, outputs)
    modules = [name for name in study.architectures if study.widths_of(name) == [OWN]]
    require(
        OWN not in study.widths or len(modules) > 0,
        f"widths: {study.widths}, and no architecture is of kind torch_module; leave {OWN} out",
    )
    return sizes


def _outputs(study: Study, domain: Domain) -> int:
    """Of each target of a study."""
    from ..measurements.task import truth

    return truth(_targets(study.targets, domain), domain.sample(1, 0)).shape[-1]


def _check_kernels(architectures: dict, domains: dict, study: Study) -> None:
    """The architectures have a kernel of the kind that is asked for on the points of the domain."""
    for name in study.architectures:
        _check_kernel(domains[study.domain_name], name, architectures[name], study.kernel)


def _check_kernel(domain: Domain, name: str, architecture: Any, kind: str) -> None:
    if hasattr(architecture, "layer_sizes"):  # networks have kernels of both kinds
        return
    try:
        architecture.kernel(domain.sample(1, 0)[0], kind=kind)
    except ValueError as error:
        raise ValueError(f"kernel {kind} of {name!r}: {error}") from None


def _targets(specifications: Mapping[str, Entry], domain: Domain) -> dict[str, Target]:
    """The targets by name; a ValueError names the one that does not exist on the domain."""
    from ..domains import target_from

    return with_context("targets", specifications, partial(target_from, domain))


def _check_sizes(key: str, sizes: list[int], domain: Domain, name: str) -> None:
    largest, size = max(sizes, default=0), domain.size
    require(
        size is None or largest <= size, f"{key}: {largest} is larger than domain {name!r}, which has {size} points"
    )


def _check_matrix(domain: Domain, name: str) -> None:
    try:
        domain.require_matrix()
    except ValueError as error:
        raise ValueError(f"domain {name!r}: {error}") from None


def with_context(where: str, entries: Mapping[str, Described], build: Callable[[Described], Built]) -> dict[str, Built]:
    """{name: build(entry)}; ValueErrors are raised again together, a line each, with the places of their entries."""
    built, problems = {}, []
    for name, entry in entries.items():
        try:
            built[name] = build(entry)
        except (ValueError, TypeError) as error:
            problems += [f"{where}.{name}: {line}" for line in str(error).splitlines()]
    require(not problems, "\n".join(problems))
    return built


def _with_defaults(value: Any, schema: Schema, root: Schema) -> Any:
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


def _resolve(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    for name in reference.removeprefix("#/").split("/"):
        root = root[name]
    return {**root, **{key: value for key, value in schema.items() if key != "$ref"}}


def _explain(error: jsonschema.ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties":
        allowed = list(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in allowed)
        nearest = get_close_matches(str(unknown), allowed, n=1, cutoff=0.5)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        return f"{where}: unknown key {unknown!r}; {hint}allowed: {', '.join(allowed)}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if error.message.startswith(repr(key)))  # an error for each
        meaning = described(error.schema["properties"][missing].get("description", ""))
        return f"{where}: key {missing!r} is missing" + (f" ({meaning})" if meaning else "")
    if error.validator == "enum":
        return f"{where}: {error.instance!r} is not one of {', '.join(map(str, error.validator_value))}"
    if error.validator == "type" and error.validator_value == "number" and _number_as_text(error.instance):
        return f"{where}: {error.instance!r} is text in YAML; write {float(error.instance)!r}, with a decimal point"
    if error.validator == "type" and error.validator_value == "object" and isinstance(error.instance, str):
        key, _, value = error.instance.partition(" ")
        return f"{where}: {error.instance!r} is text in YAML; write a key and its value, {{{key}: {value or '...'}}}"
    if error.validator == "exclusiveMinimum":
        return f"{where}: {error.instance!r} must be greater than {error.validator_value}"
    if error.validator == "pattern":
        characters = "use letters, digits, '.', '_' and '-', the first a letter, digit or '_'"
        return f"{where}: name {error.instance!r} is not allowed; {characters}"
    meaning = described(error.schema.get("description", ""))
    return f"{where}: {error.instance!r} is not allowed, {error.message.replace(repr(error.instance), 'it')}" + (
        f" ({meaning})" if meaning else ""
    )


def _number_as_text(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
