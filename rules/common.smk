import os
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

ROOT = Path(workflow.basedir)
SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(ROOT))

from learnability.common.store import read_table, replacing
from learnability.common.provenance import module_file, processes_import_from, sources
from learnability.experiments import EXPERIMENTS as EXPERIMENT_MODULES
from learnability.figures import FIGURES
from learnability.tables.agreement import headlines
from learnability.tables.recommendation import recommendation
from learnability.studies.configuration import experiments_from, studies_from, targets_in
from learnability.studies.cutting import training_jobs
from learnability.studies.labels import files_of
from learnability.studies.schema import load_schema
from learnability.studies.sizes import Sizes
from learnability.studies.validation import check_meaning, checked

processes_import_from(ROOT)

if not os.access(".", os.W_OK):
    raise WorkflowError(
        f"{os.getcwd()} cannot be written to; results go elsewhere with --directory DIR, and paths in a configuration are then "
        "relative to DIR"
    )

try:
    config = checked(config, load_schema(ROOT / "config" / "schema.yaml"))
    SIZES = None if workflow.is_main_process else Sizes.handed_down()
    if SIZES is None:
        remarks, SIZES = check_meaning(config)
        SIZES.hand_down()
        for remark in remarks if workflow.is_main_process else ():
            logger.warning(remark)
    STUDIES = studies_from(config, SIZES.outputs)
    EXPERIMENTS = experiments_from(config)
except ValueError as error:
    raise WorkflowError(f"configuration: {error}") from None

COMPARED = sorted([*STUDIES, *(name for name, e in EXPERIMENTS.items() if e.kind != "fidelity")])
RANKINGS = [name for name, e in EXPERIMENTS.items() if e.kind == "select"]


wildcard_constraints:
    study="|".join(map(re.escape, STUDIES)) or "none",
    cell=r"[^/]+",
    experiment="|".join(map(re.escape, EXPERIMENTS)) or "none",
    drawn="|".join(map(re.escape, [*STUDIES, *EXPERIMENTS])),
    domain="|".join(map(re.escape, config["domains"])) or "none",
    architecture="|".join(map(re.escape, config["architectures"])) or "none",
    kernel="ntk|nngp",
    width=r"\d+",
    smallest=r"\d+",
    largest=r"\d+",
    first=r"\d+",
    last=r"\d+",


def code(script, *modules):
    """The source files that decide what a script computes, beside the script itself; relative, so that a run can move."""
    extra = [str(module_file(module)) for module in modules]
    reached = {*sources(SCRIPTS / script), *extra}
    for module in extra:
        reached.update(sources(module))
    return sorted(os.path.relpath(path) for path in reached)


def drawn(wildcards):
    """The study or experiment of a figure."""
    return {**STUDIES, **EXPERIMENTS}[wildcards.drawn]


def data_files(domain, targets=(), architecture=None):
    """Files that a domain, its targets and a kernel of the user's own are read from."""
    files = [domain.get("path"), (architecture or {}).get("path")]
    return [path for path in files if path] + [path for target in targets for path in files_of(target)]


def data_of_domain(wildcards):
    return data_files(config["domains"][wildcards.domain])


def data_of_kernel(wildcards):
    return data_files(config["domains"][wildcards.domain], architecture=of_architecture(wildcards))


def data_of_study(wildcards):
    study = STUDIES[wildcards.study]
    return data_files(study.domain, study.targets.values(), of_architecture(wildcards))


def options_of_cell(wildcards):
    return EXPERIMENTS[wildcards.experiment].cells[wildcards.cell][0]


def data_of_cell(wildcards):
    options = options_of_cell(wildcards)
    return data_files(options.get("domain") or {}, targets_in(options).values(), options.get("architecture"))


def of_study(name):
    """A params function: an attribute of the wildcards' study."""
    return lambda wildcards: getattr(STUDIES[wildcards.study], name)


def of_architecture(wildcards):
    return config["architectures"][wildcards.architecture]


def kernel_file(kind, domain, architecture, kernel):
    return f"results/{kind}/{domain}/{architecture}{'' if kernel == 'ntk' else f'+{kernel}'}.h5"


def kernel_files(kind):
    """The kernel or spectrum file of the wildcards' study and architecture."""

    def path(wildcards):
        study = STUDIES[wildcards.study]
        return kernel_file(kind, study.domain_name, wildcards.architecture, study.kernel)

    return path


def cell_files(kind, name):
    """The kernel or spectrum file that the wildcards' cell reads as `name`, if it reads one."""

    def path(wildcards):
        found = EXPERIMENTS[wildcards.experiment].reads(wildcards.cell, name)
        return [] if found is None else kernel_file(kind, *found)

    return path


def experiment_files(study, kind):
    """The result files of a study, {path: (columns that it stands for, parameters that it was made from)}."""
    study, files = STUDIES[study], {}
    grid = {name: getattr(study, name) for name in ("domain", "targets", "noise_stds")}
    for architecture, entry in study.architectures.items():
        columns = {"architecture": architecture}
        if kind == "theory":  # its rows say themselves which theory they are from
            made_from = {**grid, "ridges": study.ridges, "theory": study.theory}
            files[f"results/theory/{study.name}/{architecture}.h5"] = columns, made_from
        elif kind == "regression":
            made_from = {name: getattr(study, name) for name in ("train_sizes", "ridges", "seeds")}
            made_from |= {**grid, "architecture": entry}
            files[f"results/regression/{study.name}/{architecture}.h5"] = {"source": "kernel", **columns}, made_from
        else:
            for width in study.widths:
                files |= network_files(study, architecture, width, grid)
    return files


def network_files(study, architecture, width, grid):
    """The same of the networks of an architecture and a width."""
    files, columns = {}, {"source": "network", "architecture": architecture, "width": width}
    made_from = {**grid, "architecture": study.architectures[architecture], "width": width}
    for smallest, largest, first, last in training_jobs(study, architecture, width):
        block = {"train_sizes": study.sizes_between(smallest, largest), "seeds": [first, last]}
        path = f"results/networks/{study.name}/{architecture}/width{width}/n{smallest}-{largest}/seeds{first}-{last}.h5"
        files[path] = columns, {**made_from, **block, "training": study.training_options()}
    return files
