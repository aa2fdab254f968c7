"""The plan of a configuration: its jobs as data, which the rules of the workflow read.

`KINDS` names the rules. Each has one function here, from the identity of a job to its files, its parameters, and the memory and
time that it asks for. Another scheduler than Snakemake would start `Plan.jobs`, each after those that it names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.errors import require
from ..experiments import EXPERIMENTS
from ..figures import FIGURES
from . import requests
from .configuration import (
    OWN,
    Config,
    Entry,
    Experiment,
    Study,
    candidates_in,
    experiments_from,
    studies_from,
    targets_in,
)
from .cutting import training_jobs
from .job import Job, Kind
from .labels import files_of
from .sizes import Sizes

Specification = Mapping[str, Any]

TABLE: dict[str, Any] = {"megabytes": 4000, "minutes": 30, "seconds": 0}  # of jobs that join tables and draw
FIGURE: dict[str, Any] = {"megabytes": 2000, "minutes": 30, "seconds": 2}
CELL: dict[str, Any] = {"minutes": 60, "seconds": 8}  # of experiments; the mean of `make paper`


@dataclass(frozen=True, eq=False)
class Plan:
    """The jobs of a checked configuration; each is made when it is asked for, once.

    Attributes
    ----------
    config : dict, checked
    studies, experiments : dicts by name
    sizes : Sizes
        Of its domains and targets.
    """

    config: Config
    studies: Mapping[str, Study]
    experiments: Mapping[str, Experiment]
    sizes: Sizes
    _made: dict[tuple[str, frozenset[tuple[str, str]]], Job] = field(default_factory=dict, init=False, repr=False)

    def job(self, kind: str, **identity: str | int) -> Job:
        """The job of a rule with an identity."""
        texts = {name: str(value) for name, value in identity.items()}
        key = kind, frozenset(texts.items())
        if key not in self._made:
            self._made[key] = KINDS[kind].make(self, **texts)
        return self._made[key]

    def jobs(self) -> Iterator[Job]:
        """All jobs, each after those whose outputs it reads."""
        ends = [self.job("figure", drawn=name) for name in self.drawn] + [self.job("explorer")]
        ends += [self.job("agreement")] if self.compared else []
        waiting, listed = [(job, False) for job in reversed(ends)], set[Job]()
        while waiting:
            job, ready = waiting.pop()
            if job in listed:
                continue
            if ready:
                listed.add(job)
                yield job
            else:
                waiting += [(job, True), *((other, False) for other in reversed(job.after))]

    @property
    def drawn(self) -> Mapping[str, Study | Experiment]:
        """All that has a figure and a table."""
        return {**self.studies, **self.experiments}

    @property
    def compared(self) -> list[str]:
        """The names of studies and experiments that compare theory with measurements."""
        return sorted([*self.studies, *(name for name, e in self.experiments.items() if e.kind != "fidelity")])

    @property
    def rankings(self) -> list[str]:
        """The names of experiments that recommend an architecture."""
        return [name for name, entry in self.experiments.items() if entry.kind == "select"]


def plan(config: Config, sizes: Sizes) -> Plan:
    """The plan of a checked configuration, with the sizes that its check has measured (`validation.check_meaning`).

    Examples
    --------
    >>> from learnability.studies.validation import check_meaning
    >>> from learnability.studies.example import example_config
    >>> config = example_config()
    >>> _, sizes = check_meaning(config)
    >>> [job.kind for job in plan(config, sizes).jobs()]
    ['kernel', 'spectrum', 'theory', 'regression', 'join', 'figure', 'explorer', 'agreement']
    """
    return Plan(config, studies_from(config, dict(sizes.outputs), sizes.modules), experiments_from(config), sizes)


def _kernel(plan: Plan, domain: str, architecture: str, suffix: str) -> Job:
    entries = plan.config["domains"][domain], plan.config["architectures"][architecture]
    size = plan.sizes.domains[domain]
    return _job(
        "kernel",
        {"domain": domain, "architecture": architecture, "suffix": suffix},
        {"domain": entries[0], "architecture": entries[1], "kernel": suffix.removeprefix("+") or "ntk"},
        data=_data_files(entries[0], {}, entries[1]),
        megabytes=requests.kernel_mb(size),
        seconds=requests.spectrum_seconds(size),
    )


def _spectrum(plan: Plan, domain: str, architecture: str, suffix: str) -> Job:
    kernel = plan.job("kernel", domain=domain, architecture=architecture, suffix=suffix)
    size = plan.sizes.domains[domain]
    return _job(
        "spectrum",
        kernel.identity,
        kernel.parameters,
        reads={"values": kernel},
        data=_data_files(plan.config["domains"][domain]),
        megabytes=requests.spectrum_mb(size),
        seconds=requests.spectrum_seconds(size),
    )


def _theory(plan: Plan, study: str, architecture: str) -> Job:
    entry = plan.studies[study]
    size, pair = plan.sizes.domains[entry.domain_name], _kernel_of(entry, architecture)
    own = {"measured_sizes": entry.measured_sizes, "ridges": entry.ridges, "theory": entry.theory}
    return _job(
        "theory",
        {"study": study, "architecture": architecture},
        {**_learned(entry, architecture), "kernel": entry.kernel, **own},
        reads={"values": plan.job("kernel", **pair), "eigenvalues": plan.job("spectrum", **pair)},
        data=_data_of_study(entry, architecture),
        megabytes=requests.theory_mb(entry, size),
        seconds=requests.theory_seconds(entry, size),
    )


def _regression(plan: Plan, study: str, architecture: str) -> Job:
    entry = plan.studies[study]
    size = plan.sizes.domains[entry.domain_name]
    own = {"train_sizes": entry.train_sizes, "ridges": entry.ridges, "seeds": entry.seeds}
    return _job(
        "regression",
        {"study": study, "architecture": architecture},
        {**_learned(entry, architecture), "kernel": entry.kernel, **own},
        reads={"values": plan.job("kernel", **_kernel_of(entry, architecture))},
        data=_data_of_study(entry, architecture),
        megabytes=requests.regression_mb(entry, size),
        seconds=requests.regressions_seconds(entry, size),
    )


def _networks(
    plan: Plan, study: str, architecture: str, width: str, smallest: str, largest: str, first: str, last: str
) -> Job:
    entry = plan.studies[study]
    train_sizes = entry.sizes_between(int(smallest), int(largest))
    require(len(train_sizes) > 0, f"study {study} trains nothing with n = {smallest} to {largest}")
    identity = {"study": study, "architecture": architecture, "width": width, "smallest": smallest, "largest": largest}
    size = OWN if width == OWN else int(width)
    block = architecture, size, train_sizes, int(last) - int(first) + 1
    own = {"width": None if width == OWN else size, "train_sizes": train_sizes, "seeds": [int(first), int(last)]}
    return _job(
        "networks",
        {**identity, "first": first, "last": last},
        {**_learned(entry, architecture), **own, "training": entry.training_options()},
        data=_data_of_study(entry, architecture),
        megabytes=requests.networks_mb(entry, plan.sizes.domains[entry.domain_name], *block),
        seconds=requests.networks_seconds(entry, *block),
        threads=entry.training["threads"],
        gpus=entry.training["gpus"],
    )


def _cell(plan: Plan, experiment: str, cell: str) -> Job:
    entry = plan.experiments[experiment]
    options, labels = entry.cells[cell]
    reads = {"values": entry.reads(cell, "values"), "eigenvalues": entry.reads(cell, "eigenvalues")}
    rules = {"values": "kernel", "eigenvalues": "spectrum"}
    networks = [options.get("architecture") or {}, *candidates_in(options).values()]
    data = _data_files(options.get("domain") or {}, targets_in(options), *networks)
    return _job(
        "cell",
        {"experiment": experiment, "cell": cell},
        {"kind": entry.kind, "options": options, "labels": labels},
        reads={name: plan.job(rules[name], **_pair(*pair)) if pair else [] for name, pair in reads.items()},
        data=data,
        megabytes=requests.cell_mb(entry, cell, plan.sizes),
        **CELL,
        gpus=plan.config["training"]["gpus"] if options.get("width") else 0,
        modules=(EXPERIMENTS[entry.kind],),
    )


def _join_experiment(plan: Plan, experiment: str) -> Job:
    cells = [plan.job("cell", experiment=experiment, cell=cell) for cell in plan.experiments[experiment].cells]
    return _job("join_experiment", {"experiment": experiment}, {"experiment": experiment}, {"cells": cells}, **TABLE)


def _join(plan: Plan, study: str) -> Job:
    entry = plan.studies[study]
    reads: dict[str, list[Job]] = {"theory": [], "regression": [], "networks": []}
    for architecture in entry.architectures:
        for kind in ("theory", "regression"):
            reads[kind].append(plan.job(kind, study=study, architecture=architecture))
        for width in entry.widths_of(architecture):
            for smallest, largest, first, last in training_jobs(entry, architecture, width):
                place: dict[str, str | int] = {"study": study, "architecture": architecture, "width": width}
                block = {"smallest": smallest, "largest": largest, "first": first, "last": last}
                reads["networks"].append(plan.job("networks", **place, **block))
    named = {"initialisations": entry.initialisations} if entry.initialisations else {}
    return _job("join", {"study": study}, {"study": study, **named}, reads, **TABLE)


def _agreement(plan: Plan) -> Job:
    tables = [_table(plan, name) for name in plan.compared]
    return _job("agreement", {}, {"studies": plan.compared}, {"tables": tables}, **TABLE)


def _figure(plan: Plan, drawn: str) -> Job:
    entry = plan.drawn[drawn]
    parameters = {"name": drawn, "figure": entry.figure, "settings": entry.settings(), "options": entry.figure_options}
    return _job(
        "figure",
        {"drawn": drawn},
        parameters,
        {"table": _table(plan, drawn)},
        **FIGURE,
        modules=(FIGURES[entry.figure],),
    )


def _explorer(plan: Plan) -> Job:
    tables = [_table(plan, name) for name in plan.studies]
    return _job("explorer", {}, {"studies": [*plan.studies]}, {"tables": tables}, **TABLE)


def parts(join: Job) -> dict[str, list[tuple[dict[str, str | int], Specification]]]:
    """For each input of a study's table, by kind: the columns that it stands for, and what it must have been made from."""
    kinds = ("theory", "regression", "networks")
    named = join.parameters.get("initialisations", {})
    return {kind: [(_columns(job, named), job.parameters) for job in join.after if job.kind == kind] for kind in kinds}


