"""What every domain offers. Spectrum, kernel regression and networks always see the very same points.

A domain samples training sets, has points on which learned functions are measured, and turns a kernel into a spectrum.
`FiniteDomain` is a list of points; on a `SymmetricDomain` the kernel's values at a few points, its profile, determine the
spectrum, and eigenfunctions do not depend on the kernel. Hypercube and circle are both, the sphere is symmetric, a data
set is finite.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from ..common.arrays import labels
from ..common.errors import require, whole
from ..common.groups import Groups
from ..common.seeding import stream
from ..common.threads import one_thread
from ..kernels.matrix import LARGEST_MATRIX, Indexed, as_kernel
from ..spectra.spectrum import Spectrum
from ..spectra.target import Target

if TYPE_CHECKING:
    from ..kernels.kernel import Kernel, KernelLike

ROUNDING = 64 * np.finfo(np.float64).eps  # relative error of a kernel value after a few layers
Points = Float[np.ndarray, "points ..."]  # (points, dim), or images (points, channels, height, width)
INVARIANCE = 1e-7  # of a kernel's largest value: more than rounding makes of its kinks


class Domain(ABC):
    """An input domain with a uniform probability measure.

    Attributes
    ----------
    kind : str
        Its name in a configuration.
    targets : tuple of str
        Methods that build the targets a configuration may ask for.
    identity : dict
        What it is, for hashing and file attributes.
    size : int or None
        The number of its points; None where they are infinitely many.
    alike : bool
        Whether a symmetry takes every point to every other one; the samples of a data set are each of their own kind.
    groups : (points,) of int or None
        Of a data set whose training sets are whole groups of samples: the group of each.
    """

    kind: str
    targets: tuple[str, ...]
    identity: dict[str, Any]
    size: int | None = None
    alike: bool = True
    groups: Groups | None = None

    def __repr__(self) -> str:
        return _called(type(self), self.identity)

    def __str__(self) -> str:
        return _called(type(self), self.sampling_identity)

    @property
    def sampling_identity(self) -> dict[str, Any]:
        """What decides training sets and their noise: `identity` without what only concerns the evaluation."""
        return self.identity

    @abstractmethod
    def sample(self, train_size: int, seed: int) -> Indexed:
        """The training set of a seed: points x (train_size, ...) and their indices (train_size,) or None."""

    @abstractmethod
    def evaluation(self) -> Indexed:
        """The points on which learned functions are measured, x (points, ...), and their indices or None."""

    def require_matrix(self) -> None:
        """ValueError if `spectrum` would need a larger kernel matrix than can be decomposed; symmetry needs none."""
        return

    @abstractmethod
    def kernel_values(self, architecture: "Kernel | KernelLike", kind: str = "ntk") -> dict[str, np.ndarray]:
        """What a kernel file holds, dict of arrays: all that `spectrum_of` needs."""

    @abstractmethod
    def spectrum_of(self, arrays: Mapping[str, np.ndarray]) -> Spectrum:
        """The spectrum of the kernel whose `kernel_values` these are."""

    def spectrum(self, architecture: "Kernel | KernelLike", kind: str = "ntk") -> Spectrum:
        """The spectrum of an architecture's kernel under the uniform measure."""
        return replace(self.spectrum_of(self.kernel_values(architecture, kind)), domain=str(self))


def _called(kind: type[Domain], identity: Mapping[str, Any]) -> str:
    """The call that makes a domain, contents of data sets cut to 12 digits of their hash."""
    shown = {name: value[:12] if name == "content" else value for name, value in identity.items() if name != "kind"}
    return f"{kind.__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


class SymmetricDomain(Domain):
    """A domain on which the kernels of all architectures have the same eigenfunctions."""

    @abstractmethod
    def profile_points(self) -> Float[np.ndarray, "points dim"]:
        """Points (m, dim), the first of which stands for all: K(first, every) determines the spectrum."""

    @abstractmethod
    def spectrum_of_profile(self, profile: Float[np.ndarray, " points"]) -> Spectrum:
        """Spectrum of the kernel whose values K(first, every) at `profile_points` are given."""

    @abstractmethod
    def zonal_functions(
        self,
    ) -> tuple[
        Int[np.ndarray, " levels"],
        Float[np.ndarray, " levels"],
        Float[np.ndarray, "levels points"],
        Float[np.ndarray, " points"],
    ]:
        """What a profile is made of: modes and their multiplicities (levels,), zonal functions (levels, m), weights (m,).

        A kernel with eigenvalues lambda has the profile sum_k multiplicity_k lambda_k zonal_k, and a profile the
        eigenvalues sum_j weight_j zonal_k(j) profile(j). Zonal functions are 1 at the first point; the weights are the
        probabilities of the profile's points.
        """

    @abstractmethod
    def moved(self, x: Float[np.ndarray, "points dim"], rng: np.random.Generator) -> Float[np.ndarray, "points dim"]:
        """Points x (n, dim) under a symmetry of the domain, drawn at random."""

    def kernel_values(self, architecture: "Kernel | KernelLike", kind: str = "ntk") -> dict[str, np.ndarray]:
        kernel, points = as_kernel(architecture), self.profile_points()
        self._require_invariance(kernel, kind, points)
        return {"profile_points": points, "profile": kernel.kernel(points[:1], points, kind)[0]}

    @one_thread
    def spectrum_of(self, arrays: Mapping[str, np.ndarray]) -> Spectrum:
        return self.spectrum_of_profile(arrays["profile"])

    def _require_invariance(self, kernel: "Kernel", kind: str, points: Float[np.ndarray, "points dim"]) -> None:
        """Require K(gx, gx') = K(x, x') for a symmetry g: only then does the profile determine the spectrum."""
        few = points[np.linspace(0, len(points) - 1, min(8, len(points))).astype(int)]
        rng = stream("symmetries", domain=self.sampling_identity)
        one, other = (kernel.kernel(self.moved(few, rng), kind=kind) for _ in range(2))
        difference, scale = np.abs(one - other).max(), np.abs(one).max()
        require(
            difference <= INVARIANCE * scale,
            f"{kernel!r} is not invariant under the symmetries of {self}: K(gx, gx') differs from K(x, x') by "
            f"{difference:.2g} at a scale of {scale:.2g}; its spectrum is that of a list of points, lb.Samples(x)",
        )


