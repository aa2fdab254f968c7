r"""What a kernel is: a symmetric, positive semi-definite function of two points, with an identity.

A kernel of one's own is a subclass of `Kernel` that computes its matrix, `_matrix`, and says what it is, `identity`. What is
the same for all kernels is said once, in `Kernel.kernel`: which kinds there are, which points are taken, that NumPy's arrays
give NumPy's arrays and tensors give tensors, and that what is returned is finite and exactly symmetric.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..common.errors import choose, require
from ..common.threads import one_thread
from .points import Array, flattened, matching_points

KINDS = ("ntk", "nngp")  # of a network of infinite width: trained by gradient descent, or Bayesian
DIAGONAL = 64  # points whose matrix is made to read its diagonal
BLOCK = 512  # rows compared with columns at a time, which fit the cache
Matrix = Float[Tensor, "points points2"]


class Kernel(ABC):
    """A symmetric, positive semi-definite function K(x, x') of two points.

    Attributes
    ----------
    kinds : tuple of str
        What `kind` may be. Kernels that are no infinite network's have one, "ntk", which stands for the kernel itself.
    event_dims : tuple of int, optional
        How many axes a point may have: (1, 2, 3) takes points (dim,), (channels, length) and (channels, height, width) as they
        are. None: points of any shape, which are flattened.
    identity : dict
        What the kernel is, for hashing and for file attributes; JSON can write it.
    odd : bool
        Whether K(-x, x') = -K(x, x'), so that nothing even is learned.

    Examples
    --------
    >>> import learnability as lb
    >>> class Polynomial(lb.Kernel):
    ...     identity = {"kind": "polynomial", "degree": 2}
    ...
    ...     def _matrix(self, points, points2, kind):
    ...         return (1 + points @ (points if points2 is None else points2).T / points.shape[1]) ** 2
    >>> cube = lb.Hypercube(4)
    >>> Polynomial().kernel(cube.points[:2]).tolist()
    [[4.0, 2.25], [2.25, 4.0]]
    >>> len(cube.spectrum(Polynomial())), lb.predict(cube.spectrum(Polynomial()), cube.parity(3), 8).learnability.item()
    (5, 0.0)
    """

    kinds: ClassVar[tuple[str, ...]] = ("ntk",)
    event_dims: ClassVar[tuple[int, ...] | None] = None

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What the kernel is, for hashing and for file attributes."""

    @property
    def odd(self) -> bool:
        """Whether K(-x, x') = -K(x, x')."""
        return False

    @abstractmethod
    def _matrix(
        self, points: Float[Tensor, "points ..."], points2: Float[Tensor, "points2 ..."] | None, kind: str
    ) -> Matrix:
        """K between two sets of points, float64, of `event_dims`; points2 None: the first set with itself."""

    @one_thread
    def kernel(self, x: Array, x2: Array | None = None, kind: str = "ntk") -> Array:
        """K between two sets of points.

        Parameters
        ----------
        x : (points, ...) NumPy array or tensor
            Points of any shape that the kernel takes: (dim,), (channels, length) or (channels, height, width).
        x2 : (points2, ...), optional
            Missing means `x` itself: half the work, exactly symmetric, the exact diagonal.
        kind : "ntk" or "nngp"

        Returns
        -------
        (points, points2) float64, NumPy's for NumPy's and a tensor (on the device of x) for tensors.

        Raises
        ------
        ValueError
            A kind that the kernel does not have; points of a shape that it does not take, or of different shapes; values that
            are not finite; a kernel that exceeds the largest float64, with what would do.
        """
        self._require_kind(kind)
        points, points2 = matching_points(x, x2, self.event_dims)
        matrix = self._checked(self._matrix(points, points2, kind), points, points2, kind)
        return matrix.to(x.device) if isinstance(x, Tensor) else matrix.cpu().numpy()

    def diagonal(self, x: Array, kind: str = "ntk") -> Array:
        """K(x, x) of each point, (points,); what it takes and refuses as of `kernel`."""
        firsts = range(0, max(len(x), 1), DIAGONAL)
        parts = [self.kernel(x[first : first + DIAGONAL], kind=kind).diagonal() for first in firsts]
        return torch.cat(parts) if isinstance(x, Tensor) else np.concatenate(parts)

    def _require_kind(self, kind: str) -> None:
        if len(self.kinds) > 1:
            choose("kernel kind", kind, self.kinds)
        (only, *_) = self.kinds
        require(
            kind in self.kinds,
            f"{self!r} is no infinite network's kernel: it has no kind {kind!r}; write kernel: {only}",
        )

    def _checked(self, matrix: Matrix, points: Tensor, points2: Tensor | None, kind: str) -> Matrix:
        """The matrix of a pair of sets of points, if it is one of a kernel; exactly symmetric where there is one set."""
        shape = (len(points), len(points if points2 is None else points2))
        require(tuple(matrix.shape) == shape, f"{self!r} returns shape {tuple(matrix.shape)}, not K(x, x2) of {shape}")
        if not torch.isfinite(matrix.sum()):  # a sum may overflow where no entry does
            self._require_finite(matrix, points, points if points2 is None else points2, kind)
        return matrix if points2 is not None or _symmetric(matrix) else (matrix + matrix.T) / 2

    def _require_finite(self, matrix: Matrix, points: Tensor, points2: Tensor, kind: str) -> None:
        infinite = torch.nonzero(~torch.isfinite(matrix))
        if len(infinite) == 0:
            return
        row, column = infinite[0].tolist()
        largest = (part[part.flatten(1).square().sum(1).argmax()] for part in (points, points2))
        remedy = self._remedy(torch.stack([points[row], points2[column], *largest]), kind)
        raise ValueError(
            f"the {kind} of {self!r} is not finite at row {row}, column {column}: it exceeds the largest float64; {remedy}"
        )

    def _remedy(self, points: Tensor, kind: str) -> str:
        """What to do about a kernel that is not finite between some of these points."""
        return "scale the inputs, e.g. to unit variance"


def _symmetric(matrix: Matrix) -> bool:
    """Whether a square matrix equals its transpose, bit by bit."""
    return all(
        torch.equal(matrix[first : first + BLOCK, first:], matrix[first:, first : first + BLOCK].T)
        for first in range(0, len(matrix), BLOCK)
    )


@runtime_checkable
class KernelLike(Protocol):
    """What serves as a kernel without being a `Kernel`: see `as_kernel`."""

    def kernel(self, x: Any, x2: Any = None, kind: str = "ntk") -> Any:
        """K between two sets of flat points (points, dim) and (points2, dim), as `Kernel.kernel`; x2 None: x itself."""


def as_kernel(architecture: "Kernel | KernelLike", call: str = "") -> Kernel:
    """A kernel itself, or any object with a method `kernel(x, x2, kind)` as one.

    The object is called with flat points of the type that it is used with, NumPy's arrays or tensors; `identity` and `odd` are
    taken from it where it has them.

    Parameters
    ----------
    architecture : Kernel or an object with a method `kernel(x, x2, kind)`
    call : how the function that takes it is called, which a message shows

    Raises
    ------
    ValueError
        What is no kernel.
    """
    if isinstance(architecture, Kernel):
        return architecture
    require(
        isinstance(architecture, KernelLike) and not isinstance(architecture, type),
        f"the architecture must be a kernel, e.g. lb.FullyConnected(1), or an object with a method kernel(x, x2, kind); got "
        f"{type(architecture).__name__}{f'; call {call}' if call else ''}",
    )
    return _Adapter(architecture)


class _Adapter(Kernel):
    """A user's object with a method `kernel` as a `Kernel`."""

    def __init__(self, user: KernelLike) -> None:
        self.user = user

    def __repr__(self) -> str:
        return repr(self.user)

    @property
    def identity(self) -> dict[str, Any]:
        return getattr(self.user, "identity", {"kind": type(self.user).__name__})

    @property
    def odd(self) -> bool:
        return bool(getattr(self.user, "odd", False))

    @one_thread
    def kernel(self, x: Array, x2: Array | None = None, kind: str = "ntk") -> Array:
        flat, flat2 = flattened(x), None if x2 is None else flattened(x2)
        points, points2 = torch.as_tensor(flat), None if flat2 is None else torch.as_tensor(flat2)
        matrix = self._checked(self._matrix(flat, flat2, kind), points, points2, kind)
        return matrix.to(x.device) if isinstance(x, Tensor) else matrix.cpu().numpy()

    def _matrix(self, points: Any, points2: Any, kind: str) -> Matrix:
        return torch.as_tensor(self.user.kernel(points, points2, kind), dtype=torch.float64)
