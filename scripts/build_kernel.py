"""Kernel values of one architecture on one domain."""

from job import run
from learnability.common.store import write_h5
from learnability.domains import domain_from
from learnability.kernels import architecture_from


def main(domain, architecture, kernel, values):
    """Write what determines the spectrum to `values`, and the matrix on a finite domain."""
    arrays = domain_from(domain).kernel_values(architecture_from(architecture), kernel)
    write_h5(values, arrays, {"domain": domain, "architecture": architecture, "kernel": kernel})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
