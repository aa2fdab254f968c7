r"""The flow of a linear model, r' = -Theta r / n: functions of a frozen tangent kernel.

With one output the kernel is decomposed. With several it has outputs * n rows: it is never formed, and the flow of one
residual is found in the Krylov space {r, Theta r, Theta^2 r, ...} by Lanczos' method (Saad 1992, SIAM J. Numer. Anal. 29, 209;
Hochbruck & Lubich 1997, SIAM J. Numer. Anal. 34, 1911). There Theta / n is a small tridiagonal matrix T. By how much the model
misses the end of a step h that the flow in k vectors foresees is known: |r| beta_k |e_k^T phi(h) e_1| with
phi(h) = T^-1 (1 - exp(-T h)), and beta_k what couples the last vector to the next one. The space grows until that is small
enough.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import pad

from ..memory import is_decomposed
from ..model import Expansion, Index

NEWTON_STEPS = 12  # 12 reach rounding for eigenvalues over six decades
ROUNDING = 1e-14  # of the largest eigenvalue: what couples a space to nothing
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


@dataclass
class KrylovSpace:
    """The Krylov space of a residual and a tangent kernel that is known by its products; it grows as it is needed.

    product : c -> Theta c, both (networks, points, outputs)
    shape : (points, outputs)
    size : (networks,), norm of the residual, which is the first vector
    basis : (networks, vectors, outputs * points), orthonormal, but for zeros where a network needed no further vector
    inner : (networks, vectors, vectors), Theta / n in the basis: tridiagonal without the zeros
    last : (networks,), which vector is a network's last
    beyond, coupling : (networks, outputs * points), (networks,), the next vector and what couples it to the last
    """

    product: Callable[[Float[Tensor, "..."]], Float[Tensor, "..."]]
    shape: tuple[int, int]
    size: Float[Tensor, " networks"]
    basis: Float[Tensor, "networks vectors rows"]
    inner: Float[Tensor, "networks vectors vectors"]
    last: Int[Tensor, " networks"]
    beyond: Float[Tensor, "networks rows"]
    coupling: Float[Tensor, " networks"]

    @classmethod
    def of(
        cls,
        product: Callable[[Float[Tensor, "..."]], Float[Tensor, "..."]],
        residual: Float[Tensor, "networks points outputs"],
    ) -> "KrylovSpace":
        """The space of a residual alone."""
        start = _flat(residual)
        size = start.norm(dim=1)
        beyond = start / size.clamp_min(1e-300)[:, None]
        basis, inner = start.new_empty(len(start), 0, start.shape[1]), start.new_empty(len(start), 0, 0)
        last, shape = torch.zeros(len(start), dtype=torch.long, device=start.device), residual.shape[1:]
        space = cls(product, (shape[0], shape[1]), size, basis, inner, last, beyond, torch.zeros_like(size))
        space._grow(torch.ones_like(last, dtype=torch.bool))
        return space

    def flow(
        self, step: Float[Tensor, " networks"], accuracy: Float[Tensor, " networks"], most: int | None = None
    ) -> Flow:
        """The flow of the residual over a step, after the space of each network has grown to an accuracy.

        Parameters
        ----------
        step : (networks,)
        accuracy : (networks,)
            Of the residual at the end of the step, root mean square.
        most : int, optional
            The largest number of vectors; missing: as many as there are rows, where the flow is exact.
        """
        limit, network = accuracy * self.basis.shape[2] ** 0.5, torch.arange(len(self.size), device=self.size.device)
        while True:
            values, vectors = _eigh(self.inner)
            values = values.clamp_min(0.0)
            end = (vectors[network, self.last] * vectors[:, 0] * phi(values, step)).sum(1)
            grows = (self.size * self.coupling * end.abs() > limit) & (self.coupling > values[:, -1] * ROUNDING)
            if self.basis.shape[1] == most or not grows.any():
                components = self.size[:, None] * vectors[:, 0]
                return Flow(values, torch.bmm(self.basis.mT, vectors), components, self.shape)
            self._grow(grows)

    def _grow(self, grows: Bool[Tensor, " networks"]) -> None:
        """One vector more for the networks that need one, and the one that would follow it."""
        vector = torch.where(grows[:, None], self.beyond, 0.0)
        image = self.product(vector.view(len(vector), self.shape[1], self.shape[0]).mT)
        image = _flat(image).nan_to_num(0.0, 0.0, 0.0) / self.shape[0]
        network, new = torch.arange(len(vector), device=vector.device), self.basis.shape[1]
        self.basis = torch.cat([self.basis, vector[:, None]], 1)
        self.inner = pad(self.inner, (0, 1, 0, 1))
        coupling = torch.where(grows, self.coupling, 0.0)
        self.inner[network, self.last, new] = self.inner[network, new, self.last] = coupling
        self.inner[:, new, new] = (image * vector).sum(1)
        for _ in range(2):  # orthogonal to rounding
            image = image - torch.bmm(torch.bmm(self.basis, image[..., None]).mT, self.basis)[:, 0]
        norm = image.norm(dim=1)
        self.last = torch.where(grows, new, self.last)
        self.coupling = torch.where(grows, norm, self.coupling)
        self.beyond = torch.where(grows[:, None], image / norm.clamp_min(1e-300)[:, None], self.beyond)

    def select(self, product: Callable, index: Index) -> "KrylovSpace":
        """The spaces of the networks listed in `index`; `product` is that of their kernels."""
        names = ("size", "basis", "inner", "last", "beyond", "coupling")
        return replace(self, product=product, **{name: getattr(self, name)[index] for name in names})

    def copy_from(self, other: "KrylovSpace", index: Index) -> None:
        """Overwrite the spaces of the networks listed in `index` by those of `other`."""
        missing = other.basis.shape[1] - self.basis.shape[1]
        for space, more in ((self, max(missing, 0)), (other, max(-missing, 0))):
            space.basis, space.inner = pad(space.basis, (0, 0, 0, more)), pad(space.inner, (0, more, 0, more))
        for name in ("size", "basis", "inner", "last", "beyond", "coupling"):
            getattr(self, name)[index] = getattr(other, name)


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
    space : the Krylov space of the last residual whose flow was asked for, without a decomposed kernel
    """

    def __init__(self, expansion: Expansion[Any], points: int) -> None:
        self.expansion = expansion
        self.kernel: FrozenKernel | None = None
        self.space: KrylovSpace | None = None
        if is_decomposed(points, expansion.values.shape[2]) or not isinstance(expansion, Factored):
            self.kernel = FrozenKernel(expansion.tangent_kernel(), points)

    def largest_value(self, residual: Float[Tensor, "networks points outputs"]) -> Float[Tensor, " networks"]:
        """The largest eigenvalue of Theta / n, or of its modes that the residual has."""
        if self.kernel is not None:
            return self.kernel.values[:, -1]
        exactly = torch.zeros(len(residual), dtype=torch.float64, device=residual.device)
        return self._space_of(residual).flow(exactly + FOREVER, exactly, FIRST_VECTORS).values[:, -1]

    def flow(
        self,
        residual: Float[Tensor, "networks points outputs"],
        step: Float[Tensor, " networks"],
        accuracy: Float[Tensor, " networks"],
    ) -> Flow:
        """The flow of a residual over a step, its end to an accuracy (root mean square) where it is not exact."""
        if self.kernel is not None:
            return self.kernel.flow(residual)
        return self._space_of(residual).flow(step, accuracy)

    def onward(
        self,
        residual: Float[Tensor, "networks points outputs"],
        elapsed: Float[Tensor, " networks"],
        step: Float[Tensor, " networks"],
        accuracy: Float[Tensor, " networks"],
    ) -> Float[Tensor, "networks points outputs"]:
        """phi(h) r for the residual at which a model has arrived that was meant to follow the last flow for the time elapsed.

        Without a decomposed kernel that flow goes on in its space, which has to grow little: it does not see how far from it
        the model has arrived, by an error that its step was allowed.
        """
        if self.kernel is not None:
            return self.kernel.flow(residual).displacement(step)
        assert self.space is not None
        flow = self.space.flow(elapsed + step, accuracy)
        return flow.displacement(elapsed + step) - flow.displacement(elapsed)

    def _space_of(self, residual: Float[Tensor, "networks points outputs"]) -> KrylovSpace:
        assert isinstance(self.expansion, Factored)
        self.space = KrylovSpace.of(self._product, residual)
        return self.space

    def _product(self, vector: Float[Tensor, "networks points outputs"]) -> Float[Tensor, "networks points outputs"]:
        assert isinstance(self.expansion, Factored)
        return self.expansion.tangent_product(vector.to(self.expansion.values.dtype))

    def select(self, index: Index) -> "FrozenModel":
        """The models of the networks listed in `index`."""
        model = copy(self)
        model.expansion = self.expansion.select(index)
        model.kernel = None if self.kernel is None else self.kernel.select(index)
        model.space = None if self.space is None else self.space.select(model._product, index)
        return model

    def copy_from(self, other: "FrozenModel", index: Index) -> None:
        """Overwrite the models of the networks listed in `index` by those of `other`."""
        self.expansion.copy_from(other.expansion, index)
        if self.kernel is not None and other.kernel is not None:
            self.kernel.copy_from(other.kernel, index)
        if self.space is not None and other.space is not None:
            self.space.copy_from(other.space, index)


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
