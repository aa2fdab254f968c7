r"""The flow of a linear model, r' = -Theta r / n: functions of a frozen tangent kernel.

With one output the kernel is decomposed. With several it has outputs * n rows: it is never formed, and the flow of one
residual is found in the Krylov space {r, Theta r, Theta^2 r, ...} by Lanczos' method (Saad 1992, SIAM J. Numer. Anal. 29, 209;
Hochbruck & Lubich 1997, SIAM J. Numer. Anal. 34, 1911). There Theta is a small tridiagonal matrix T, and what the flow in the
space gets wrong of the residual at the end of a step h is |r| beta_k |e_k^T T phi(h T) e_1|, without any estimate of norms.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..memory import is_decomposed
from ..model import Expansion, Index

NEWTON_STEPS = 12  # 12 reach rounding for eigenvalues over six decades
FOREVER = 1e300  # a step after which nothing is left
FIRST_VECTORS = 6  # of a Krylov space whose largest Ritz value is to be near the largest eigenvalue


@dataclass
class Flow:
    """The flow of one residual, in coordinates in which it decouples.

    values : (networks, modes), eigenvalues of Theta / n, or the Ritz values of its Krylov space
    vectors : (networks, outputs * points, modes), orthonormal
    components : (networks, modes), of the residual
    shape : (points, outputs); the first is n
    """

    values: Float[Tensor, "networks modes"]
    vectors: Float[Tensor, "networks rows modes"]
    components: Float[Tensor, "networks modes"]
    shape: tuple[int, int]

    def displacement(self, step: Float[Tensor, " networks"]) -> Float[Tensor, "networks points outputs"]:
        """phi(h) r, the cotangent c of the parameter change -J^T c."""
        return self._synthesize(phi(self.values, step) / self.shape[0] * self.components)

    def decayed(self, step: Float[Tensor, " networks"]) -> Float[Tensor, "networks points outputs"]:
        """exp(-Theta h / n) r."""
        return self._synthesize(torch.exp(-self.values * step[:, None]) * self.components)

    def time_to(self, mse: float, longest: Float[Tensor, " networks"]) -> Float[Tensor, " networks"]:
        """The first time at which the flow reaches the mean squared error, at most `longest`.

        The logarithm of a sum of decaying exponentials is convex: Newton's method from time 0 approaches from below.
        """
        power = self.components.square() / (self.shape[0] * self.shape[1])

        def left(time: Float[Tensor, " networks"]) -> Float[Tensor, "networks modes"]:
            return power * torch.exp(-2 * self.values * time[:, None])

        if (left(longest).sum(1) > mse).all():
            return longest
        time = torch.zeros_like(longest)
        for _ in range(NEWTON_STEPS):
            terms = left(time)
            total = terms.sum(1)
            rate = 2 * (self.values * terms).sum(1) / total
            time = (time + torch.log(total / mse) / rate).clamp_min(0.0).minimum(longest)
        return time

    def _synthesize(self, components: Float[Tensor, "networks modes"]) -> Float[Tensor, "networks points outputs"]:
        flat = torch.bmm(self.vectors, components[..., None])[..., 0]
        return flat.view(len(flat), self.shape[1], self.shape[0]).mT


def phi(values: Float[Tensor, "networks modes"], step: Float[Tensor, " networks"]) -> Float[Tensor, "networks modes"]:
    """(1 - exp(-value h)) / value."""
    exponent = values * step[:, None]
    return torch.where(exponent > 0, -torch.expm1(-exponent) / values.clamp_min(1e-300), step[:, None])


class FrozenKernel:
    """The eigenvalues and eigenvectors of Theta / n for every network of a batch, in float64."""

    def __init__(self, kernel: Float[Tensor, "networks modes modes"], points: int) -> None:
        """kernel : Theta, points : n. One that is not finite counts as 0: its step is rejected later."""
        self.values, self.vectors = _eigh((kernel.double() / points).nan_to_num(0.0, 0.0, 0.0))
        self.values.clamp_(min=0.0)

    def flow(self, residual: Float[Tensor, "networks points outputs"]) -> Flow:
        """The flow of a residual."""
        components = torch.bmm(self.vectors.mT, _flat(residual)[..., None])[..., 0]
        return Flow(self.values, self.vectors, components, (residual.shape[1], residual.shape[2]))

    def select(self, index: Index) -> "FrozenKernel":
        """The kernels of the networks listed in `index`."""
        kernel = copy(self)
        kernel.values, kernel.vectors = self.values[index], self.vectors[index]
        return kernel

    def copy_from(self, other: "FrozenKernel", index: Index) -> None:
        """Overwrite the kernels of the networks listed in `index` by those of `other`."""
        self.values[index], self.vectors[index] = other.values, other.vectors


def krylov_flow(
    product: Callable[[Float[Tensor, "..."]], Float[Tensor, "..."]],
    residual: Float[Tensor, "networks points outputs"],
    step: Float[Tensor, " networks"],
    accuracy: Float[Tensor, " networks"],
    most: int | None = None,
) -> Flow:
    """The flow of a residual over a step, in the Krylov space of a tangent kernel that is known by its products.

    Parameters
    ----------
    product : callable
        c -> Theta c, both (networks, points, outputs).
    residual : (networks, points, outputs)
    step : (networks,)
    accuracy : (networks,)
        Of the residual at the end of the step, root mean square. Each network's space grows until it is reached.
    most : int, optional
        Largest dimension of the space; missing: that of the residual, where the flow is exact.
    """
    start, shape = _flat(residual), (residual.shape[1], residual.shape[2])
    size, limit = start.norm(dim=1), accuracy * start.shape[1] ** 0.5
    basis = (start / size.clamp_min(1e-300)[:, None])[:, None]
    inner = start.new_zeros(len(start), 1, 1)
    while True:
        dim = basis.shape[1]
        image = _flat(product(basis[:, -1].view(len(start), shape[1], shape[0]).mT.to(residual.dtype)))
        image = image.nan_to_num(0.0, 0.0, 0.0) / shape[0]
        inner[:, -1, -1] = (image * basis[:, -1]).sum(1)
        for _ in range(2):  # orthogonal to rounding
            image = image - torch.bmm(torch.bmm(basis, image[..., None]).mT, basis)[:, 0]
        beta = image.norm(dim=1)
        values, vectors = _eigh(inner)
        values = values.clamp_min(0.0)
        last = (vectors[:, -1] * vectors[:, 0] * phi(values, step)).sum(1)
        grows = (size * beta * last.abs() > limit) & (beta > values[:, -1] * 1e-14)
        if dim == (most or start.shape[1]) or not grows.any():
            break
        beta = torch.where(grows, beta, 0.0)
        inner = torch.nn.functional.pad(inner, (0, 1, 0, 1))
        inner[:, -1, -2] = inner[:, -2, -1] = beta
        following = torch.where(grows[:, None], image / beta.clamp_min(1e-300)[:, None], 0.0)
        basis = torch.cat([basis, following[:, None]], 1)
    return Flow(values, torch.bmm(basis.mT, vectors), size[:, None] * vectors[:, 0], shape)


@runtime_checkable
class Factored(Protocol):
    """An expansion that multiplies by its tangent kernel without forming it."""

    def tangent_product(
        self, cotangent: Float[Tensor, "networks points outputs"]
    ) -> Float[Tensor, "networks points outputs"]:
        """J J^T c."""


class FrozenModel:
    """A model to first order, and the flows that it follows as long as it is frozen.

    expansion : Expansion
    kernel : its decomposed tangent kernel; None where it is known by its products only
    """

    def __init__(self, expansion: Expansion[Any], points: int) -> None:
        self.expansion = expansion
        self.kernel: FrozenKernel | None = None
        if is_decomposed(points, expansion.values.shape[2]) or not isinstance(expansion, Factored):
            self.kernel = FrozenKernel(expansion.tangent_kernel(), points)

    def largest_value(self, residual: Float[Tensor, "networks points outputs"]) -> Float[Tensor, " networks"]:
        """The largest eigenvalue of Theta / n, or of its modes that the residual has."""
        if self.kernel is not None:
            return self.kernel.values[:, -1]
        exactly = torch.zeros(len(residual), dtype=torch.float64, device=residual.device)
        return self._krylov_flow(residual, exactly + FOREVER, exactly, FIRST_VECTORS).values[:, -1]

    def flow(
        self,
        residual: Float[Tensor, "networks points outputs"],
        step: Float[Tensor, " networks"],
        accuracy: Float[Tensor, " networks"],
    ) -> Flow:
        """The flow of a residual over a step, its end to an accuracy (root mean square) where it is not exact."""
        if self.kernel is not None:
            return self.kernel.flow(residual)
        return self._krylov_flow(residual, step, accuracy)

    def _krylov_flow(self, *problem: Any) -> Flow:
        assert isinstance(self.expansion, Factored)
        return krylov_flow(self.expansion.tangent_product, *problem)

    def select(self, index: Index) -> "FrozenModel":
        """The models of the networks listed in `index`."""
        model = copy(self)
        model.expansion = self.expansion.select(index)
        model.kernel = None if self.kernel is None else self.kernel.select(index)
        return model

    def copy_from(self, other: "FrozenModel", index: Index) -> None:
        """Overwrite the models of the networks listed in `index` by those of `other`."""
        self.expansion.copy_from(other.expansion, index)
        if self.kernel is not None and other.kernel is not None:
            self.kernel.copy_from(other.kernel, index)


def _flat(residual: Float[Tensor, "networks points outputs"]) -> Float[Tensor, "networks rows"]:
    """In float64, the outputs stacked along the points."""
    return residual.mT.reshape(len(residual), -1).double()


def _eigh(
    matrices: Float[Tensor, "networks modes modes"],
) -> tuple[Float[Tensor, "networks modes"], Float[Tensor, "networks modes modes"]]:
    """Batched eigendecomposition; where LAPACK's divide and conquer fails on the batch, NumPy's does it one by one."""
    try:
        return torch.linalg.eigh(matrices)
    except torch.linalg.LinAlgError:
        values, vectors = zip(*(np.linalg.eigh(matrix) for matrix in matrices.cpu().numpy()), strict=True)
        device = matrices.device
        return torch.from_numpy(np.stack(values)).to(device), torch.from_numpy(np.stack(vectors)).to(device)
