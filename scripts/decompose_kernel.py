"""Eigenvalues of one kernel on one domain."""

from job import run
from learnability.domains import domain_from
from learnability.store import read_h5, write_h5

ATTRIBUTES = ("eigenvalues", "multiplicities", "modes", "tail", "eigenvectors")


def main(domain, values, eigenvalues):
    """Read the kernel's values, write eigenvalues, multiplicities, modes and tail; of a data set eigenvectors too."""
    place = domain_from(domain)
    arrays, parameters = read_h5(values)
    if place.symmetric:
        spectrum = place.spectrum_of_profile(arrays["profile"])
    else:
        spectrum = place.spectrum_of_matrix(arrays["matrix"])
    found = {name: getattr(spectrum, name) for name in ATTRIBUTES if getattr(spectrum, name) is not None}
    write_h5(eigenvalues, found, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
