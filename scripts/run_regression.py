"""Exact kernel regression for one architecture on a study's training sets."""

from collections.abc import Mapping
from typing import Any

from job import run
from learnability.common.store import write_frame
from learnability.domains import target_from
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.measurements.regression import kernel_experiment


def main(parameters: Mapping[str, Any], values: str, functions: str) -> None:
    """Read the kernel, write one row per learned function."""
    kernel = [parameters[name] for name in ("domain", "architecture", "kernel")]
    learner = KernelOnDomain.of(*kernel, {"values": values})
    targets = {name: target_from(learner.domain, target) for name, target in parameters["targets"].items()}
    grid = [parameters[name] for name in ("train_sizes", "ridges", "noise_stds")]
    table = kernel_experiment(learner.domain, targets, learner.blocks, *grid, range(parameters["seeds"]))
    write_frame(functions, table, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
