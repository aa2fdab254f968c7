"""The theory's predictions for one architecture on a study's grid."""

import pandas as pd

from job import run
from learnability.common.store import read_h5, write_frame
from learnability.domains import domain_from, target_from
from learnability.spectra.spectrum import Spectrum
from learnability.tables.theory import sample_table, theory_table


def main(domain, targets, train_sizes, sample_sizes, ridges, noise_stds, population, values, eigenvalues, predictions):
    """Read a spectrum, write one row per target, training size, ridge and noise.

    On a data set the theory is that of its samples; what the spectrum alone predicts stands beside it as "eigensystem".
    """
    space = domain_from(domain)
    arrays, parameters = read_h5(eigenvalues)
    functions = {name: target_from(space, target) for name, target in targets.items()}
    signs = [name for name, target in functions.items() if (abs(target(*space.evaluation())) == 1).all()]
    drawn_from = space.size if population == "domain" else None
    grid = (ridges, noise_stds)
    table = theory_table(Spectrum(**arrays), functions, train_sizes, *grid, space.size, signs, drawn_from)
    if drawn_from and not space.alike:
        matrix = read_h5(values, "matrix")[0]["matrix"]
        per_sample = sample_table(matrix, functions, sample_sizes, *grid)
        table = pd.concat([per_sample, table.assign(source="eigensystem")], ignore_index=True)
    write_frame(predictions, table, {**parameters, "targets": targets, "population": population})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
