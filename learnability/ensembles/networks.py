r"""Ensembles of finite networks as batched tensors: initialise, forward, vector-Jacobian product, tangent kernel.

A network in NTK parameterization is linear in each of its parameter matrices given the others, so its Jacobian at a
point is an outer product of the layer's input a_l and the back-propagated signal s_l = df/dz_l. The empirical tangent
kernel (Jacot et al. 2018) therefore needs no Jacobian:

    Theta(x, x') = sum_l (weight_std_l^2 / fan_in_l  a_l(x).a_l(x') + bias_std_l^2)  s_l(x).s_l(x').
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..common.errors import whole
from ..common.seeding import stream
from ..common.threads import in_parallel, one_thread
from ..kernels.activations import activation_from
from ..kernels.fully_connected import FullyConnected
from .kinks import mean_slope
from .linearization import Linearization, Passage, gram, preactivation_kernels, stacked, summed
from .memory import network_bytes
from .model import Step


@dataclass
class Ensemble:
    """Networks of one architecture, with their parameters as the leading axis of batched tensors.

    Attributes
    ----------
    architecture : FullyConnected
    weights : list of (networks, fan_in, fan_out), standard normal at initialisation, the readout last
    biases : list of (networks, 1, fan_out), standard normal at initialisation
    """

    architecture: FullyConnected
    weights: list
    biases: list

    @classmethod
    def initial(cls, architecture, input_dim, width, seeds, outputs=1, dtype=torch.float32, device="cpu"):
        """Networks at initialisation.

        Weights follow from (architecture, input_dim, width, outputs, seed) alone: they are drawn on the CPU as
        float32 numbers, the same on every device, in every block and for either `dtype`.

        Returns
        -------
        Ensemble with one network per entry of `seeds`.
        """
        sizes = architecture.layer_sizes(int(input_dim), whole("width", width, 1), int(outputs))
        shapes = [shape for fan_in, fan_out in zip(sizes, sizes[1:]) for shape in ((fan_in, fan_out), (1, fan_out))]
        drawn = [np.empty((len(seeds), *shape), dtype=np.float32) for shape in shapes]

        def draw(number):
            rng = stream("initial weights", architecture=architecture.identity, sizes=sizes, seed=int(seeds[number]))
            for parameters in drawn:
                rng.standard_normal(out=parameters[number], dtype=np.float32)

        in_parallel(draw, range(len(seeds)))
        tensors = [torch.from_numpy(parameters).to(device, dtype) for parameters in drawn]
        return cls(architecture, tensors[0::2], tensors[1::2])

    @staticmethod
    def bytes_in_training(
        architecture: FullyConnected,
        width: int,
        input_dim: int,
        outputs: int,
        train_size: int,
        test_points: int,
        precision: torch.dtype,
    ) -> int:
        """Bytes that one network takes while it is trained by gradient flow."""
        sizes = architecture.layer_sizes(input_dim, width, outputs)
        return network_bytes(sizes, train_size, test_points, precision.itemsize)

    @classmethod
    def joined(cls, parts):
        """One ensemble from several of the same architecture and shape."""
        columns = (zip(*(part.weights for part in parts)), zip(*(part.biases for part in parts)))
        return cls(parts[0].architecture, *([torch.cat(layer) for layer in layers] for layers in columns))

    # --- bookkeeping ------------------------------------------------------------------------------------------

    def __len__(self):
        return len(self.weights[0])

    @property
    def outputs(self):
        """Number of outputs."""
        return self.weights[-1].shape[-1]

    @property
    def dtype(self):
        """Precision of weights and biases."""
        return self.weights[0].dtype

    @property
    def device(self):
        """Where weights and biases are."""
        return self.weights[0].device

    def parameters(self):
        """All weights, then all biases, each (networks, ...)."""
        return [*self.weights, *self.biases]

    def select(self, index):
        """The networks listed in `index`: copied for a tensor of numbers or a mask, shared for a slice."""
        return Ensemble(self.architecture, [w[index] for w in self.weights], [b[index] for b in self.biases])

    def to(self, device):
        """The same networks on a device."""
        return Ensemble(self.architecture, [w.to(device) for w in self.weights], [b.to(device) for b in self.biases])

    def empty_like(self):
        """As many networks of the same shape, their parameters not yet set."""
        weights, biases = ([torch.empty_like(p) for p in parameters] for parameters in (self.weights, self.biases))
        return Ensemble(self.architecture, weights, biases)

    def copy_from(self, other, index):
        """Overwrite the networks listed in `index` by those of `other`."""
        for mine, theirs in zip(self.parameters(), other.parameters(), strict=True):
            mine[index] = theirs

    def _gain(self, layer):
        """(weight_std / sqrt(fan_in), bias_std) of one layer, the readout being the last."""
        weight_std, bias_std = self.architecture.layers[layer]
        return weight_std / math.sqrt(self.weights[layer].shape[1]), bias_std

    # --- functions --------------------------------------------------------------------------------------------

    def _affine(self, signal, layer, before=None):
        """Pre-activations of one layer, the readout being the last; those of the layer `before` are added at a shortcut."""
        gain, bias_std = self._gain(layer)
        own = torch.baddbmm(self.biases[layer], signal, self.weights[layer], beta=bias_std, alpha=gain)
        return own + before if self.architecture.shortcuts[layer] else own

    @one_thread
    def forward(self, x):
        """Outputs at x, (points, dim) or (networks, points, dim): (networks, points, outputs).

        One layer is held at a time: unlike in `evaluate`, there may be many points.
        """
        activation = activation_from(self.architecture.activation).function
        signal, hidden = x.expand(len(self), *x.shape[-2:]), None
        for layer in range(self.architecture.depth):
            hidden = self._affine(signal, layer, hidden)
            signal = activation(hidden)
        return self._affine(signal, -1)

    def evaluate(self, x: torch.Tensor) -> Passage:
        """`forward`, and what it passes through."""
        activation = activation_from(self.architecture.activation).function
        inputs, hidden = [x.expand(len(self), *x.shape[-2:])], []
        for layer in range(self.architecture.depth):
            hidden.append(self._affine(inputs[-1], layer, hidden[-1] if hidden else None))
            inputs.append(activation(hidden[-1]))
        return Passage(self._affine(inputs[-1], -1), hidden, inputs)

    def linearize(self, x: torch.Tensor, step: Step | None = None, evaluated: Passage | None = None) -> Linearization:
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
        grams = kernels = None
        if step is not None and activation.kink is not None:
            grams = [gram(a, a, gain) for a, gain in zip(inputs, gains, strict=True)]
            kernels = preactivation_kernels(grams, self.architecture, step.expansion.slopes)
            cotangent = stacked(step.cotangent)
        networks, points = values.shape[:2]
        # df_o/dz_l, the outputs stacked along the points: (networks, outputs * points, width)
        unit = torch.eye(self.outputs, dtype=self.dtype, device=self.device).repeat_interleave(points, 0)
        signals, slopes = [unit.expand(networks, -1, -1)], []
        for layer in reversed(range(len(hidden))):
            if layer == len(hidden) - 1:
                back = (gains[-1][0] * self.weights[-1]).mT.repeat_interleave(points, 1)
            else:
                back = torch.bmm(signals[0], self.weights[layer + 1].mT).mul_(gains[layer + 1][0])
            if kernels is None:
                slope = activation.derivative(hidden[layer])
            else:
                pull = summed(back * cotangent, self.outputs)
                slope = mean_slope(
                    activation.kink,
                    step.start.hidden[layer],
                    hidden[layer],
                    step.expansion.slopes[layer],
                    pull,
                    kernels[layer],
                )
            slopes.insert(0, slope)
            signal = back.mul_(slope if self.outputs == 1 else slope.repeat(1, self.outputs, 1))
            signals.insert(0, signal.add_(signals[0]) if self.architecture.shortcuts[layer + 1] else signal)
        return Linearization(values, inputs, signals, slopes, gains, grams)


@one_thread
def tangent_kernel(ensemble, x, x2=None):
    """Empirical NTK of every network, (networks, outputs * points, outputs * points2); x as in `Ensemble.forward`."""
    here = ensemble.linearize(x)
    return here.tangent_kernel(None if x2 is None else ensemble.linearize(x2))


def as_tensor(x, dtype, device):
    """A numpy array or tensor as a tensor of the ensemble's dtype on its device."""
    return torch.as_tensor(x if torch.is_tensor(x) else np.array(x)).to(dtype=dtype, device=device)
