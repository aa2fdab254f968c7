"""From a checked configuration (see `learnability.studies.validation`) to studies and experiments."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.errors import choose, require
from ..common.seeding import digest
from ..domains import DOMAINS, label_of
from ..ensembles.memory import ModuleSize
from ..ensembles.training.methods import options_of
from ..experiments import READS
from ..kernels.grid import expanded, initialisations, members
from .labels import column_of

Entry = dict[str, Any]
Config = dict[str, Any]  # checked, see `validation.checked`

OWN = "own"  # among widths: the sizes that a module of PyTorch has itself
MODULES = ("sequential", "torch_module")  # kinds of architecture whose networks are PyTorch modules
SECTIONS = {"domain": "domains", "architecture": "architectures"}


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
    widths : list of int and OWN
    outputs : int
        Of each target.
    initialisations : dict of str to str
        What architectures are called that are one of several initialisations of a network; tables have their means.
    modules : dict of "architecture/width" to ModuleSize
        Of the networks that are PyTorch modules.
    """

    name: str
    figure: str
    domain_name: str
    domain: Entry
    architectures: dict[str, Entry]
    targets: dict[str, Entry]
    train_sizes: list[int]
    network_sizes: list[int]
    ridges: list[float]
    noise_stds: list[float]
    widths: list[int | str]
    seeds: int
    network_seeds: int
    kernel: str
    theory: str
    training: Entry = field(default_factory=dict)
    figure_options: Entry = field(default_factory=dict)
    outputs: int = 1
    initialisations: dict[str, str] = field(default_factory=dict)
    modules: Mapping[str, ModuleSize] = field(default_factory=dict)

    @property
    def learners(self) -> list[str]:
        """The architectures as the study's table names them."""
        return [*dict.fromkeys(self.initialisations.get(name, name) for name in self.architectures)]

    @property
    def per_sample(self) -> bool:
        """Whether the theory is that of a data set's samples."""
        return self.theory in ("auto", "per_sample") and not DOMAINS[self.domain["kind"]].alike

    @property
    def measured_sizes(self) -> list[int]:
        """The training-set sizes of all experiments, ascending."""
        return sorted({*self.train_sizes, *self.network_sizes})

    def sizes_between(self, smallest: int, largest: int) -> list[int]:
        """Training-set sizes of the networks in a range, ascending."""
        return [n for n in sorted(self.network_sizes) if smallest <= n <= largest]

    def widths_of(self, architecture: str) -> list[int | str]:
        """The widths at which an architecture's networks are trained: PyTorch modules of the user's have their own sizes."""
        own = self.architectures[architecture].get("kind") == "torch_module"
        return [width for width in self.widths if (width == OWN) == own]

    def module(self, architecture: str, width: int | str) -> ModuleSize | None:
        """The size of an architecture's networks that are PyTorch modules, None of others."""
        kind = self.architectures[architecture].get("kind")
        return self.modules[f"{architecture}/{width}"] if kind in MODULES else None

    def settings(self) -> dict[str, Any]:
        """What the study is, for its caption."""
        names = ("domain", "architectures", "kernel", "theory", "train_sizes", "ridges", "noise_stds", "seeds")
        settings = {name: getattr(self, name) for name in names} | {"targets": [*self.targets]}
        if self.widths:
            settings |= {
                "widths": self.widths,
                "network_sizes": self.network_sizes,
                "network_seeds": self.network_seeds,
            }
        return settings

    def training_options(self) -> dict[str, Any]:
        """What decides the trained networks; how a job is cut and scheduled does not."""
        own = [name for name in options_of(self.training["method"]) if name in self.training]
        return {key: self.training[key] for key in ("method", "target_mse", "max_steps", "dtype", *own)}


