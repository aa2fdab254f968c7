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
from dataclasses import dataclass

import torch

from ..common.errors import choose, real, whole
from ..common.threads import in_parallel, one_thread
from .activations import Activation, activation_from
from .points import kernel_values, matching_points
from .separation import near_pairs, separation

KINDS = ("ntk", "nngp")
DEEPEST = 100_000  # hidden layers
CPU_BLOCK = 1 << 17  # entries of a block of rows: a handful of float64 buffers of this size fit the cache
CUDA_BLOCK = 1 << 25


@dataclass(frozen=True)
class FullyConnected:
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
    """

    depth: int
    activation: str | dict | Activation = "relu"
    weight_std: float = math.sqrt(2.0)
    bias_std: float = 0.0

    def __post_init__(self):
        activation_from(self.activation)
        object.__setattr__(self, "depth", whole("depth", self.depth, most=DEEPEST))
        for name in ("weight_std", "bias_std"):
            object.__setattr__(self, name, real(name, getattr(self, name)))

    @property
    def identity(self):
        """What the network is, for hashing and for file attributes."""
        given = self.activation
        named = given.name if isinstance(given, Activation) else given
        numbers = {"weight_std": self.weight_std, "bias_std": self.bias_std}
        return {"depth": self.depth, "activation": named, **numbers}

    @property
    def layers(self):
        """(weight_std, bias_std) of every layer, the readout last."""
        return [(self.weight_std, self.bias_std)] * self.depth + [(1.0, 0.0)]

    @property
    def shortcuts(self):
        """Whether the pre-activations before a layer are added to its own, for every layer; see `learnability.Residual`."""
        return [False] * (self.depth + 1)

    @property
    def odd(self):
        """Whether f(-x) = -f(x): without biases, and with an odd activation or no hidden layer."""
        if self.depth == 0:
            return True
        grid = torch.linspace(0.1, 3, 30, dtype=torch.float64)
        function = activation_from(self.activation).function
        return self.bias_std == 0 and bool(torch.allclose(function(-grid), -function(grid)))

    def layer_sizes(self, input_dim, width, outputs):
        """Units from layer to layer of a finite network: [input_dim, width, ..., width, outputs]."""
        return [input_dim, *[width] * self.depth, outputs]

    @one_thread
    def kernel(self, x, x2=None, kind="ntk"):
        """Infinite-width kernel between two sets of points.

        Parameters
        ----------
        x : (points, dim) numpy array or torch tensor
        x2 : (points2, dim), optional
            Missing means `x` itself: half the work, exactly symmetric, the exact diagonal.
        kind : "ntk" or "nngp"

        Returns
        -------
        (points, points2) float64, numpy for numpy and torch (same device) for torch.

        Raises
        ------
        ValueError
            Unknown kind, arrays that are not two-dimensional or of different dimension, values that are not finite; a kernel
            that exceeds the largest float64, with the depth or weight_std that would do.
        """
        choose("kernel kind", kind, KINDS)
        points, points2 = matching_points(x, x2)

        def compute(network, left, right):
            return network._fill(left, right, kind, symmetric=x2 is None)

        return kernel_values(self, compute, points, points2, x, kind)

    def _fill(self, x, x2, kind, symmetric):
        """The kernel matrix, computed in blocks of rows that stay in the cache."""
        prepared, diagonal = self._variances(x, kind)
        prepared2 = prepared if symmetric else self._variances(x2, kind)[0]
        matrix = torch.empty(len(x), len(x2), dtype=torch.float64, device=x.device)
        block = CPU_BLOCK if x.device.type == "cpu" else CUDA_BLOCK

        def fill(rows):
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

    def _variances(self, x, kind):
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

    def _block(self, x, x2, prepared, prepared2, kind):
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
            if shortcut:
                covariance.add_(before)
        return tangent if kind == "ntk" else covariance

    def _refine(self, k, kdot, x, x2, variance, variance2, covariance):
        """Write the duals of the first hidden layer again where points are near: there from their differences.

        Later layers know the covariances alone: there kdot of piecewise-linear activations is exact to 1e-8 only, for points
        whose angle is below that.
        """
        weight_std, bias_std = self.layers[0]
        rows, columns = near_pairs(variance, variance2, covariance)
        separate = separation(x[rows], x2[columns], weight_std**2 / x.shape[1], bias_std**2)
        closed_form = activation_from(self.activation).closed_form
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
