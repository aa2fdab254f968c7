"""Eigenvalues of one kernel on one domain."""

from job import run
from learnability.domains import domain_from
from learnability.store import read_h5, write_h5


def main(domain, values, eigenvalues):
    """Read the kernel's values, write eigenvalues, multiplicities, modes and tail."""
    arrays, parameters = read_h5(values, "profile")
    spectrum = domain_from(domain).spectrum_of_profile(arrays["profile"])
    arrays = {name: getattr(spectrum, name) for name in ("eigenvalues", "multiplicities", "modes", "tail")}
    write_h5(eigenvalues, arrays, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
