"""Exact kernel regression for one architecture on a study's training sets."""

from job import run
from learnability.common.store import write_frame
from learnability.domains import target_from
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.measurements.regression import kernel_experiment


def main(domain, architecture, kernel, targets, train_sizes, ridges, noise_stds, seeds, values, functions):
    """Read the kernel, write one row per learned function."""
    given = KernelOnDomain.of(domain, architecture, kernel, {"values": values})
    chosen = {name: target_from(given.domain, target) for name, target in targets.items()}
    table = kernel_experiment(given.domain, chosen, given.blocks, train_sizes, ridges, noise_stds, range(seeds))
    parameters = {"domain": domain, "architecture": architecture, "targets": targets, "seeds": seeds}
    parameters |= {"train_sizes": train_sizes, "ridges": ridges, "noise_stds": noise_stds}
    write_frame(functions, table, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
