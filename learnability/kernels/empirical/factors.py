r"""What is held of points to make their tangent kernel: Jacobians, or the factors of a layer's kernel without its Jacobian.

Of a linear layer, d f / d W = sum_p g_p a_p^T with its inputs a_p and signals g_p = d f / d z_p at the positions p. Its part of
the tangent kernel is sum_pq (a_p . a'_q) (g_p . g'_q): the elementwise product of two Gram matrices. Where positions are many,
the Jacobian is less work; it is made for some units after the others where inputs and signals take less memory. Factors have
the module's precision, all sums over them are in float64: the small eigenvalues of a kernel do not survive sums in float32.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from ...common.threads import in_parallel
from ..kernel import Matrix

PART = 1 << 24  # bytes of Jacobians that are multiplied at a time, in float64
GROUPS = 8  # of such parts, that threads take one after the other
STRIP = 64  # rows of a symmetric product that are made at a time, from the diagonal on
PAIRS = 1 << 20  # of positions of two points that are multiplied at a time


@runtime_checkable
class Factor(Protocol):
    """A part of the tangent kernel between points that are known by this factor each."""

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""

    def gram(self, other: Any) -> Matrix:
        """The kernel's part between these points and those of a factor of the same kind, float64."""


@dataclass(frozen=True)
class Jacobian:
    """Derivatives of outputs with respect to some parameters.

    Attributes
    ----------
    columns : (points, outputs * parameters)
    """

    columns: Float[Tensor, "points columns"]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return self.columns.nbytes

    def gram(self, other: "Jacobian") -> Matrix:
        """J J'^T, summed over outputs and parameters."""
        width = max(1, PART // (8 * max(1, len(self.columns), len(other.columns))))
        parts = zip(self.columns.split(width, 1), other.columns.split(width, 1))

        def add(total: Matrix, some: list[tuple[Tensor, Tensor]]) -> None:
            for left, right in some:
                columns = left.double()
                _add_product(total, columns, columns if other is self else right.double())

        return _summed(add, len(self.columns), len(other.columns), [*parts], other is self)


@dataclass(frozen=True)
class WindowsAndSignals:
    """Inputs of a convolution in the windows of all positions, and how outputs depend on what it returns there.

    Attributes
    ----------
    windows : (points * groups, inputs, positions)
    signals : (points * groups, positions, outputs * units)
    points : (points, 0)
        Without numbers: how many points there are.
    """

    windows: Float[Tensor, "matrices inputs positions"]
    signals: Float[Tensor, "matrices positions signals"]
    points: Float[Tensor, "points 0"]

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return self.windows.nbytes + self.signals.nbytes

    def gram(self, other: "WindowsAndSignals") -> Matrix:
        """J J'^T with J = sum_p g_p a_p^T, for some of the signals after the others."""
        largest = max(1, len(self.windows), len(other.windows)) * self.windows.shape[1]
        width = max(1, PART // (8 * largest))
        parts = zip(self.signals.split(width, 2), other.signals.split(width, 2))

        def add(total: Matrix, some: list[tuple[Tensor, Tensor]]) -> None:
            room = self._room(width)
            room2 = room if other is self else other._room(width)
            for left, right in some:
                jacobian = self._jacobian(left, *room)
                _add_product(total, jacobian, jacobian if other is self else other._jacobian(right, *room2))

        return _summed(add, len(self.points), len(other.points), [*parts], other is self)

    def _room(self, width: int) -> tuple[Tensor, Tensor]:
        """Memory for Jacobians of so many signals, made and in float64, which is used again and again."""
        shape = (len(self.windows) * self.windows.shape[1] * width,)
        return self.windows.new_empty(shape), self.windows.new_empty(shape, dtype=torch.float64)

    def _jacobian(
        self, signals: Float[Tensor, "matrices positions some"], made: Tensor, double: Tensor
    ) -> Float[Tensor, "points columns"]:
        """Derivatives with respect to the weights that some signals belong to, float64."""
        shape = (*self.windows.shape[:2], signals.shape[2])
        size = math.prod(shape)
        torch.bmm(self.windows, signals.contiguous(), out=made[:size].view(shape))
        return double[:size].copy_(made[:size]).view(len(self.points), -1)


def joined(parts: Sequence[list[Any]]) -> list[Factor]:
    """Factors of some points after the other as one; the parts are emptied on the way, so that nothing is held twice."""
    if len(parts) == 1:
        return parts[0]
    whole = []
    while parts[0]:
        ends = [part.pop() for part in parts]
        tensors = (torch.cat([getattr(end, field.name) for end in ends]) for field in fields(ends[0]))
        whole.append(type(ends[0])(*tensors))
    return whole[::-1]


def _add_product(total: Matrix, left: Float[Tensor, "points columns"], right: Float[Tensor, "points2 columns"]) -> None:
    """Add left right^T; of one and the same set of points from the diagonal on."""
    if right is not left:
        total.addmm_(left, right.T)
        return
    for first in range(0, len(left), STRIP):
        total[first : first + STRIP, first:].addmm_(left[first : first + STRIP], left[first:].T)


def _summed(add: Callable[[Matrix, list], None], rows: int, columns: int, parts: list[Any], symmetric: bool) -> Matrix:
    """The sum of the products of all parts, in an order that does not depend on the number of threads."""

    def of_group(some: list[Any]) -> Matrix:
        total = some[0][0].new_zeros(rows, columns, dtype=torch.float64)
        add(total, some)
        return total

    whole, *others = in_parallel(of_group, [parts[first::GROUPS] for first in range(min(GROUPS, len(parts)))])
    for other in others:
        whole += other
    return whole.triu() + whole.triu(1).T if symmetric else whole


@dataclass(frozen=True)
class InputsAndSignals:
    """Inputs of a linear layer, and how outputs depend on what it returns.

    Attributes
    ----------
    inputs : (points, positions, inputs)
    signals : (points, positions, outputs * units)
    """

    inputs: Float[Tensor, "points positions inputs"]
    signals: Float[Tensor, "points positions signals"]

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return self.inputs.nbytes + self.signals.nbytes

    def gram(self, other: "InputsAndSignals") -> Matrix:
        """Sum over pairs of positions of the products of Gram matrices."""
        positions, (points2, positions2, _) = self.inputs.shape[1], other.inputs.shape
        rows = max(1, PAIRS // max(1, positions * points2 * positions2))
        inputs2, signals2 = (part.flatten(0, 1).double().T for part in (other.inputs, other.signals))

        def of_rows(part: tuple[Tensor, Tensor]) -> Matrix:
            inputs, signals = part
            product = inputs.flatten(0, 1).double() @ inputs2
            product.mul_(signals.flatten(0, 1).double() @ signals2)
            return product.view(len(inputs), positions, points2, positions2).sum((1, 3))

        return torch.cat(in_parallel(of_rows, zip(self.inputs.split(rows), self.signals.split(rows))))
