r"""The sphere of radius sqrt(dim) in dim dimensions. Eigenfunctions of any rotation-invariant kernel are spherical harmonics.

All m_k harmonics of degree k share the eigenvalue (Funk-Hecke; Simon et al. 2021, app. B)

    lambda_k = int_0^pi K(cos t) C_k(cos t) sin(t)^(dim-2) dt / int_0^pi sin(t)^(dim-2) dt,

with C_k the Gegenbauer polynomial scaled to C_k(1) = 1, so that |C_k| <= 1. In the angle t from the pole the kernels of
networks are analytic up to both ends, kinks of the activation included, and Gauss-Legendre quadrature converges
exponentially. Rounding of the kernel limits the eigenvalue of degree k to about 1e-16 / sqrt(m_k) while its multiplicity
grows like dim^k: levels below that are not listed, and their trace is the spectrum's `tail`.
"""

from collections.abc import Iterator
from functools import cached_property
from math import lgamma, log
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..common.errors import real, whole
from ..common.seeding import stream
from ..kernels.matrix import Indexed
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target
from .domain import ROUNDING, SymmetricDomain

NODES_PER_DEGREE = 4


class Hypersphere(SymmetricDomain):
    """Points of norm `radius` in `dim` dimensions, uniformly distributed.

    Parameters
    ----------
    dim : int >= 3
    radius : float, optional
        Missing: sqrt(dim), so that inputs have unit variance per coordinate. Spectrum, regression and networks share it.
    test_points : int
        Points on which learned functions are measured; they follow from the domain alone.
    max_degree : int
        The highest degree that is listed, if rounding does not end the list before.

    Raises
    ------
    ValueError
        A dimension below 3, a radius that is not positive, numbers that are not whole.

    Examples
    --------
    >>> import learnability as lb
    >>> sphere = lb.Hypersphere(dim=8)
    >>> spectrum = sphere.spectrum(lb.FullyConnected(depth=2, bias_std=0.1))
    >>> lb.predict(spectrum, sphere.harmonic(2), train_size=[32, 256]).learnability.round(2).tolist()
    [0.3, 0.88]
    """

    kind = "sphere"
    targets = ("harmonic", "product")

    def __init__(self, dim: int, radius: float | None = None, test_points: int = 10_000, max_degree: int = 300) -> None:
        self.dim, self.test_points = whole("dim", dim, 3), whole("test_points", test_points, 1)
        self.max_degree = whole("max_degree", max_degree, 1)
        self.radius = real("radius", np.sqrt(dim) if radius is None else radius, positive=True)
        self.identity = {**self.sampling_identity, "test_points": self.test_points}

    @property
    def sampling_identity(self) -> dict[str, Any]:
        return {"kind": self.kind, "dim": self.dim, "radius": self.radius}

    # --- points -----------------------------------------------------------------------------------------------

    def _draw(self, number: int, **identity: int) -> Float[np.ndarray, "points dim"]:
        sphere = {"dim": self.dim, "radius": self.radius}
        x = stream("points on the sphere", domain=sphere, **identity).standard_normal((number, self.dim))
        return self.radius * x / np.linalg.norm(x, axis=1, keepdims=True)

    def sample(self, train_size: int, seed: int) -> Indexed:
        train_size = whole("train_size", train_size)
        return self._draw(train_size, train_size=train_size, seed=whole("seed", seed)), None

    @cached_property
    def _test_set(self) -> Float[np.ndarray, "points dim"]:
        return self._draw(self.test_points, test_points=self.test_points)

    def evaluation(self) -> Indexed:
        return self._test_set, None

    # --- spectrum ---------------------------------------------------------------------------------------------

    @cached_property
    def _quadrature(self) -> tuple[Float[np.ndarray, " nodes"], Float[np.ndarray, " nodes"]]:
        """Angles from the pole and probability weights."""
        number = NODES_PER_DEGREE * self.max_degree + 10 * int(np.sqrt(self.dim)) + 200
        nodes, weights = np.polynomial.legendre.leggauss(number)
        angles = np.pi * (nodes + 1) / 2
        logs = np.log(weights) + (self.dim - 2) * np.log(np.sin(angles))
        weights = np.exp(logs - logs.max())
        return angles, weights / weights.sum()

    def profile_points(self) -> Float[np.ndarray, "points dim"]:
        """The pole, then points at the angles of the quadrature: (1 + nodes, dim)."""
        angles, _ = self._quadrature
        points = np.zeros((len(angles) + 1, self.dim))
        points[0, 0] = 1.0
        points[1:, 0], points[1:, 1] = np.cos(angles), np.sin(angles)
        return self.radius * points

    def moved(self, x: Float[np.ndarray, "points dim"], rng: np.random.Generator) -> Float[np.ndarray, "points dim"]:
        for normal in rng.standard_normal((2, self.dim)):  # two reflections make a rotation
            x = x - 2 * np.outer(x @ normal, normal) / (normal @ normal)
        return x

    def spectrum_of_profile(self, profile: Float[np.ndarray, " points"]) -> Spectrum:
        angles, weights = self._quadrature
        weighted = weights * profile[1:]
        degrees = np.arange(self.max_degree + 1)
        values, noise = np.empty(len(degrees)), np.empty(len(degrees))
        for degree, polynomial in zip(degrees, gegenbauer(self.dim, np.cos(angles), self.max_degree), strict=True):
            terms = weighted * polynomial
            values[degree], noise[degree] = terms.sum(), ROUNDING * (1 + degree) * np.abs(terms).sum()
        return Spectrum.resolved(values, multiplicities(self.dim, degrees), float(profile[0]), noise, degrees)

    def zonal_functions(
        self,
    ) -> tuple[
        Int[np.ndarray, " levels"],
        Float[np.ndarray, " levels"],
        Float[np.ndarray, "levels points"],
        Float[np.ndarray, " points"],
    ]:
        angles, weights = self._quadrature
        degrees = np.arange(self.max_degree + 1)
        zonal = np.stack(list(gegenbauer(self.dim, np.cos([0.0, *angles]), self.max_degree)))
        return degrees, multiplicities(self.dim, degrees), zonal, np.array([0.0, *weights])

    # --- targets ----------------------------------------------------------------------------------------------

    def harmonic(self, degree: int) -> Target:
        """The zonal harmonic sqrt(m_k) C_k(x_1 / radius), of unit mean square."""
        degree = whole("the degree of a harmonic", degree, 0, self.max_degree)
        scale = np.sqrt(multiplicities(self.dim, np.array([degree]))[0])

        def function(
            x: Float[np.ndarray, "points dim"], index: Int[np.ndarray, " points"] | None
        ) -> Float[np.ndarray, " points"]:
            *_, polynomial = gegenbauer(self.dim, x[:, 0] / self.radius, degree)
            return scale * polynomial

        return Target(np.ones(1), np.array([degree]), function, f"harmonic {degree}", domain=str(self))

    def product(self, degree: int) -> Target:
        """The harmonic proportional to x_1 x_2 ... x_k, of unit mean square; it depends on k coordinates."""
        degree = whole("the degree of a product", degree, 0, self.dim)
        # E[x_1^2 ... x_k^2] = radius^(2k) / (dim (dim + 2) ... (dim + 2k - 2))
        scale = np.sqrt(np.prod(self.dim + 2.0 * np.arange(degree))) / self.radius**degree

        def function(
            x: Float[np.ndarray, "points dim"], index: Int[np.ndarray, " points"] | None
        ) -> Float[np.ndarray, " points"]:
            return scale * x[:, :degree].prod(1)

        return Target(np.ones(1), np.array([degree]), function, f"product {degree}", domain=str(self))


def gegenbauer(dim: int, t: Float[np.ndarray, "..."], max_degree: int) -> Iterator[Float[np.ndarray, "..."]]:
    """Yield C_0(t), C_1(t), ..., C_max_degree(t), scaled to C_k(1) = 1; each of the shape of t."""
    before, now = np.ones_like(t), np.asarray(t)
    for degree in range(max_degree + 1):
        yield before
        step = degree + 1
        before, now = now, ((2 * step + dim - 2) * t * now - step * before) / (step + dim - 2)


def multiplicities(dim: int, degrees: Int[np.ndarray, " levels"]) -> Float[np.ndarray, " levels"]:
    """Number of independent harmonics of each degree, float64: (2k + dim - 2) (k + dim - 3)! / (k! (dim - 2)!)."""
    logs = [lgamma(k + dim - 2) - lgamma(k + 1) - lgamma(dim - 1) + log(2 * k + dim - 2) for k in degrees.tolist()]
    with np.errstate(over="ignore"):  # degrees whose multiplicity exceeds a float64 are never resolved
        values = np.exp(logs)
    return np.where(values < 2.0**50, np.round(values), values)
