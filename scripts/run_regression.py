"""Exact kernel regression for one architecture on a study's training sets."""

from job import run
from learnability.common.store import read_h5, write_frame
from learnability.domains import domain_from, target_from
from learnability.kernels import architecture_from
from learnability.kernels.matrix import KernelMatrix
from learnability.measurements.regression import kernel_experiment


def main(domain, architecture, kernel, targets, train_sizes, ridges, noise_stds, seeds, values, functions):
    """Read the kernel, write one row per learned function."""
    made_from = {"domain": domain, "architecture": architecture, "kernel": kernel}
    space, stored = domain_from(domain), read_h5(values, made_from=made_from)[0]
    matrix = KernelMatrix(architecture_from(architecture), kernel, stored.get("matrix"))
    chosen = {name: target_from(space, target) for name, target in targets.items()}
    table = kernel_experiment(space, chosen, matrix, train_sizes, ridges, noise_stds, range(seeds))
    parameters = {"domain": domain, "architecture": architecture, "targets": targets, "seeds": seeds}
    write_frame(functions, table, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
