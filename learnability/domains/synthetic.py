r"""Data sets drawn from a known distribution: Gaussian with power-law covariance, mixture of Gaussians, the sphere.

They are made from what they are (`learnability.common.seeding`), at first use, and never stored: 60,000 points of 100 features
take 48 MB and half a second. A smaller set is the beginning of a larger one. |x|^2 averages to `dim`, as in all data sets.

    gaussian_samples   x_i = sqrt(gamma_i) z_i,     gamma_i proportional to i^-exponent, sum gamma = dim
    mixture_samples    x = mu_c + sqrt(gamma) z,    c one of `classes`, in turn
    sphere_samples     x = radius z / |z|           its population's spectrum is that of `Hypersphere(dim, radius)`
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from ..common.errors import real, require, whole
from ..common.seeding import stream
from ..spectra.multi_index import hermite_products, largest_products
from ..spectra.target import Target
from .samples import Samples
from .sphere import Hypersphere

HIGHEST_LEVEL = 8  # of the Hermite polynomials in a power-law target


class SyntheticSamples(Samples, ABC):
    """Samples whose points and labels follow from a recipe: `_draw` is called when they are first asked for."""

    def __init__(self, samples: int, seed: int, names: Sequence[str] = (), **recipe: float) -> None:
        self.size, self.seed, self.recipe = whole("samples", samples, 2), whole("seed", seed), recipe
        self.names = [*names]
        self.identity = {"kind": self.kind, **recipe, "samples": self.size, "seed": self.seed}

    @abstractmethod
    def _draw(self) -> Float[np.ndarray, "size dim"]:
        """The points."""

    def normals(self, dim: int) -> Float[np.ndarray, "size dim"]:
        """Standard normal coordinates (size, dim)."""
        return stream("synthetic samples", kind=self.kind, dim=dim, seed=self.seed).standard_normal((self.size, dim))

    @cached_property
    def _points(self) -> Float[np.ndarray, "size dim"]:  # type: ignore[override]  # drawn when it is asked for
        return self._draw()

    @cached_property
    def labels(self) -> Float[np.ndarray, "size outputs"]:  # type: ignore[override]
        return np.empty((self.size, 0))

    def target_everywhere(self, function: Callable, name: str) -> Target:
        """A function of coordinates (points, dim) -> (points,) as a target, on the samples and anywhere else."""
        return Target(values=function(self.points), function=lambda x, index: function(x), name=name, domain=str(self))


class GaussianSamples(SyntheticSamples):
    """Gaussian points with a power-law covariance, `covariance` its eigenvalues (dim,), along the coordinates.

    Parameters
    ----------
    dim : int
    exponent : float >= 0
    samples, seed : int

    Raises
    ------
    ValueError
        A dim below 1, fewer than 2 samples, a negative seed, an exponent that is no number from 0 to 20.

    Examples
    --------
    >>> import learnability as lb
    >>> data = lb.GaussianSamples(dim=5, exponent=1.5, samples=100)
    >>> data.covariance.round(2).tolist()
    [2.84, 1.0, 0.55, 0.36, 0.25]
    >>> data.hermite([2, 1]).name
    'hermite [2, 1]'
    """

    kind = "gaussian_samples"
    targets = ("hermite", "power_law")

    def __init__(self, dim: int, exponent: float = 1.0, samples: int = 60_000, seed: int = 0) -> None:
        self.covariance = power_law_covariance(whole("dim", dim, 1), exponent)
        super().__init__(samples, seed, dim=dim, exponent=float(exponent))

    def _draw(self) -> Float[np.ndarray, "size dim"]:
        return self.normals(len(self.covariance)) * np.sqrt(self.covariance)

    def polynomial(self, terms: Mapping[tuple[int, ...], float], name: str = "polynomial") -> Target:
        """sum_alpha v_alpha h_alpha(z), with terms {multi-index as a tuple of coordinates: coefficient}."""
        indices, coefficients = [*terms], np.array([*terms.values()])

        def function(x: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, " points"]:
            return hermite_products(x / np.sqrt(self.covariance), indices) @ coefficients

        return self.target_everywhere(function, name)

    def hermite(self, degrees: list[int]) -> Target:
        """prod_i h_k_i(z_i) of the first coordinates, degrees k_i; of unit mean square in the population."""
        require(
            isinstance(degrees, list | tuple) and len(degrees) <= len(self.covariance),
            f"hermite: {degrees!r} is no list of at most {len(self.covariance)} degrees; write [2, 0, 1]",
        )
        degrees = [whole("a degree of hermite", degree, 0, 50) for degree in degrees]
        index = tuple(i for i, degree in enumerate(degrees) for _ in range(degree))
        return self.polynomial({index: 1.0}, f"hermite {degrees}")

    def power_law(self, exponent: float, terms: int = 300) -> Target:
        """Hermite polynomials with v_k^2 proportional to k^-exponent, in the order of prod (gamma_i/dim)^alpha_i.

        A source condition; of unit mean square in the population. The mean, k = 0, is no part of it.
        """
        return self.polynomial(self.power_law_terms(exponent, terms), f"power_law {exponent} {terms}")

    def power_law_terms(self, exponent: float, terms: int = 300) -> dict[tuple[int, ...], float]:
        """The coefficients of `power_law`, {multi-index: coefficient}."""
        rank = np.arange(1, whole("terms of power_law", terms, 1) + 1)
        levels = np.arange(HIGHEST_LEVEL + 1) > 0
        _, indices = largest_products(self.covariance / self.covariance.sum(), levels.astype(float), len(rank))
        power = rank[: len(indices)] ** -_exponent(exponent)
        return dict(zip(indices, np.sqrt(power / power.sum()), strict=True))


class MixtureSamples(SyntheticSamples):
    """Classes of equal size, Gaussian with the same power-law covariance around centres of their own.

    Parameters
    ----------
    dim, classes : int
    separation : float >= 0
        Distance of a centre from the origin in units of a sample's distance from its centre, root mean squares.
    exponent : float >= 0, samples, seed : int

    Raises
    ------
    ValueError
        As of `GaussianSamples`; fewer than 2 classes or more than samples; a negative separation.

    Examples
    --------
    >>> import learnability as lb
    >>> data = lb.MixtureSamples(dim=5, classes=3, samples=99)
    >>> data.all()(*data.evaluation())[:3].round(2).tolist()
    [[0.67, -0.33, -0.33], [-0.33, 0.67, -0.33], [-0.33, -0.33, 0.67]]
    """

    kind = "mixture_samples"

    def __init__(
        self,
        dim: int,
        classes: int = 10,
        separation: float = 0.5,
        exponent: float = 1.0,
        samples: int = 60_000,
        seed: int = 0,
    ) -> None:
        self.covariance = power_law_covariance(whole("dim", dim, 1), exponent)
        self.classes, self.separation = whole("classes", classes, 2, 1000), real("separation", separation)
        require(samples >= classes, f"samples: {samples} are fewer than the {classes} classes")
        names = ["0 or 1"] if classes == 2 else range(classes)
        recipe = {"dim": dim, "classes": classes, "separation": self.separation, "exponent": float(exponent)}
        super().__init__(samples, seed, [*map(str, names)], **recipe)

    @cached_property
    def members(self) -> Int[np.ndarray, " size"]:
        """The class of each sample, one after the other, (size,)."""
        return np.arange(self.size) % self.classes

    @cached_property
    def centres(self) -> Float[np.ndarray, "classes dim"]:
        """(classes, dim), of mean 0 over the classes and mean square separation^2 dim."""
        shape = (self.classes, len(self.covariance))
        centres = stream("centres of a mixture", seed=self.seed, shape=shape).standard_normal(shape)
        centres = (centres - centres.mean(0)) * np.sqrt(self.covariance)
        return centres * self.separation * np.sqrt(shape[1] / (centres**2).sum(1).mean())

    def _draw(self) -> Float[np.ndarray, "size dim"]:
        x = self.centres[self.members] + self.normals(len(self.covariance)) * np.sqrt(self.covariance)
        return x / np.sqrt(1 + self.separation**2)

    @cached_property
    def labels(self) -> Float[np.ndarray, "size outputs"]:  # type: ignore[override]
        """Two classes are -1 and 1, more become one centred output each, (size, outputs)."""
        if self.classes == 2:
            return 2.0 * self.members[:, None] - 1
        return (self.members[:, None] == np.arange(self.classes)) - 1 / self.classes


class SphereSamples(SyntheticSamples):
    """Points on a sphere, with the targets of `Hypersphere`.

    Parameters
    ----------
    dim : int >= 3
    radius : float, optional; missing: sqrt(dim)
    samples, seed : int

    Raises
    ------
    ValueError
        A dim below 3, a radius that is not positive, fewer than 2 samples, a negative seed.

    Examples
    --------
    >>> import learnability as lb
    >>> data = lb.SphereSamples(dim=4, samples=50)
    >>> (data.points**2).sum(1)[:2].round(6).tolist(), data.harmonic(2).name
    ([4.0, 4.0], 'harmonic 2')
    """

    kind = "sphere_samples"
    targets = ("harmonic", "product")

    def __init__(self, dim: int, radius: float | None = None, samples: int = 60_000, seed: int = 0) -> None:
        self.population = Hypersphere(dim, radius)
        super().__init__(samples, seed, dim=dim, radius=self.population.radius)

    def _draw(self) -> Float[np.ndarray, "size dim"]:
        z = self.normals(self.population.dim)
        return self.population.radius * z / np.linalg.norm(z, axis=1, keepdims=True)

    def harmonic(self, degree: int) -> Target:
        """The zonal harmonic of `Hypersphere.harmonic`."""
        return self._of(self.population.harmonic(degree))

    def product(self, degree: int) -> Target:
        """The product of `Hypersphere.product`."""
        return self._of(self.population.product(degree))

    def _of(self, target: Target) -> Target:
        return self.target_everywhere(lambda x: target(x), target.name)


def power_law_covariance(dim: int, exponent: float) -> Float[np.ndarray, " dim"]:
    """Eigenvalues proportional to i^-exponent, i = 1 ... dim, of sum dim."""
    values = np.arange(1.0, dim + 1) ** -_exponent(exponent)
    return values * dim / values.sum()


def _exponent(value: float) -> float:
    return real("exponent", value, most=20)
