"""Matrices that couple rows of one group only: a square block for every group, those of one size stacked."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse.linalg import LinearOperator, cg

Stacks = list[np.ndarray]  # one (groups, size, size) for every size of groups

MOST_ITERATIONS = 1000


@dataclass(frozen=True)
class Blocks:
    """Where the blocks of groups lie in a matrix whose rows are in the order of `order`.

    Examples
    --------
    >>> blocks = Blocks.of(np.array([0, 1, 1, 2, 0]))
    >>> blocks.order.tolist(), blocks.shapes
    ([3, 0, 4, 1, 2], [(1, 1), (2, 2)])
    >>> [stack.tolist() for stack in blocks.diagonal(np.diag([1.0, 2, 3, 4, 5]))]
    [[[[1.0]]], [[[2.0, 0.0], [0.0, 3.0]], [[4.0, 0.0], [0.0, 5.0]]]]
    """

    order: Int[np.ndarray, " rows"]  # rows by the size of their group, then by group
    shapes: list[tuple[int, int]]  # number of groups and their size, for every size

    @classmethod
    def of(cls, group: Int[np.ndarray, " rows"]) -> "Blocks":
        """From the group of every row, numbered from 0."""
        size = np.bincount(group)[group]
        sizes, rows = np.unique(size, return_counts=True)
        shapes = [(int(number // each), int(each)) for each, number in zip(sizes, rows, strict=True)]
        return cls(np.lexsort((group, size)), shapes)

    def rows(self) -> list[slice]:
        """The rows of every stack."""
        ends = np.cumsum([groups * size for groups, size in self.shapes])
        return [slice(end - groups * size, end) for end, (groups, size) in zip(ends, self.shapes, strict=True)]

    def diagonal(self, matrix: Float[np.ndarray, "rows rows"]) -> Stacks:
        """The blocks of a matrix, copied."""
        stacks = []
        for part, (groups, size) in zip(self.rows(), self.shapes, strict=True):
            own = matrix[part, part].reshape(groups, size, groups, size)
            stacks.append(own[np.arange(groups), :, np.arange(groups)])
        return stacks

    def add(self, matrix: Float[np.ndarray, "rows rows"], stacks: Stacks) -> None:
        """Add blocks to a matrix in place."""
        for part, (groups, size), stack in zip(self.rows(), self.shapes, stacks, strict=True):
            own, each = matrix[part, part], np.arange(groups * size).reshape(groups, size)
            own[each[:, :, None], each[:, None, :]] += stack

    def times(self, stacks: Stacks, matrix: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows columns"]:
        """blocks @ matrix."""
        parts = [
            (stack @ matrix[part].reshape(*stack.shape[:2], -1)).reshape(-1, matrix.shape[1])
            for part, stack in zip(self.rows(), stacks, strict=True)
        ]
        return np.concatenate(parts)

    def outer(self, one: Float[np.ndarray, " rows"], other: Float[np.ndarray, " rows"]) -> Stacks:
        """The blocks of the symmetric part of one other^T."""
        stacks = []
        for part, shape in zip(self.rows(), self.shapes, strict=True):
            a, b = one[part].reshape(shape), other[part].reshape(shape)
            product = a[:, :, None] * b[:, None, :]
            stacks.append((product + product.swapaxes(1, 2)) / 2)
        return stacks

    def flat(self, stacks: Stacks) -> Float[np.ndarray, " entries"]:
        """All entries as one vector."""
        return np.concatenate([stack.ravel() for stack in stacks])

    def stacked(self, entries: Float[np.ndarray, " entries"]) -> Stacks:
        """The inverse of `flat`."""
        ends = np.cumsum([groups * size**2 for groups, size in self.shapes])
        parts = np.split(entries, ends[:-1])
        return [part.reshape(groups, size, size) for part, (groups, size) in zip(parts, self.shapes, strict=True)]


@dataclass(frozen=True)
class Coupling:
    """X -> sum over h != g of T_gh X_h T_hg for every group g, of a symmetric T whose own blocks are 0."""

    blocks: Blocks
    matrix: Float[np.ndarray, "rows rows"]  # T

    def __call__(self, stacks: Stacks) -> Stacks:
        """The sums; operations are rows^2 times the size of a group."""
        right = self.blocks.times([stack.swapaxes(1, 2) for stack in stacks], self.matrix)  # (T X)^T
        result = []
        for part, (groups, size) in zip(self.blocks.rows(), self.blocks.shapes, strict=True):
            left = right[:, part].reshape(-1, groups, size).transpose(1, 2, 0)
            result.append(left @ self.matrix[:, part].reshape(-1, groups, size).transpose(1, 0, 2))
        return result

    def solve(self, share: float, stacks: Stacks, precision: float) -> Stacks:
        """X - share * (the sums at X) = stacks, by conjugate gradients: the operator is symmetric.

        Raises
        ------
        ArithmeticError
            It is not positive definite, or too close to singular.
        """
        blocks = self.blocks
        right = blocks.flat(stacks)
        if share == 0 or not right.any():
            return stacks

        def operator(entries: np.ndarray) -> np.ndarray:
            return entries - share * blocks.flat(self(blocks.stacked(entries)))

        shape = (len(right), len(right))
        found, failed = cg(
            LinearOperator(shape, operator, dtype=float), right, rtol=precision, atol=0.0, maxiter=MOST_ITERATIONS
        )
        if failed:
            raise ArithmeticError(f"no solution of the equation of second moments after {failed} iterations")
        return blocks.stacked(found)
