r"""What is held of points to make their tangent kernel: Jacobians, or the factors of a layer's kernel without its Jacobian.

Of a linear layer, d f / d W = sum_p g_p a_p^T with its inputs a_p and signals g_p = d f / d z_p at the positions p. Its part of
the tangent kernel is sum_pq (a_p . a'_q) (g_p . g'_q): the elementwise product of two Gram matrices. Where positions are many,
the Jacobian is less work; it is made for some units after the others where inputs and signals take less memory. Factors have
the module's precision, all sums over them are in float64: the small eigenvalues of a kernel do not survive sums in float32.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from ...common.threads import in_parallel
from ..kernel import Matrix

PART = 1 << 21  # bytes of Jacobians that are multiplied at a time, in float64
LARGER = 4  # times such a part, where it is made of windows and signals
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
            room, room2 = (
                one.columns.new_empty(len(one.columns) * width, dtype=torch.float64) for one in (self, other)
            )
            for left, right in some:
                columns = room[: left.numel()].view(left.shape).copy_(left)
                same = other is self
                _add_product(total, columns, columns if same else room2[: right.numel()].view(right.shape).copy_(right))

        return _summed(add, self.columns, other.columns, [*parts])


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
        """J J'^T with J = sum_p g_p a_p^T, made in square parts of inputs and signals: products of thin ones are slow."""
        elements = max(1, LARGER * PART // (8 * max(1, len(self.windows), len(other.windows))))
        height = min(self.windows.shape[1], math.isqrt(elements))
        width = elements // height
        sides = [product(one.windows.split(height, 1), one.signals.split(width, 2)) for one in (self, other)]

        def add(total: Matrix, some: list[tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]]) -> None:
            room = self._room(elements)
            room2 = room if other is self else other._room(elements)
            for left, right in some:
                jacobian = self._jacobian(*left, *room)
                _add_product(total, jacobian, jacobian if other is self else other._jacobian(*right, *room2))

        return _summed(add, self.points, other.points, [*zip(*sides)])

    def _room(self, elements: int) -> tuple[Tensor, Tensor]:
        """Memory for parts of Jacobians, made and in float64, which is used again and again."""
        size = len(self.windows) * elements
        return self.windows.new_empty(size), self.windows.new_empty(size, dtype=torch.float64)

    def _jacobian(
        self,
        windows: Float[Tensor, "matrices some_inputs positions"],
        signals: Float[Tensor, "matrices positions some_signals"],
        made: Tensor,
        double: Tensor,
    ) -> Float[Tensor, "points columns"]:
        """Derivatives with respect to some of the weights, float64."""
        shape = (len(windows), windows.shape[1], signals.shape[2])
        size = math.prod(shape)
        torch.bmm(windows, signals, out=made[:size].view(shape))
        return double[:size].copy_(made[:size]).view(len(self.points), -1)


def of_batches(
    methods: Sequence[Callable[[Tensor], list[Any]]], points: Float[Tensor, "points ..."], batch: int
) -> list[Factor]:
    """The factors that a method makes of points, so many at a time, written where they stay: nothing is held twice.

    methods : the method and copies of it; as many batches are passed at once, for a module may keep what it computes.
    """
    if len(points) <= batch:
        return methods[0](points)
    free = [*methods]

    def written(first: int) -> None:
        some, method = points[first : first + batch], free.pop()
        write(method(some), first, len(some))
        free.append(method)

    def write(made: list[Factor], first: int, number: int) -> None:
        for of_all, of_some in zip(whole, made, strict=True):
            for name, part in _tensors(of_some).items():
                place = first * len(part) // number  # a point has several rows where there are groups
                _tensors(of_all)[name][place : place + len(part)] = part

    made = methods[0](points[:batch])
    whole = [_room_for(factor, len(points) / batch) for factor in made]
    write(made, 0, batch)
    rest = range(batch, len(points), batch)
    if len(methods) > 1:
        in_parallel(written, rest)
    else:
        for first in rest:
            written(first)
    return whole


def _tensors(factor: Any) -> dict[str, Tensor]:
    return {field.name: getattr(factor, field.name) for field in fields(factor)}


def _room_for(factor: Any, times: float) -> Any:
    """A factor of so many times the points, its numbers not yet written."""
    parts = _tensors(factor).items()
    return type(factor)(**{name: part.new_empty(round(len(part) * times), *part.shape[1:]) for name, part in parts})


def _add_product(total: Matrix, left: Float[Tensor, "points columns"], right: Float[Tensor, "points2 columns"]) -> None:
    """Add left right^T; of one and the same set of points from the diagonal on."""
    if right is not left:
        total.addmm_(left, right.T)
        return
    for first in range(0, len(left), STRIP):
        total[first : first + STRIP, first:].addmm_(left[first : first + STRIP], left[first:].T)


def _summed(
    add: Callable[[Matrix, list], None],
    points: Float[Tensor, "points _"],
    points2: Float[Tensor, "points2 _"],
    parts: list,
) -> Matrix:
    """The sum of the products of all parts, in an order that does not depend on the number of threads.

    points, points2 : what has a row for each point; one and the same of one set of points
    """

    def of_group(some: list) -> Matrix:
        total = points.new_zeros(len(points), len(points2), dtype=torch.float64)
        add(total, some)
        return total

    whole, *others = in_parallel(of_group, [parts[first::GROUPS] for first in range(min(GROUPS, len(parts)))])
    for other in others:
        whole += other
    return whole.triu() + whole.triu(1).T if points is points2 else whole


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
            pairs = inputs.flatten(0, 1).double() @ inputs2
            pairs.mul_(signals.flatten(0, 1).double() @ signals2)
            return pairs.view(len(inputs), positions, points2, positions2).sum((1, 3))

        return torch.cat(in_parallel(of_rows, zip(self.inputs.split(rows), self.signals.split(rows))))