def _columns(job: Job, initialisations: Mapping[str, str]) -> dict[str, str | int]:
    """The constant columns of the rows that a job of a study makes; a theory's say themselves which theory they are from.

    initialisations : dict of architecture to the network that it is one initialisation of
    """
    own = job.identity["architecture"]
    columns: dict[str, str | int] = {"architecture": initialisations.get(own, own)}
    if own in initialisations:
        columns["initialisation"] = own
    if job.kind == "networks" and job.parameters["width"] is not None:
        columns["width"] = job.parameters["width"]
    sources = {"regression": "kernel", "networks": "network"}
    return {"source": sources[job.kind], **columns} if job.kind in sources else columns


def _job(
    kind: str,
    identity: Mapping[str, str],
    parameters: Specification,
    reads: Mapping[str, Any] | None = None,
    data: list[str] | None = None,
    *,
    megabytes: float,
    seconds: float,
    minutes: float | None = None,
    **asked: Any,
) -> Job:
    """A job whose inputs are the only or the HDF5 outputs of others, by name, and files of the user's.

    It asks for so many minutes, by default for those that its seconds call for.
    """
    inputs: dict[str, str | list[str]] = {}
    after: list[Job] = []
    for name, jobs in (reads or {}).items():
        listed = [jobs] if isinstance(jobs, Job) else jobs
        paths = [next(path for path in job.outputs.values() if path.endswith(".h5")) for job in listed]
        inputs[name] = paths[0] if isinstance(jobs, Job) else paths
        after += listed
    if data is not None:
        inputs["data"] = data
    outputs = {name: pattern.format(**identity) for name, pattern in KINDS[kind].outputs.items()}
    requested = requests.minutes(seconds) if minutes is None else minutes
    return Job(kind, identity, inputs, outputs, parameters, megabytes, requested, seconds, **asked, after=tuple(after))


