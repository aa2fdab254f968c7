"""Kernel values of one architecture on one domain."""

from job import run
from learnability.architectures import FullyConnected
from learnability.domains import domain_from
from learnability.sampled_regression import LARGEST_MATRIX
from learnability.store import write_h5


def main(domain, architecture, kernel, values):
    """Write to `values` the matrix on a finite domain, and the profile K(x_0, x) that determines the spectrum.

    A data set has no profile, and its matrix is written whatever its size.
    """
    place, network = domain_from(domain), FullyConnected(**architecture)
    arrays = {}
    if place.symmetric:
        points = place.profile_points()
        arrays |= {"profile_points": points, "profile": network.kernel(points[:1], points, kernel)[0]}
    if not place.symmetric or getattr(place, "size", LARGEST_MATRIX + 1) <= LARGEST_MATRIX:
        arrays |= {"points": place.points, "matrix": network.kernel(place.points, kind=kernel)}
    write_h5(values, arrays, {"domain": domain, "architecture": architecture, "kernel": kernel})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