@dataclass(frozen=True)
class Experiment:
    """An experiment of its own kind, cut into cells.

    Attributes
    ----------
    cells : dict of cell name to (options, labels)
        The arguments of the kind's `run`, and the columns that name the cell in the joined table.
    names : dict of cell name to dict
        What the cell's domain and architecture are called in the configuration, those that it has.
    """

    name: str
    kind: str
    figure: str
    cells: dict[str, tuple[Entry, Entry]]
    names: dict[str, dict[str, str]]
    figure_options: Entry = field(default_factory=dict)

    def reads(self, cell: str, name: str) -> tuple[str, str, str] | None:
        """Domain, architecture and kernel of the file that a cell reads as `name` (see `experiments.READS`), or None."""
        kernel, entries = READS.get(self.kind, {}).get(name), self.names[cell]
        if kernel is None or len(entries) < 2:
            return None
        return entries["domain"], entries["architecture"], self.cells[cell][0].get("kernel", kernel)

    def settings(self) -> dict[str, Any]:
        """What the experiment is, for its caption: options that all cells share, and how many cells there are."""
        options = [options for options, _ in self.cells.values()]
        shared = {key: value for key, value in options[0].items() if all(o.get(key) == value for o in options)}
        return {"kind": self.kind, **shared, "cells": len(options)}


def targets_in(options: Mapping[str, Any]) -> dict[str, Entry]:
    """The target specifications among an experiment's options, `targets` and `target`, as {label: specification}.

    Examples
    --------
    >>> targets_in({"targets": [{"parity": 1}, {"parity": 2}]})
    {'parity 1': {'parity': 1}, 'parity 2': {'parity': 2}}
    """
    given = [*options.get("targets", []), *([options["target"]] if options.get("target") else [])]
    return {label_of(target): target for target in given}


def candidates_in(options: Mapping[str, Any]) -> dict[str, Entry]:
    """The architectures of an experiment's options `grid` and `architectures`, {name: specification}.

    Of a network with several initialisations the first.

    Examples
    --------
    >>> [*candidates_in({"grid": {"depth": [1, 2], "activation": "relu"}}).values()]
    [{'depth': 1, 'activation': 'relu'}, {'depth': 2, 'activation': 'relu'}]
    """
    candidates = members("net", options["grid"]) if "grid" in options else {}
    candidates |= options.get("architectures", {})
    return {name: entry[0] if isinstance(entry, list) else entry for name, entry in candidates.items()}


def studies_from(
    config: Config,
    outputs: Mapping[str, int] | None = None,
    modules: Mapping[str, Mapping[str, ModuleSize]] | None = None,
) -> dict[str, Study]:
    """The studies of a checked configuration, {name: Study}.

    Parameters
    ----------
    outputs : {study: int}, how many its targets have, else 1
    modules : {study: {"architecture/width": ModuleSize}}, of the networks that are PyTorch modules

    Examples
    --------
    >>> from learnability.studies.example import example_config
    >>> (study,) = studies_from(example_config()).values()
    >>> study.targets, study.measured_sizes, study.seeds
    ({'parity 2': {'parity': 2}}, [4], 30)
    """
    return {
        name: _study(config, name, entry, (outputs or {}).get(name, 1), (modules or {}).get(name, {}))
        for name, entry in config["studies"].items()
    }


