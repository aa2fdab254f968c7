import os
import re
import sys
import time
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.enums import Quietness

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))

from learnability.command.progress import ProgressLines
from learnability.common.provenance import code_digest, processes_import_from
from learnability.common.store import read_table, replacing
from learnability.studies.plan import KINDS, parts, plan
from learnability.studies.remaining import Remaining
from learnability.studies.schema import load_schema
from learnability.studies.sizes import Sizes
from learnability.studies.validation import check_meaning, checked
from learnability.tables.agreement import headlines
from learnability.tables.recommendation import recommendation

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
    PLAN = plan(config, SIZES)
except ValueError as error:
    raise WorkflowError(f"configuration: {error}") from None


def any_of(names):
    """A pattern of a wildcard that is one of some names."""
    return "|".join(map(re.escape, names)) or "none"


wildcard_constraints:
    study=any_of(PLAN.studies),
    experiment=any_of(PLAN.experiments),
    drawn=any_of(PLAN.drawn),
    domain=any_of(config["domains"]),
    architecture=any_of(config["architectures"]),
    suffix=r"|\+nngp",
    cell=r"[^/]+",
    width=r"\d+|own",
    smallest=r"\d+",
    largest=r"\d+",
    first=r"\d+",
    last=r"\d+",


# What `learnability.studies.plan` says of a job, as Snakemake asks for it, by functions of the wildcards.


def job_of(kind, wildcards):
    return PLAN.job(kind, **dict(wildcards.items()))


def inputs_of(kind):
    return lambda wildcards: job_of(kind, wildcards).inputs


def parameters_of(kind):
    """What a job computes from, with the names of its parameters: values that change places are noticed."""
    return lambda wildcards: job_of(kind, wildcards).parameters


def parts_of(kind):
    return lambda wildcards: parts(job_of(kind, wildcards))


def code_of(kind):
    """What makes jobs run again that were run by other code."""
    script = ROOT / "scripts" / KINDS[kind].script
    return lambda wildcards: code_digest(script, *job_of(kind, wildcards).modules)


def threads_of(kind):
    return lambda wildcards: job_of(kind, wildcards).threads


def resources_of(kind):
    """Memory, time and GPUs of a job at each of its tries."""
    return {
        "mem_mb": lambda wildcards, attempt: job_of(kind, wildcards).memory_mb(attempt),
        "runtime": lambda wildcards, attempt: job_of(kind, wildcards).runtime(attempt),
        "gpu": lambda wildcards: job_of(kind, wildcards).gpus,
    }


def job_of_rule(rule, wildcards):
    return PLAN.job(rule, **wildcards) if rule in KINDS else None


def tell_progress():
    """Lines that say what is left of the run, from the events of Snakemake's logger; --quiet progress leaves them out."""
    runs = {job_of_rule(job.rule.name, job.wildcards_dict) for job in workflow.dag.needrun_jobs()}
    remaining = Remaining(job for job in PLAN.jobs() if job in runs)
    tell = partial(logger.info, extra={"quietness": Quietness.PROGRESS})
    logger.addHandler(ProgressLines(remaining, job_of_rule, tell))


def message_of(kind):
    return KINDS[kind].message.replace("{", "{wildcards.")
