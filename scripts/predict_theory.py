"""The theory's predictions for one architecture on a study's grid."""

from job import run
from learnability.common.store import read_h5, write_frame
from learnability.domains import domain_from, target_from
from learnability.spectra.spectrum import Spectrum
from learnability.tables.theory import domain_table


def main(domain, targets, train_sizes, sample_sizes, ridges, noise_stds, population, values, eigenvalues, predictions):
    """Read a spectrum, write one row per target, training size, ridge and noise."""
    space = domain_from(domain)
    arrays, parameters = read_h5(eigenvalues, made_from={"domain": domain})
    functions = {name: target_from(space, target) for name, target in targets.items()}
    matrix = None if space.alike else read_h5(values, "matrix")[0]["matrix"]
    sizes = (train_sizes, sample_sizes)
    grid = {"targets": targets, "ridges": ridges, "noise_stds": noise_stds, "population": population}
    table = domain_table(space, functions, Spectrum(**arrays), matrix, *sizes, ridges, noise_stds, population)
    write_frame(predictions, table, {**parameters, **grid})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
