"""Exact kernel regression for one architecture on a study's training sets."""

from job import run
from learnability.domains import domain_from, target_from
from learnability.sampling import kernel_experiment
from learnability.store import read_h5, write_frame


def main(domain, architecture, targets, train_sizes, ridges, noise_stds, seeds, values, functions):
    """Read the kernel, write one row per learned function and the functions themselves."""
    place = domain_from(domain)
    stored, _ = read_h5(values)
    matrix = stored["matrix"]

    def kernel(x, x2, index, index2):
        return matrix[index][:, index if index2 is None else index2]

    chosen = {name: target_from(place, target) for name, target in targets.items()}
    table, learned = kernel_experiment(place, chosen, kernel, train_sizes, ridges, noise_stds, range(seeds))
    parameters = {"domain": domain, "architecture": architecture, "targets": targets, "seeds": seeds}
    write_frame(functions, table, parameters, functions=learned)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
