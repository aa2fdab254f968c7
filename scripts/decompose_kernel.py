"""Eigenvalues of one kernel on one domain."""

from job import run
from learnability.common.store import read_h5, write_h5
from learnability.domains import domain_from

ATTRIBUTES = ("eigenvalues", "multiplicities", "modes", "tail", "eigenvectors")


def main(domain, values, eigenvalues):
    """Read the kernel's values, write eigenvalues, multiplicities, modes and tail; of a data set eigenvectors too."""
    arrays, parameters = read_h5(values, made_from={"domain": domain})
    spectrum = domain_from(domain).spectrum_of(arrays)
    found = {name: getattr(spectrum, name) for name in ATTRIBUTES if getattr(spectrum, name) is not None}
    write_h5(eigenvalues, found, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
