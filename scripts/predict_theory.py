"""The theory's predictions for one architecture on a study's grid."""

from job import run
from learnability.common.store import read_h5, write_frame
from learnability.domains import domain_from, target_from
from learnability.spectra.spectrum import Spectrum
from learnability.tables.theory import theory_table


def main(domain, targets, train_sizes, ridges, noise_stds, population, eigenvalues, predictions):
    """Read a spectrum, write one row per target, training size, ridge and noise."""
    space = domain_from(domain)
    arrays, parameters = read_h5(eigenvalues)
    spectrum = Spectrum(**arrays)
    functions = {name: target_from(space, target) for name, target in targets.items()}
    signs = [name for name, target in functions.items() if (abs(target(*space.evaluation())) == 1).all()]
    drawn_from = space.size if population == "domain" else None
    table = theory_table(spectrum, functions, train_sizes, ridges, noise_stds, space.size, signs, drawn_from)
    write_frame(predictions, table, {**parameters, "targets": targets, "population": population})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
