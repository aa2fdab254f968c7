"""A kernel between points that are known by their coordinates, their indices in a finite domain, or both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from .kernel import Kernel, KernelLike

LARGEST_DECOMPOSED = 20_000  # samples of a data set whose kernel matrix is decomposed: some 20 GB
LARGEST_MATRIX = 4096  # points of a symmetric finite domain whose kernel matrix is kept whole
Indexed = tuple[Float[np.ndarray, "points ..."], Int[np.ndarray, " points"] | None]
Indexed2 = tuple[Float[np.ndarray, "points2 ..."], Int[np.ndarray, " points2"] | None]


@runtime_checkable
class Listed(Protocol):
    """A domain, as far as its kernel matrix is concerned."""

    @property
    def size(self) -> int | None:
        """How many points there are; None: infinitely many."""

    @property
    def points(self) -> Float[np.ndarray, "size ..."]:
        """All points, where they are finitely many."""


def as_kernel(architecture: "Kernel | KernelLike") -> "Kernel":
    """`learnability.kernels.kernel.as_kernel`, imported when it is needed: jobs that read files do not wait for PyTorch."""
    from . import kernel

    return kernel.as_kernel(architecture)


@dataclass(frozen=True)
class KernelMatrix:
    """Blocks of a kernel: cut from the matrix on a finite domain where there is one, else computed on demand.

    Attributes
    ----------
    architecture : Kernel
    kind : "ntk" or "nngp"
    matrix : (size, size), optional
        The matrix on all points of the domain.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(3)
    >>> whole = KernelMatrix.on(cube, lb.FullyConnected(0))
    >>> whole.block(cube.sample(2, seed=0)).shape, whole.block(cube.evaluation(), cube.sample(2, seed=0)).shape
    ((2, 2), (8, 2))
    """

    architecture: "Kernel"
    kind: str = "ntk"
    matrix: Float[np.ndarray, "size size"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "architecture", as_kernel(self.architecture))

    @classmethod
    def on(cls, domain: Listed, architecture: "Kernel", kind: str = "ntk") -> Self:
        """The kernel on a domain, whole if the domain is finite and small enough."""
        blocks = cls(architecture, kind)
        if domain.size is None or domain.size > LARGEST_MATRIX:
            return blocks
        return cls(architecture, kind, blocks.architecture.kernel(domain.points, kind=kind))

    def block(self, points: Indexed, points2: Indexed2 | None = None) -> Float[np.ndarray, "points points2"]:
        """K between two sets of points, the second missing: between the first and itself.

        Each is a pair (x, index) as `Domain.sample` and `Domain.evaluation` return it; without indices on both sides, or
        without the whole matrix, the block is computed from coordinates.
        """
        (x, index), (x2, index2) = points, points if points2 is None else points2
        if self.matrix is None or index is None or index2 is None:
            return self.architecture.kernel(x, None if points2 is None else x2, self.kind)
        return self.matrix[index][:, index2]
