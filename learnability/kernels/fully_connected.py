r"""Fully connected networks and their infinite-width kernels.

NTK parameterization: z = weight_std / sqrt(fan_in) x W + bias_std b with W, b standard normal; the readout has
weight_std 1 and bias_std 0. `depth` counts hidden layers. The kernels follow the recursion of Jacot et al. (2018,
arXiv 1806.07572) and Lee et al. (2018, arXiv 1711.00165): with k, kdot the dual of the activation at the
pre-activation covariance Sigma,

    Sigma_1   = weight_std^2 x x'/fan_in + bias_std^2,      Theta_1   = Sigma_1,
    Sigma_l+1 = weight_std^2 k(Sigma_l) + bias_std^2,       Theta_l+1 = Sigma_l+1 + weight_std^2 kdot(Sigma_l) Theta_l,

and the NNGP kernel is the last Sigma, the NTK the last Theta.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..common.errors import real, whole
from ..common.threads import in_parallel
from .activations import Activation, Prepared, activation_from
from .kernel import KINDS, Kernel, Matrix
from .separation import near_pairs, separation

DEEPEST = 100_000  # hidden layers
CPU_BLOCK = 1 << 17  # entries of a block of rows: a handful of float64 buffers of this size fit the cache
CUDA_BLOCK = 1 << 25
TRIALS = 8  # of a weight_std that does not overflow


@dataclass(frozen=True)
class FullyConnected(Kernel):
    """A fully connected network of infinite or finite width, single readout layer.

    Parameters
    ----------
    depth : int
        Hidden layers, 0 or more; 0 is linear regression.
    activation : str, dict or Activation
        A name in `learnability.kernels.activations.ACTIVATIONS`, {kind: name, parameters ...}, or one's own. Random streams
        follow from the name of one's own: two activations must not share one.
    weight_std, bias_std : float
        Of the hidden layers.

    Raises
    ------
    ValueError
        Unknown activation, negative depth or standard deviation.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> network = lb.FullyConnected(depth=2, activation="relu", weight_std=1.4, bias_std=0.1)
    >>> network.kernel(np.eye(2)).round(3).tolist()
    [[1.465, 0.345], [0.345, 1.465]]
    >>> network.diagonal(np.ones((3, 1, 8, 8)), kind="nngp").round(3).tolist()  # images, which the network flattens
    [0.97, 0.97, 0.97]
    """

    kinds = KINDS

    depth: int
    activation: str | dict | Activation = "relu"
    weight_std: float = math.sqrt(2.0)
    bias_std: float = 0.0

    def __post_init__(self) -> None:
        activation_from(self.activation)
        object.__setattr__(self, "depth", whole("depth", self.depth, most=DEEPEST))
        for name in ("weight_std", "bias_std"):
            object.__setattr__(self, name, real(name, getattr(self, name)))

    @property
    def identity(self) -> dict[str, Any]:
        """What the network is, for hashing and for file attributes."""
        activation = self.activation.name if isinstance(self.activation, Activation) else self.activation
        numbers = {"weight_std": self.weight_std, "bias_std": self.bias_std}
        return {"depth": self.depth, "activation": activation, **numbers}

    @property
    def layers(self) -> list[tuple[float, float]]:
        """(weight_std, bias_std) of every layer, the readout last."""
        return [(self.weight_std, self.bias_std)] * self.depth + [(1.0, 0.0)]

    @property
    def shortcuts(self) -> list[bool]:
        """Whether the pre-activations before a layer are added to its own, for every layer; see `learnability.Residual`."""
        return [False] * (self.depth + 1)

    @property
    def odd(self) -> bool:
        """Whether f(-x) = -f(x): without biases, and with an odd activation or no hidden layer."""
        if self.depth == 0:
            return True
        grid = torch.linspace(0.1, 3, 30, dtype=torch.float64)
        function = activation_from(self.activation).function
        return self.bias_std == 0 and bool(torch.allclose(function(-grid), -function(grid)))

    def layer_sizes(self, input_dim: int, width: int, outputs: int) -> list[int]:
        """Units from layer to layer of a finite network: [input_dim, width, ..., width, outputs]."""
        return [input_dim, *[width] * self.depth, outputs]

    def _matrix(self, points: Tensor, points2: Tensor | None, kind: str) -> Matrix:
        return self._fill(points, points if points2 is None else points2, kind, symmetric=points2 is None)

    def _remedy(self, points: Tensor, kind: str) -> str:
        """The largest depth, at this weight_std, and the largest weight_std, at this depth, of a finite kernel."""

        def fits(**changed: Any) -> bool:
            return bool(torch.isfinite(replace(self, **changed)._matrix(points, None, kind)).all())

        scale = super()._remedy(points, kind)
        if not fits(depth=0):
            return scale
        least, most = 0, self.depth  # finite at the first, not at the second
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if fits(depth=middle) else (least, middle)
        if least == 0:
            return scale
        low, high = 0.0, self.weight_std
        for _ in range(TRIALS):
            weight_std = (low + high) / 2
            low, high = (weight_std, high) if fits(weight_std=weight_std) else (low, weight_std)
        rounded = math.floor(100 * low) / 100
        narrower = f", weight_std {rounded:g} or less (at depth {self.depth})" if low >= 0.01 else ""
        return f"take depth {least} or less (at weight_std {self.weight_std:.4g}){narrower}, or {scale}"

    def _fill(self, x: Tensor, x2: Tensor, kind: str, symmetric: bool) -> Matrix:
        """The kernel matrix, computed in blocks of rows that stay in the cache."""
        prepared, diagonal = self._variances(x, kind)
        prepared2 = prepared if symmetric else self._variances(x2, kind)[0]
        matrix = torch.empty(len(x), len(x2), dtype=torch.float64, device=x.device)
        block = CPU_BLOCK if x.device.type == "cpu" else CUDA_BLOCK

        def fill(rows: slice) -> None:
            first = rows.start if symmetric else 0  # the columns left of the diagonal are known
            matrix[rows, first:] = self._block(
                x[rows],
                x2[first:],
                [tuple(t[rows] for t in layer) for layer in prepared],
                [tuple(t[first:] for t in layer) for layer in prepared2],
                kind,
            )
            if symmetric:
                inside = matrix[rows, first : first + len(x[rows])]
                inside.copy_(torch.triu(inside) + torch.triu(inside, 1).T)
                matrix[rows.stop :, rows] = matrix[rows, rows.stop :].T

        parts = _rows(len(x), len(x2), block, symmetric)
        in_parallel(fill, parts) if x.device.type == "cpu" else [*map(fill, parts)]
        if symmetric:
            matrix.fill_diagonal_(0).diagonal().add_(diagonal)
        return matrix

    def _variances(self, x: Tensor, kind: str) -> tuple[list[Prepared], Float[Tensor, " points"]]:
        """Per hidden layer what the dual must know of each point, and the kernel's diagonal (points,)."""
        activation = activation_from(self.activation)
        prepared = []
        first = self.layers[0]
        variance = x.square().sum(1).mul_(first[0] ** 2 / x.shape[1]).add_(first[1] ** 2)
        tangent = variance
        for (weight_std, bias_std), shortcut in zip(self.layers[1:], self.shortcuts[1:], strict=True):
            prepared.append(activation.prepare(variance))
            k, kdot = activation.diagonal(prepared[-1])
            branch = weight_std**2 * k + bias_std**2
            variance = branch + shortcut * variance
            tangent = branch + (weight_std**2 * kdot + shortcut) * tangent
        return prepared, tangent if kind == "ntk" else variance

    def _block(
        self, x: Tensor, x2: Tensor, prepared: Sequence[Prepared], prepared2: Sequence[Prepared], kind: str
    ) -> Matrix:
        """Some rows and columns of the matrix."""
        activation = activation_from(self.activation)
        weight_std, bias_std = self.layers[0]
        covariance = (x @ x2.T).mul_(weight_std**2 / x.shape[1]).add_(bias_std**2)
        tangent = covariance.clone()
        after = zip(self.layers[1:], self.shortcuts[1:], prepared, prepared2, strict=True)
        for layer, ((weight_std, bias_std), shortcut, left, right) in enumerate(after):
            before = covariance.clone() if shortcut else None
            k, kdot = activation.dual(left, right, covariance)
            if layer == 0 and activation.separable:
                self._refine(k, kdot, x, x2, left[0], right[0], covariance)
            covariance = k.mul_(weight_std**2).add_(bias_std**2)
            if kind == "ntk":
                tangent.mul_(kdot.mul_(weight_std**2).add_(shortcut)).add_(covariance)
            if before is not None:
                covariance.add_(before)
        return tangent if kind == "ntk" else covariance

    def _refine(
        self,
        k: Matrix,
        kdot: Matrix,
        x: Tensor,
        x2: Tensor,
        variance: Float[Tensor, " points"],
        variance2: Float[Tensor, " points2"],
        covariance: Matrix,
    ) -> None:
        """Write the duals of the first hidden layer again where points are near: there from their differences.

        Later layers know the covariances alone: there kdot of piecewise-linear activations is exact to 1e-8 only, for points
        whose angle is below that.
        """
        weight_std, bias_std = self.layers[0]
        rows, columns = near_pairs(variance, variance2, covariance)
        separate = separation(x[rows], x2[columns], weight_std**2 / x.shape[1], bias_std**2)
        closed_form = activation_from(self.activation).closed_form
        assert closed_form is not None  # of a separable activation
        pairs = closed_form(variance[rows], variance2[columns], covariance[rows, columns], separate)
        k[rows, columns], kdot[rows, columns] = pairs


def _rows(number: int, columns: int, block: int, symmetric: bool) -> list[slice]:
    """Blocks of rows of about `block` entries, in a symmetric matrix from the diagonal on."""
    parts, start = [], 0
    while start < number:
        width = columns - start if symmetric else columns
        parts.append(slice(start, start + max(1, block // max(1, width))))
        start = parts[-1].stop
    return parts
