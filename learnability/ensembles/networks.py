r"""Ensembles of finite networks as batched tensors: initialise, forward, vector-Jacobian product, tangent kernel.

A network in NTK parameterization is linear in each of its parameter matrices given the others, so its Jacobian at a
point is an outer product of the layer's input a_l and the back-propagated signal s_l = df/dz_l. The empirical tangent
kernel (Jacot et al. 2018) therefore needs no Jacobian:

    Theta(x, x') = sum_l (weight_std_l^2 / fan_in_l  a_l(x).a_l(x') + bias_std_l^2)  s_l(x).s_l(x').
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from ..common.errors import whole
from ..common.seeding import key
from ..common.threads import one_thread
from ..kernels.activations import activation_from
from ..kernels.fully_connected import FullyConnected
from .initial_weights import standard_normal
from .lanczos import largest_of_kernel
from .linearization import Linearization, Passage, SlopesAlongStep, gram, preactivation_kernels
from .memory import is_decomposed, network_bytes
from .model import Index, Step


@dataclass
class Ensemble:
    """Networks of one architecture, with their parameters as the leading axis of batched tensors.

    Attributes
    ----------
    architecture : FullyConnected
    weights : list of (networks, fan_in, fan_out), standard normal at initialisation, the readout last
    biases : list of (networks, 1, fan_out), standard normal at initialisation

    Examples
    --------
    >>> import torch
    >>> import learnability as lb
    >>> networks = lb.Ensemble.initial(lb.FullyConnected(depth=2), input_dim=3, width=64, seeds=range(5))
    >>> len(networks), tuple(networks.forward(torch.ones(7, 3)).shape)
    (5, (5, 7, 1))
    """

    architecture: FullyConnected
    weights: list[Float[Tensor, "networks _fan_in _fan_out"]]
    biases: list[Float[Tensor, "networks 1 _fan_out"]]

    @classmethod
    def initial(
        cls,
        architecture: FullyConnected,
        input_dim: int | Sequence[int],
        width: int | None,
        seeds: Sequence[int],
        outputs: int = 1,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "Ensemble":
        """Networks at initialisation.

        Weights follow from (architecture, input_dim, width, outputs, seed) alone. They are float32 numbers, the same in every
        block and for either `dtype`, and up to rounding on every device (`learnability.ensembles.initial_weights`).

        Parameters
        ----------
        input_dim : int, or the shape (dim,) of a point

        Returns
        -------
        Ensemble with one network per entry of `seeds`.
        """
        sizes = architecture.layer_sizes(_dim(input_dim), whole("width", width, 1), int(outputs))
        shapes = [shape for fan_in, fan_out in zip(sizes, sizes[1:]) for shape in ((fan_in, fan_out), (1, fan_out))]
        identity = {"architecture": architecture.identity, "sizes": sizes}
        keys = [key("initial weights", **identity, seed=int(seed)) for seed in seeds]
        tensors = [parameters.to(dtype) for parameters in standard_normal(keys, shapes, device)]
        return cls(architecture, tensors[0::2], tensors[1::2])

    @staticmethod
    def bytes_in_training(
        architecture: FullyConnected,
        width: int | None,
        input_dim: int | Sequence[int],
        outputs: int,
        train_size: int,
        test_points: int,
        precision: torch.dtype,
    ) -> int:
        """Bytes that one network takes while it is trained by gradient flow."""
        sizes = architecture.layer_sizes(_dim(input_dim), whole("width", width, 1), outputs)
        return network_bytes(sizes, train_size, test_points, precision.itemsize)

    @classmethod
    def joined(cls, parts: "Sequence[Ensemble]") -> "Ensemble":
        """One ensemble from several of the same architecture and shape."""
        columns = (zip(*(part.weights for part in parts)), zip(*(part.biases for part in parts)))
        return cls(parts[0].architecture, *([torch.cat(layer) for layer in layers] for layers in columns))

    # --- bookkeeping ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.weights[0])

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.weights[-1].shape[-1]

    @property
    def dtype(self) -> torch.dtype:
        """Precision of weights and biases."""
        return self.weights[0].dtype

    @property
    def device(self) -> torch.device:
        """Where weights and biases are."""
        return self.weights[0].device

    def parameters(self) -> list[Tensor]:
        """All weights, then all biases, each (networks, ...)."""
        return [*self.weights, *self.biases]

    def constants(self) -> list[Tensor]:
        """None: all that a network has are its parameters."""
        return []

    def calibrated(self, x: Float[Tensor, "*networks points dim"]) -> "Ensemble":
        """Itself: nothing of these networks depends on data before training."""
        return self

    def select(self, index: Index) -> "Ensemble":
        """The networks listed in `index`: copied for a tensor of numbers or a mask, shared for a slice."""
        return Ensemble(self.architecture, [w[index] for w in self.weights], [b[index] for b in self.biases])

    def to(self, device: torch.device | str) -> "Ensemble":
        """The same networks on a device."""
        return Ensemble(self.architecture, [w.to(device) for w in self.weights], [b.to(device) for b in self.biases])

    def empty_like(self) -> "Ensemble":
        """As many networks of the same shape, their parameters not yet set."""
        weights, biases = ([torch.empty_like(p) for p in parameters] for parameters in (self.weights, self.biases))
        return Ensemble(self.architecture, weights, biases)

    def copy_from(self, other: "Ensemble", index: Index) -> None:
        """Overwrite the networks listed in `index` by those of `other`."""
        for mine, theirs in zip(self.parameters(), other.parameters(), strict=True):
            mine[index] = theirs

    def _gain(self, layer: int) -> tuple[float, float]:
        """(weight_std / sqrt(fan_in), bias_std) of one layer, the readout being the last."""
        weight_std, bias_std = self.architecture.layers[layer]
        return weight_std / math.sqrt(self.weights[layer].shape[1]), bias_std

    # --- functions --------------------------------------------------------------------------------------------

    def _affine(
        self,
        signal: Float[Tensor, "networks points fan_in"],
        layer: int,
        before: Float[Tensor, "networks points fan_out"] | None = None,
    ) -> Float[Tensor, "networks points fan_out"]:
        """Pre-activations of one layer, the readout being the last; those of the layer `before` are added at a shortcut."""
        gain, bias_std = self._gain(layer)
        own = torch.baddbmm(self.biases[layer], signal, self.weights[layer], beta=bias_std, alpha=gain)
        return own + before if before is not None and self.architecture.shortcuts[layer] else own

    @one_thread
    def forward(self, x: Float[Tensor, "*networks points dim"]) -> Float[Tensor, "networks points outputs"]:
        """Outputs at x, (points, dim) or (networks, points, dim): (networks, points, outputs).

        One layer is held at a time: unlike in `evaluate`, there may be many points.
        """
        activation = activation_from(self.architecture.activation).function
        signal, hidden = x.expand(len(self), *x.shape[-2:]), None
        for layer in range(self.architecture.depth):
            hidden = self._affine(signal, layer, hidden)
            signal = activation(hidden)
        return self._affine(signal, -1)

    def evaluate(self, x: Float[Tensor, "*networks points dim"]) -> Passage:
        """`forward`, and what it passes through."""
        activation = activation_from(self.architecture.activation).function
        inputs: list[Tensor] = [x.expand(len(self), *x.shape[-2:])]
        hidden: list[Tensor] = []
        for layer in range(self.architecture.depth):
            hidden.append(self._affine(inputs[-1], layer, hidden[-1] if hidden else None))
            inputs.append(activation(hidden[-1]))
        return Passage(self._affine(inputs[-1], -1), hidden, inputs)

    def linearize(
        self,
        x: Float[Tensor, "*networks points dim"],
        step: Step[Passage, Linearization] | None = None,
        evaluated: Passage | None = None,
    ) -> Linearization:
        """The network's first-order expansion in its parameters around the present ones.

        Parameters
        ----------
        x : as in `forward`
        step : Step, optional
            Of which these parameters are the middle. Activations with a kink then enter with their mean slope along
            the step (see `learnability.ensembles.kinks`); the others' slope in the middle is already second order.
        evaluated : what `evaluate(x)` returned, optional

        Returns
        -------
        Linearization
        """
        activation = activation_from(self.architecture.activation)
        passage = evaluated or self.evaluate(x)
        values, hidden, inputs = passage.values, passage.hidden, passage.inputs
        gains = [self._gain(layer) for layer in range(len(self.weights))]
        grams = along = None
        if step is not None and activation.kink is not None:
            grams = [gram(a, a, gain) for a, gain in zip(inputs, gains, strict=True)]
            kernels = preactivation_kernels(grams, self.architecture, step.expansion.slopes)
            along = SlopesAlongStep(activation.kink, step, kernels)
        one = self.outputs == 1
        weights = [] if one else [w.clone() for w in self.weights[1:]]
        if along is None and not one:
            slopes = [activation.derivative(z) for z in hidden]
            return Linearization(values, inputs, slopes, gains, self.architecture.shortcuts, [], weights, grams)
        signals: list[Tensor] = [torch.ones_like(values) if step is None or one else step.cotangent]
        slopes = []
        for layer in reversed(range(len(hidden))):
            back = torch.bmm(signals[0], self.weights[layer + 1].mT).mul_(gains[layer + 1][0])
            if along is None:
                slope = activation.derivative(hidden[layer])
            else:
                slope = along.of_layer(layer, hidden[layer], back * along.step.cotangent if one else back)
            slopes.insert(0, slope)
            signal = back.mul_(slope)
            signals.insert(0, signal.add_(signals[0]) if self.architecture.shortcuts[layer + 1] else signal)
        signals = signals if one else []  # of several outputs they were those of one cotangent
        return Linearization(values, inputs, slopes, gains, self.architecture.shortcuts, signals, weights, grams)

    def largest_eigenvalues(self, x: Float[Tensor, "*networks points dim"]) -> Float[Tensor, " networks"]:
        """Of the empirical tangent kernel of all outputs at the points x, in float64.

        A large kernel of several outputs is multiplied by, not formed: its eigenvalue is known to a thousandth.
        """
        expansion = self.linearize(x)
        if not is_decomposed(x.shape[-2], self.outputs):
            return largest_of_kernel(expansion.tangent_product, expansion.values)
        return torch.linalg.eigvalsh(expansion.tangent_kernel().double())[:, -1]

    def largest_traces(self, x: Float[Tensor, "*networks points dim"]) -> Float[Tensor, " networks"]:
        """The largest, over the points x, of the trace over outputs of a point's kernel with itself, in float64."""
        own = self.linearize(x).tangent_kernel().double().diagonal(dim1=1, dim2=2)
        return own.reshape(len(own), self.outputs, -1).sum(1).amax(1)


def _dim(shape: int | Sequence[int]) -> int:
    """The dimension of points of a shape (dim,)."""
    return math.prod(shape) if isinstance(shape, Sequence) else int(shape)


@one_thread
def tangent_kernel(
    ensemble: Ensemble,
    x: Float[Tensor, "*networks points dim"],
    x2: Float[Tensor, "*networks points2 dim"] | None = None,
) -> Float[Tensor, "networks rows columns"]:
    """Empirical NTK of every network, (networks, outputs * points, outputs * points2); x as in `Ensemble.forward`."""
    return ensemble.linearize(x).tangent_kernel(None if x2 is None else ensemble.linearize(x2))


def as_tensor(
    x: Shaped[np.ndarray, "*shape"] | Shaped[Tensor, "*shape"], dtype: torch.dtype, device: torch.device | str
) -> Float[Tensor, "*shape"]:
    """A numpy array or tensor as a tensor of the ensemble's dtype on its device."""
    return torch.as_tensor(x if torch.is_tensor(x) else np.array(x)).to(dtype=dtype, device=device)
