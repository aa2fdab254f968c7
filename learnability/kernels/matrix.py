"""A kernel between points that are known by their coordinates, their indices in a finite domain, or both."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from . import Described, architecture_from

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


def as_kernel(architecture: "Kernel | KernelLike | Described", *told: str) -> "Kernel":
    """`learnability.kernels.kernel.as_kernel`, imported when it is needed: jobs that read files do not wait for PyTorch."""
    from . import kernel

    source = architecture_from(architecture.entry) if isinstance(architecture, Described) else architecture
    return kernel.as_kernel(source, *told)


def checked(source: "Kernel | KernelLike | Described") -> "Kernel | Described":
    """A kernel, taken for one at once; one that is only described stays so."""
    return source if isinstance(source, Described) else as_kernel(source)


@dataclass(frozen=True)
class KernelMatrix:
    """Blocks of a kernel: cut from the matrix on a finite domain where there is one, else computed on demand.

    Attributes
    ----------
    source : Kernel, what `as_kernel` takes for one, or a Described
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

    source: "Kernel | KernelLike | Described"
    kind: str = "ntk"
    matrix: Float[np.ndarray, "size size"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", checked(self.source))

    @cached_property
    def architecture(self) -> "Kernel":
        """The kernel."""
        return as_kernel(self.source)

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
