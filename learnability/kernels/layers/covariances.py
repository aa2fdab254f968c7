"""Second moments of a layer's units, between positions of points: the state that layers of infinite width act on.

A unit of a convolutional layer has a value at every position of every point. Between two values lie the covariance over random
weights, Sigma, and the tangent kernel, Theta. Dense layers have one position and no position axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Covariances:
    """Sigma and Theta of one layer for a batch of pairs of points.

    Attributes
    ----------
    covariance : Tensor
        (batch, *positions, points, points2) between equal positions, or, `everywhere`, between all of them,
        (batch, *positions, points, *positions, points2); float64.
    tangent : Tensor or None
        The same shape; None for the NNGP kernel, and before the first weights.
    dims : int
        Position axes: 2 for images, 1 for sequences, 0 after `flatten` or a global pooling.
    everywhere : bool
        Whether the axes of the positions of the second points are there.
    with_tangent : bool
        Whether the tangent kernel is asked for.

    The state of points with themselves, from which variances are read, has its points on the batch axis and one each in the
    others. A layer may overwrite the tensors of the state that it takes.
    """

    covariance: Tensor
    tangent: Tensor | None
    dims: int
    everywhere: bool
    with_tangent: bool

    @property
    def position_axes(self) -> list[tuple[int, ...]]:
        """For every position axis the axes of the tensors that it is: one, or two where positions are paired."""
        return [(1 + axis, 2 + self.dims + axis) if self.everywhere else (1 + axis,) for axis in range(self.dims)]

    @property
    def shape(self) -> torch.Size:
        """The tensors' shape."""
        return self.covariance.shape

    @property
    def positions(self) -> torch.Size:
        """Sizes of the position axes."""
        return self.shape[1 : 1 + self.dims]

    @property
    def kernel(self) -> Tensor:
        """What is asked for: the tangent kernel, or Sigma, which is the NNGP kernel."""
        return self.covariance if self.tangent is None else self.tangent

    def each(self, function: Callable[[Tensor], Tensor], **changes: Any) -> Covariances:
        """The state with a function applied to covariance and tangent kernel."""
        tangent = None if self.tangent is None else function(self.tangent)
        return replace(self, covariance=function(self.covariance), tangent=tangent, **changes)

    def clone(self) -> Covariances:
        """The state with tensors of its own."""
        return self.each(torch.clone)

    def plus(self, other: Covariances) -> Covariances:
        """The state of a sum of independent signals, in place."""
        if self.tangent is not None and other.tangent is not None:
            self.tangent.add_(other.tangent)
        self.covariance.add_(other.covariance)
        return self

    def matrices(self, tensor: Tensor) -> Tensor:
        """A tensor of the state as matrices (many, rows, columns), whose rows and columns have a variance each."""
        if self.everywhere:
            rows, columns = self.shape[1 : 2 + self.dims], self.shape[2 + self.dims :]
            return tensor.reshape(self.shape[0], math.prod(rows), math.prod(columns))
        return tensor.reshape(-1, *self.shape[-2:])

    def side(self, statistics: Tensor) -> Tensor:
        """Statistics of each position and point, (positions, points, ...), arranged as the rows or columns of `matrices`."""
        return statistics.reshape(1, -1, *statistics.shape[2:]) if self.everywhere else statistics

    def of_themselves(self) -> Tensor:
        """Variances (positions, points), of the state of points with themselves."""
        matrices = self.covariance.reshape(self.shape[0], math.prod(self.positions), -1)
        variances = matrices.diagonal(dim1=1, dim2=2) if self.everywhere else matrices[..., 0]
        return variances.T.contiguous()

    def at_equal_positions(self) -> Covariances:
        """The state between equal positions only."""
        if not self.everywhere:
            return self
        count = math.prod(self.positions)

        def diagonal(tensor: Tensor) -> Tensor:
            square = tensor.reshape(-1, count, self.shape[1 + self.dims], count, self.shape[-1])
            equal = square.diagonal(dim1=1, dim2=3).movedim(-1, 1)
            return equal.reshape(-1, *self.positions, *equal.shape[-2:])

        return self.each(diagonal, everywhere=False)