def with_grids(config: Config) -> Config:
    """The configuration with architectures that stand for many (`learnability.kernels.grid`) written out.

    A study that names such a grid among its architectures has all of its members. Of a network with `seeds`, the section
    `initialisations` has the names of its kernels, {name: [names among the architectures]}.

    Examples
    --------
    >>> config = {"architectures": {"net": {"depth": [1, 2]}}, "studies": {"one": {"architectures": ["net"]}}}
    >>> with_grids(config)["studies"]["one"]["architectures"]
    ['net-depth1', 'net-depth2']
    """
    grids = {name: expanded(name, entry) for name, entry in config["architectures"].items()}
    names = {name: [*grid] for name, grid in grids.items()}
    networks = [(name, entry) for grid in grids.values() for name, entry in grid.items()]
    kernels = [initialisations(name, entry) for name, entry in networks]
    several = {name: [*group] for (name, _), group in zip(networks, kernels) if [*group] != [name]}
    architectures = {name: entry for group in kernels for name, entry in group.items()}
    require(
        len(architectures) == sum(map(len, kernels)) and not several.keys() & architectures.keys(),
        "architectures: a grid makes an architecture of the same name as another entry; rename the grid",
    )
    for name in architectures:
        require(
            re.fullmatch(r"[A-Za-z0-9._-]+", name) is not None,
            f"architectures: a grid makes {name!r}, and names are parts of files' names; write its members one by one",
        )
    studies = {
        name: {**study, "architectures": _written_out(study["architectures"], names)}
        for name, study in config["studies"].items()
    }
    experiments = {
        name: {**entry, "options": _with_members(entry["options"], names)}
        for name, entry in config.get("experiments", {}).items()
    }
    sections = {"architectures": architectures, "initialisations": several, "studies": studies}
    return {**config, **sections, "experiments": experiments}


def _written_out(names: list, grids: Mapping[str, list[str]]) -> list:
    """Names of architectures, those of grids replaced by their members'."""
    return [member for name in names for member in (grids.get(name, [name]) if isinstance(name, str) else [name])]


def _with_members(options: Entry, grids: Mapping[str, list[str]]) -> Entry:
    """An experiment's options with the members of grids among its `architectures`."""
    names = options.get("architectures")
    return {**options, "architectures": _written_out(names, grids)} if isinstance(names, list) else options


def experiments_from(config: Config) -> dict[str, Experiment]:
    """The experiments of a checked configuration, {name: Experiment}."""
    return {name: _experiment(config, name, entry) for name, entry in config["experiments"].items()}


def _experiment(config: Config, name: str, entry: Entry) -> Experiment:
    cells, names, where = {}, {}, f"experiments.{name}"
    columns = {key: column_of(f"{where}.vary.{key}", key, values) for key, values in entry["vary"].items()}
    for numbers in itertools.product(*(range(len(values)) for values in entry["vary"].values())):
        varied = {key: entry["vary"][key][number] for key, number in zip(entry["vary"], numbers)}
        labels = {key: columns[key][number] for key, number in zip(entry["vary"], numbers)}
        cell = "~".join(_file_name(varied[key]) for key in sorted(varied)) or "all"  # whatever the order in the file
        options = {**entry["options"], **varied}
        names[cell] = {what: _known(config, where, what, options[what]) for what in SECTIONS if what in options}
        named = {what: config[SECTIONS[what]][known] for what, known in names[cell].items()}
        if "architectures" in options:
            listed = isinstance(options["architectures"], list)
            require(
                listed, f"{where}: architectures: {options['architectures']!r} is no list of names of architectures"
            )
            named["architectures"] = _candidates(config, where, options["architectures"])
        cells[cell] = (_in_order({**options, **named}), _in_order(labels))
    figure_options = _in_order(entry["figure_options"])
    return Experiment(name, entry["kind"], entry.get("figure") or entry["kind"], cells, names, figure_options)


def _candidates(config: Config, where: str, names: list) -> dict[str, Entry | list[Entry]]:
    """Architectures by name, those of several initialisations as lists."""
    kernels = {name: _kernels_of(config, where, name) for name in names}
    return {name: group[name] if name in group else [*group.values()] for name, group in kernels.items()}