def _table(plan: Plan, name: str) -> Job:
    return plan.job("join", study=name) if name in plan.studies else plan.job("join_experiment", experiment=name)


def _pair(domain: str, architecture: str, kernel: str) -> dict[str, str]:
    """The identity of a kernel's and a spectrum's job."""
    return {"domain": domain, "architecture": architecture, "suffix": "" if kernel == "ntk" else f"+{kernel}"}


def _kernel_of(study: Study, architecture: str) -> dict[str, str]:
    return _pair(study.domain_name, architecture, study.kernel)


def _learned(study: Study, architecture: str) -> dict[str, Any]:
    """What learns what, in a study."""
    names = {"domain": study.domain, "architecture": study.architectures[architecture]}
    return {**names, "targets": study.targets, "noise_stds": study.noise_stds}


def _data_of_study(study: Study, architecture: str) -> list[str]:
    return _data_files(study.domain, study.targets, study.architectures[architecture])


def _data_files(
    domain: Specification, targets: Mapping[str, Entry] | None = None, *architectures: Specification
) -> list[str]:
    """Files that a domain, its targets and kernels of the user's own are read from, each once."""
    files = [path for entry in (domain, *architectures) if (path := entry.get("path"))]
    return [*dict.fromkeys([*files, *(path for target in (targets or {}).values() for path in files_of(target))])]


