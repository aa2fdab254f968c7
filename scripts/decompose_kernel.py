"""Eigenvalues of one kernel on one domain."""

from collections.abc import Mapping
from typing import Any

from job import run
from learnability.common.store import read_h5, write_h5
from learnability.domains import domain_from

ATTRIBUTES = ("eigenvalues", "multiplicities", "modes", "tail", "eigenvectors")


def main(parameters: Mapping[str, Any], values: str, eigenvalues: str) -> None:
    """Read the kernel's values, write eigenvalues, multiplicities, modes and tail; of a data set eigenvectors too."""
    arrays, _ = read_h5(values, made_from=parameters)
    spectrum = domain_from(parameters["domain"]).spectrum_of(arrays)
    attributes = {name: getattr(spectrum, name) for name in ATTRIBUTES}
    write_h5(eigenvalues, {name: value for name, value in attributes.items() if value is not None}, parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
