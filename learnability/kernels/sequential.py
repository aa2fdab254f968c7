r"""Networks as lists of layers, and their kernels at infinite width.

A layer takes covariances Sigma and tangent kernels Theta between positions of points to those behind it. One after the other
they give the NNGP kernel, the last Sigma, and the NTK, the last Theta (Jacot et al. 2018, arXiv 1806.07572; Novak et al. 2019,
arXiv 1810.05148; Arora et al. 2019, arXiv 1904.11955).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from ..common.errors import choose, require, whole
from ..common.seeding import stream
from .kernel import KINDS, Kernel, Matrix
from .layers.affine import Affine
from .layers.flatten import Arrangement
from .layers.layer import INPUTS, PRE_ACTIVATIONS, Layer, Signal, modules, signals
from .layers.matrix import LayersKernel
from .layers.reading import layers_from

DTYPES = {"float64": torch.float64, "float32": torch.float32}


@dataclass(frozen=True)
class Sequential(Kernel):
    """A network as a list of layers, the readout written out, in NTK parameterization.

    Parameters
    ----------
    layers : sequence
        Each an object of `learnability.layers`, an `Activation`, a name ("relu", "flatten") or {name: options}, as in
        {"conv": {"kernel": [3, 3], "weight_std": 1.4}}.
    dtype : "float64" or "float32"
        Precision of covariances between different points; those of a point with itself and the result are always float64. In
        single precision a kernel takes half the time. It is right to 1e-6 of its largest entry, with a kink in the activation
        (relu) to 1e-4 where patches of different points coincide.

    Raises
    ------
    ValueError
        A misspelt layer or option, options out of range, with the layer's number. `kernel` raises it for layers that do not
        fit the points or each other.

    Examples
    --------
    >>> import numpy as np, learnability as lb
    >>> network = lb.Sequential([{"conv": {"kernel": 3}}, "relu", "flatten", "dense"])
    >>> images = np.random.default_rng(0).standard_normal((5, 1, 8, 8))  # (points, channels, height, width)
    >>> network.kernel(images).shape
    (5, 5)
    """

    layers: Sequence[Layer]
    dtype: str = "float64"

    kinds = KINDS
    event_dims = (1, 2, 3)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", layers_from(self.layers))
        choose("dtype", self.dtype, DTYPES)
        require(bool(self.layers), "layers: there are none; write at least the readout, [dense]")

    @property
    def identity(self) -> dict:
        """What the network is, for hashing and for file attributes."""
        precision = {} if self.dtype == "float64" else {"dtype": self.dtype}
        return {"kind": "sequential", "layers": [layer.entry for layer in self.layers], **precision}

    @property
    def odd(self) -> bool:
        """Whether f(-x) = -f(x): without biases and with odd activations only."""
        return all(layer.odd for layer in self.layers)

    def signals(self, shape: Sequence[int]) -> list[Signal]:
        """The signal before every layer and after the last, for points of a shape (dim,) or (channels, *positions).

        Raises
        ------
        ValueError
            Layers that do not fit the points or each other.
        """
        passed = signals(self.layers, Signal(tuple(shape[1:]), INPUTS, shape[0]))
        require(
            not passed[-1].positions,
            f"the network ends with {passed[-1].place}; add flatten or global_avg_pool and a readout, e.g. dense",
        )
        require(
            passed[-1].stage == PRE_ACTIVATIONS,
            f"the network ends with {passed[-1].stage}; add a readout, {{dense: {{weight_std: 1, bias_std: 0}}}}",
        )
        return passed

    def module(
        self,
        shape: Sequence[int],
        width: int,
        outputs: int = 1,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> nn.Module:
        """A finite network at initialisation, in NTK parameterization.

        Weights follow from (layers, shape, width, outputs, seed) alone, the same on every device and for either `dtype`. Its
        tangent kernel approaches `kernel`: the squared distance falls as one over the width.

        Parameters
        ----------
        shape : of a point, (dim,) or (channels, *positions)
        width : int
            Channels of every layer with weights but the last, the readout.
        outputs : int
            Of the readout.
        seed : int

        Returns
        -------
        torch.nn.Module
            (points, *shape) -> (points, outputs); all its parameters are standard normal.

        Raises
        ------
        ValueError
            Layers that do not fit the points or each other; weights that end with a residual sum.

        Examples
        --------
        >>> import torch, learnability as lb
        >>> network = lb.Sequential([{"conv": {"kernel": 3}}, "relu", "global_avg_pool", "dense"])
        >>> network.module((1, 8, 8), width=32, outputs=10)(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 10])
        """
        passed = self.signals(shape)
        last = max(number for number, layer in enumerate(self.layers) if layer.fresh)
        require(
            isinstance(self.layers[last], Affine), "the network's last weights are those of a residual; add a readout"
        )
        sizes = {
            "shape": [int(size) for size in shape],
            "width": whole("width", width, 1),
            "outputs": whole("outputs", outputs, 1),
        }
        body, signal = modules(self.layers[:last], passed[0], width)
        end, _ = modules(self.layers[last:], signal, outputs)
        network = nn.Sequential(*body, *end).to(dtype)
        network_itself = replace(self, dtype="float64").identity  # whatever the precision of its kernel
        rng = stream("initial weights", architecture=network_itself, **sizes, seed=whole("seed", seed))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(torch.from_numpy(rng.standard_normal(parameter.shape, dtype=np.float32)))
        return network

    def arranged(self, points: torch.Tensor) -> torch.Tensor:
        """Points as the layers take them: arranged by `unflatten` or `shuffle` as first layer, else as they are."""
        return self.layers[0].arranged(points) if isinstance(self.layers[0], Arrangement) else points

    def _matrix(self, points: torch.Tensor, points2: torch.Tensor | None, kind: str) -> Matrix:
        kernel = LayersKernel(self.layers, self.signals(points.shape[1:]), kind, DTYPES[self.dtype])
        left, right = (self.arranged(part) for part in (points, points if points2 is None else points2))
        return kernel.matrix(left, right, symmetric=points2 is None)