class FiniteDomain(Domain):
    """A domain that is a list of points; the whole of it is the evaluation set, sampling is without replacement."""

    size: int

    @property
    @abstractmethod
    def points(self) -> Points:
        """All points, (size, dim) or of more axes, float64."""

    def sample(self, train_size: int, seed: int) -> Indexed:
        train_size, seed = whole("train_size", train_size), whole("seed", seed)
        require(
            train_size <= self.size,
            f"train_size {train_size} is larger than the domain: {self.kind} has {self.size} points",
        )
        rng = stream("training set", domain=self.identity, train_size=train_size, seed=seed)
        index = rng.permutation(self.size)[:train_size]
        return self.points[index], index

    def evaluation(self) -> Indexed:
        return self.points, np.arange(self.size)

    def _values(self, values: ArrayLike, name: str) -> Float[np.ndarray, "size ..."]:
        """A function's values at `points` as an array; ValueError if they do not fit or are not finite."""
        values = labels(f"target {name!r}", values)
        require(
            values.shape[:1] == (self.size,),
            f"target {name!r} has shape {values.shape}; {self.kind} has {self.size} points",
        )
        return values


class SymmetricFiniteDomain(SymmetricDomain, FiniteDomain):
    """A list of points with a known eigenbasis."""

    @abstractmethod
    def eigenfunctions(self) -> tuple[Int[np.ndarray, " size"], Float[np.ndarray, "size size"]]:
        """Modes (size,) and a basis (size, size), one eigenfunction per column, E[phi_i phi_j] = delta_ij."""

    @one_thread
    def fourth_moments(self, functions: Int[np.ndarray, " number"]) -> Float[np.ndarray, "number number number number"]:
        """E[phi_i phi_j phi_k phi_l] of the listed columns of `eigenfunctions`, (number,) * 4, to rounding.

        Gaussian variables have delta_ij delta_kl + delta_ik delta_jl + delta_il delta_jk. Parities have 1 where the
        symmetric difference of the four sets is empty, else 0; waves what trigonometric identities say.
        """
        basis = self.eigenfunctions()[1][:, functions]
        pairs = np.einsum("xi,xj->xij", basis, basis).reshape(self.size, -1)
        return (pairs.T @ pairs / self.size).reshape((basis.shape[1],) * 4)

    @abstractmethod
    def power(
        self, values: Float[np.ndarray, "size ..."]
    ) -> tuple[Int[np.ndarray, " levels"], Float[np.ndarray, "levels ..."]]:
        """Modes (levels,) and the power of a function (size, outputs...) on each, (levels, outputs...)."""

    @abstractmethod
    def index_of(self, x: Float[np.ndarray, "points dim"]) -> Int[np.ndarray, " points"]:
        """The numbers of points x (n, dim) of this domain."""

    def kernel_values(self, architecture: "Kernel | KernelLike", kind: str = "ntk") -> dict[str, np.ndarray]:
        arrays = super().kernel_values(architecture, kind)
        if self.size is None or self.size > LARGEST_MATRIX:
            return arrays
        return {**arrays, "points": self.points, "matrix": as_kernel(architecture).kernel(self.points, kind=kind)}

    def spectrum(self, architecture: "Kernel | KernelLike", kind: str = "ntk") -> Spectrum:
        return replace(self.spectrum_of(SymmetricDomain.kernel_values(self, architecture, kind)), domain=str(self))

    def target(self, values: ArrayLike, name: str = "values") -> Target:
        """Any function, given by its values at `points`, (size,) or (size, outputs).

        Raises
        ------
        ValueError
            Wrong length or values that are not finite.
        """
        values = self._values(values, name)
        modes, power = self.power(values)

        def function(x: Points, index: Int[np.ndarray, " points"] | None) -> Float[np.ndarray, "points ..."]:
            return values[self.index_of(x) if index is None else index]

        return Target(power, modes, function, name, domain=str(self))
