r"""What is held of points to make their tangent kernel: Jacobians, or the factors of a layer's kernel without its Jacobian.

Of a linear layer, d f / d W = sum_p g_p a_p^T with its inputs a_p and signals g_p = d f / d z_p at the positions p. Its part of
the tangent kernel is sum_pq (a_p . a'_q) (g_p . g'_q): the elementwise product of two Gram matrices. Factors have the module's
precision, all sums over them are in float64: the small eigenvalues of a kernel do not survive sums in float32.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from ..kernel import Matrix

COLUMNS = 1 << 14  # of Jacobians that are multiplied at a time, in float64
PAIRS = 1 << 23  # of positions of two points that are multiplied at a time


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
        total = self.columns.new_zeros(len(self.columns), len(other.columns), dtype=torch.float64)
        for left, right in zip(self.columns.split(COLUMNS, 1), other.columns.split(COLUMNS, 1)):
            total.addmm_(left.double(), right.double().T)
        return total


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
        parts = []
        for inputs, signals in zip(self.inputs.split(rows), self.signals.split(rows)):
            product = inputs.flatten(0, 1).double() @ inputs2
            product.mul_(signals.flatten(0, 1).double() @ signals2)
            parts.append(product.view(len(inputs), positions, points2, positions2).sum((1, 3)))
        return torch.cat(parts)
