"""The theory's predictions for one architecture on a study's grid."""

from job import run
from learnability.common.store import write_frame
from learnability.domains import target_from
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.tables.theory import study_table


def main(
    domain, architecture, kernel, targets, train_sizes, sample_sizes, ridges, noise_stds, theory,
    values, eigenvalues, predictions,
):  # fmt: skip
    """Read a kernel and its spectrum, write one row per target, training size, ridge and noise."""
    learner = KernelOnDomain.of(domain, architecture, kernel, {"values": values, "eigenvalues": eigenvalues})
    functions = {name: target_from(learner.domain, target) for name, target in targets.items()}
    table = study_table(learner, functions, train_sizes, sample_sizes, ridges, noise_stds, theory)
    grid = {"targets": targets, "ridges": ridges, "noise_stds": noise_stds, "theory": theory}
    write_frame(predictions, table, {**learner.made_from, **grid})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