def _in_order(value: Any) -> Any:
    """The same with keys sorted at every level: the order in a file is no parameter of a job."""
    return {key: _in_order(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def _file_name(value: object) -> str:
    """A value as part of a file's name; different values have different names, and none contains a tilde, which joins them.

    A comma would not do: Snakemake hands a job on a cluster its wildcards separated by commas.
    """
    text = str(value)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    return plain if plain == text else f"{plain.strip('-')}+{digest(text)[:8]}"


def _study(config: Config, name: str, entry: Entry, outputs: int, modules: Mapping[str, ModuleSize]) -> Study:
    where = f"studies.{name}"
    domain = config["domains"][_known(config, where, "domain", entry["domain"])]
    groups = {listed: _kernels_of(config, where, listed) for listed in entry["architectures"]}
    architectures = {name: one for group in groups.values() for name, one in group.items()}
    require(
        len(architectures) == sum(map(len, groups.values())),
        f"{where}.architectures: an initialisation is listed beside the network that it is one of; leave one out",
    )
    train_sizes = _sizes(where, entry["train_sizes"])
    network_sizes = entry.get("network_sizes", [n for n in train_sizes if n > 0]) if entry["widths"] else []
    targets = {label_of(target): target for target in entry["targets"]}
    require(len(targets) == len(entry["targets"]), f"{where}.targets: two targets have the same name: {[*targets]}")
    if entry["widths"]:
        require(
            entry["kernel"] == "ntk",
            f"{where}: kernel: {entry['kernel']} with widths {entry['widths']}: trained networks follow the NTK; leave widths "
            "out, or write kernel: ntk",
        )
        require(
            len(network_sizes) > 0,
            f"{where}: widths {entry['widths']} without a training-set size above 0; give network_sizes, or leave widths out",
        )
        require(
            0 in entry["ridges"],
            f"{where}: ridges {entry['ridges']} with widths {entry['widths']}: networks are trained without a ridge; add 0.0 "
            "to ridges, or leave widths out",
        )
    return Study(
        name=name,
        figure=entry["figure"],
        domain_name=entry["domain"],
        domain=domain,
        architectures=architectures,
        targets=targets,
        train_sizes=train_sizes,
        network_sizes=network_sizes,
        ridges=entry["ridges"],
        noise_stds=entry["noise_stds"],
        widths=entry["widths"],
        seeds=entry["seeds"],
        network_seeds=(entry.get("network_seeds") or entry["seeds"]) if entry["widths"] else 0,
        kernel=entry["kernel"],
        theory=_theory(where, entry),
        training=_training(config["training"], entry.get("training", {})),
        figure_options=_in_order(entry["figure_options"]),
        outputs=outputs,
        initialisations={name: listed for listed, group in groups.items() if listed not in group for name in group},
        modules=modules,
    )


def _kernels_of(config: Config, where: str, name: object) -> dict[str, Entry]:
    """The kernels that the name of an architecture stands for, {name: specification}: one, or one per initialisation."""
    groups = config.get("initialisations", {})
    names = groups[name] if name in groups else [_known(config, where, "architecture", name)]
    return {one: config["architectures"][one] for one in names}


def _theory(where: str, entry: Entry) -> str:
    """The name of the system of equations; `population: infinite` is another name of the paper's."""
    theory = entry.get("theory", "auto")
    if entry["population"] == "domain":
        return theory
    require(
        theory in ("auto", "eigenlearning"),
        f"{where}: population: infinite with theory: {theory}, which is another system of equations; leave one out",
    )
    return "eigenlearning"


def _training(common: Entry, own: Entry) -> Entry:
    """A study's own options take the place of the common ones; its `job_seconds` that of a common `block`, too."""
    return {key: value for key, value in common.items() if key != "block" or "job_seconds" not in own} | own


def _sizes(where: str, entry: list[int] | dict[str, int]) -> list[int]:
    """A list of sizes, written out or as {first, last, step}."""
    if not isinstance(entry, dict):
        return entry
    sizes = list(range(entry["first"], entry["last"] + 1, entry["step"]))
    require(len(sizes) > 0, f"{where}.train_sizes: first {entry['first']} is larger than last {entry['last']}")
    return sizes


def _known(config: Config, where: str, what: str, name: object) -> str:
    try:
        return choose(what, name, config[SECTIONS[what]])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
