"""Exact kernel regression for one architecture on a study's training sets."""

from job import run
from learnability.architectures import FullyConnected
from learnability.domains import domain_from, target_from
from learnability.sampled_regression import kernel_experiment
from learnability.store import read_h5, write_frame


def main(domain, architecture, kernel, targets, train_sizes, ridges, noise_stds, seeds, values, functions):
    """Read the kernel, write one row per learned function."""
    place, network = domain_from(domain), FullyConnected(**architecture)
    stored, _ = read_h5(values)
    matrix = stored.get("matrix")

    def between(x, x2, index, index2):
        if matrix is None:
            return network.kernel(x, x2, kernel)
        return matrix[index][:, index if index2 is None else index2]

    chosen = {name: target_from(place, target) for name, target in targets.items()}
    table = kernel_experiment(place, chosen, between, train_sizes, ridges, noise_stds, range(seeds))
    parameters = {"domain": domain, "architecture": architecture, "targets": targets, "seeds": seeds}
    write_frame(functions, table, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
