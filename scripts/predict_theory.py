"""The theory's predictions for one architecture on a study's grid."""

from collections.abc import Mapping
from typing import Any

from job import run
from learnability.common.store import write_frame
from learnability.domains import target_from
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.tables.curve_sizes import curve_sizes, sample_curve_sizes
from learnability.tables.theory import study_table


def main(parameters: Mapping[str, Any], values: str, eigenvalues: str, predictions: str) -> None:
    """Read a kernel and its spectrum, write one row per target, training size, ridge and noise."""
    kernel = [parameters[name] for name in ("domain", "architecture", "kernel")]
    learner = KernelOnDomain.of(*kernel, {"values": values, "eigenvalues": eigenvalues})
    targets = {name: target_from(learner.domain, target) for name, target in parameters["targets"].items()}
    measured = parameters["measured_sizes"]
    grid = [parameters[name] for name in ("ridges", "noise_stds", "theory")]
    table = study_table(learner, targets, curve_sizes(measured), sample_curve_sizes(measured), *grid)
    write_frame(predictions, table, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
