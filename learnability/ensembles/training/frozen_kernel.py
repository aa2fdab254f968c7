"""The flow of a linear model: functions of a frozen tangent kernel."""

from copy import copy

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..model import Index

NEWTON_STEPS = 12  # 12 reach rounding for eigenvalues over six decades


class FrozenKernel:
    """Spectral functions of Theta / n for every network of a batch, in float64."""

    def __init__(self, kernel: Float[Tensor, "networks modes modes"], points: int) -> None:
        """kernel : Theta, points : n. One that is not finite counts as 0: its step is rejected later."""
        self.values, self.vectors = _eigh((kernel.double() / points).nan_to_num(0.0, 0.0, 0.0))
        self.values.clamp_(min=0.0)
        self.points = points

    def components(self, residual: Float[Tensor, "networks samples outputs"]) -> Float[Tensor, "networks modes"]:
        """Components of a residual in the eigenbasis."""
        flat = residual.mT.reshape(len(residual), -1, 1).double()
        return torch.bmm(self.vectors.mT, flat)[..., 0]

    def _synthesize(
        self, components: Float[Tensor, "networks modes"], like: Float[Tensor, "networks samples outputs"]
    ) -> Float[Tensor, "networks samples outputs"]:
        flat = torch.bmm(self.vectors, components[..., None])[..., 0]
        return flat.view(len(like), like.shape[2], like.shape[1]).mT

    def displacement(
        self, step: Float[Tensor, " networks"], residual: Float[Tensor, "networks samples outputs"]
    ) -> Float[Tensor, "networks samples outputs"]:
        """phi(h) r, the cotangent c of the parameter change -J^T c."""
        exponent = self.values * step[:, None]
        factor = torch.where(exponent > 0, -torch.expm1(-exponent) / self.values.clamp_min(1e-300), step[:, None])
        return self._synthesize(factor / self.points * self.components(residual), residual)

    def decayed(
        self, step: Float[Tensor, " networks"], residual: Float[Tensor, "networks samples outputs"]
    ) -> Float[Tensor, "networks samples outputs"]:
        """exp(-Theta h / n) r."""
        return self._synthesize(torch.exp(-self.values * step[:, None]) * self.components(residual), residual)

    def time_to(
        self, mse: float, residual: Float[Tensor, "networks samples outputs"], longest: Float[Tensor, " networks"]
    ) -> Float[Tensor, " networks"]:
        """The first time at which the frozen flow reaches the mean squared error, at most `longest`.

        The logarithm of a sum of decaying exponentials is convex: Newton's method from time 0 approaches from below.
        """
        power = self.components(residual).square() / residual[0].numel()

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

    def select(self, index: Index) -> "FrozenKernel":
        """The kernels of the networks listed in `index`."""
        kernel = copy(self)
        kernel.values, kernel.vectors = self.values[index], self.vectors[index]
        return kernel

    def copy_from(self, other: "FrozenKernel", index: Index) -> None:
        """Overwrite the kernels of the networks listed in `index` by those of `other`."""
        self.values[index], self.vectors[index] = other.values, other.vectors


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
