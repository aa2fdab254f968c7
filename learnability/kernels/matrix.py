"""A kernel between points that are known by their coordinates, their indices in a finite domain, or both."""

from dataclasses import dataclass
from typing import Any

import numpy as np

LARGEST_DECOMPOSED = 20_000  # samples of a data set whose kernel matrix is decomposed: some 20 GB
LARGEST_MATRIX = 4096  # points of a symmetric finite domain whose kernel matrix is kept whole


@dataclass(frozen=True)
class KernelMatrix:
    """Blocks of a kernel: cut from the matrix on a finite domain where there is one, else computed on demand.

    Attributes
    ----------
    architecture : anything with a `kernel(x, x2, kind)` method
    kind : "ntk" or "nngp"
    values : (size, size), optional
        The matrix on all points of the domain.
    """

    architecture: Any
    kind: str = "ntk"
    values: np.ndarray | None = None

    @classmethod
    def on(cls, domain, architecture, kind="ntk"):
        """The kernel on a domain, whole if the domain is finite and small enough."""
        whole = domain.size is not None and domain.size <= LARGEST_MATRIX
        return cls(architecture, kind, architecture.kernel(domain.points, kind=kind) if whole else None)

    def block(self, points, points2=None):
        """K between points (x, index) and points2 (missing: the same), (n, n2).

        Each is a pair as `Domain.sample` and `Domain.evaluation` return it; without indices on both sides, or without
        the whole matrix, the block is computed from coordinates.
        """
        (x, index), (x2, index2) = points, points if points2 is None else points2
        if self.values is None or index is None or index2 is None:
            return self.architecture.kernel(x, None if points2 is None else x2, self.kind)
        return self.values[index][:, index2]