KINDS = {
    "kernel": Kind(
        _kernel,
        "build_kernel.py",
        "Kernel of {architecture} on {domain}",
        "kernels/{domain}/{architecture}{suffix}",
        {"values": "h5"},
    ),
    "spectrum": Kind(
        _spectrum,
        "decompose_kernel.py",
        "Spectrum of {architecture} on {domain}",
        "spectra/{domain}/{architecture}{suffix}",
        {"eigenvalues": "h5"},
    ),
    "theory": Kind(
        _theory,
        "predict_theory.py",
        "Theory of {architecture} for {study}",
        "theory/{study}/{architecture}",
        {"predictions": "h5"},
    ),
    "regression": Kind(
        _regression,
        "run_regression.py",
        "Kernel regression of {architecture} for {study}",
        "regression/{study}/{architecture}",
        {"functions": "h5"},
    ),
    "networks": Kind(
        _networks,
        "train_networks.py",
        "Networks {architecture}, width {width}, n = {smallest} to {largest}, seeds {first}-{last} for {study}",
        "networks/{study}/{architecture}/width{width}/n{smallest}-{largest}/seeds{first}-{last}",
        {"functions": "h5"},
    ),
    "cell": Kind(_cell, "run_experiment.py", "{experiment}: {cell}", "experiments/{experiment}/{cell}", {"cell": "h5"}),
    "join_experiment": Kind(
        _join_experiment,
        "join_experiment.py",
        "Table of {experiment}",
        "join/{experiment}",
        {"csv": "csv", "h5": "h5"},
        "studies/{experiment}",
    ),
    "join": Kind(
        _join, "join_study.py", "Table of {study}", "join/{study}", {"csv": "csv", "h5": "h5"}, "studies/{study}"
    ),
    "agreement": Kind(
        _agreement,
        "measure_agreement.py",
        "Agreement of theory and experiment",
        "agreement",
        {"agreements": "csv", "summary": "rst"},
    ),
    "figure": Kind(
        _figure,
        "draw_figure.py",
        "Figure of {drawn}",
        "figures/{drawn}",
        {"pdf": "pdf", "svg": "svg", "png": "png", "caption": "rst"},
    ),
    "explorer": Kind(
        _explorer, "write_explorer.py", "Explorer pages", "explorer", {"html": "html", "predict": "predict.html"}
    ),
}
