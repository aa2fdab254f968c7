"""Kernel values of one architecture on one domain."""

from collections.abc import Mapping
from typing import Any

from job import run
from learnability.common.store import write_h5
from learnability.domains import domain_from
from learnability.kernels import architecture_from


def main(parameters: Mapping[str, Any], values: str) -> None:
    """Write what determines the spectrum to `values`, and the matrix on a finite domain."""
    domain, architecture = domain_from(parameters["domain"]), architecture_from(parameters["architecture"])
    write_h5(values, domain.kernel_values(architecture, parameters["kernel"]), parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
