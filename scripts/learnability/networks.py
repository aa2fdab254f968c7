r"""Ensembles of finite networks as batched tensors: initialise, forward, vector-Jacobian product, tangent kernel.

A network in NTK parameterization is linear in each of its parameter matrices given the others, so its Jacobian at a
point is an outer product of the layer's input a_l and the back-propagated signal s_l = df/dz_l. The empirical tangent
kernel (Jacot et al. 2018) therefore needs no Jacobian:

    Theta(x, x') = sum_l (weight_std_l^2 / fan_in_l  a_l(x).a_l(x') + bias_std_l^2)  s_l(x).s_l(x').
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from .activations import activation_named
from .architectures import FullyConnected
from .errors import require
from .seeding import stream


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

        Weights follow from (architecture, input_dim, width, outputs, seed) alone: they are drawn on the CPU in
        float64 and rounded to `dtype`, the same on every device and in every block.

        Returns
        -------
        Ensemble with one network per entry of `seeds`.
        """
        require(int(width) == width and width >= 1, f"width must be an integer >= 1, got {width!r}")
        sizes = [int(input_dim), *[int(width)] * architecture.depth, int(outputs)]

        def draw(seed):
            rng = stream("initial weights", architecture=architecture.identity, sizes=sizes, seed=int(seed))
            shapes = [shape for fan_in, fan_out in zip(sizes, sizes[1:]) for shape in ((fan_in, fan_out), (1, fan_out))]
            return [torch.from_numpy(rng.standard_normal(shape)).to(dtype) for shape in shapes]

        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            drawn = list(pool.map(draw, seeds))
        stacked = [torch.stack(tensors).to(device) for tensors in zip(*drawn, strict=True)]
        return cls(architecture, stacked[0::2], stacked[1::2])

    # --- bookkeeping ------------------------------------------------------------------------------------------

    def __len__(self):
        return len(self.weights[0])

    @property
    def outputs(self):
        return self.weights[-1].shape[-1]

    @property
    def dtype(self):
        return self.weights[0].dtype

    @property
    def device(self):
        return self.weights[0].device

    def parameters(self):
        return [*self.weights, *self.biases]

    def select(self, index):
        """The networks listed in `index` (a tensor of numbers or a mask), copied."""
        return Ensemble(self.architecture, [w[index] for w in self.weights], [b[index] for b in self.biases])

    def copy_from(self, other, index):
        """Overwrite the networks listed in `index` by those of `other`."""
        for mine, theirs in zip(self.parameters(), other.parameters(), strict=True):
            mine[index] = theirs

    @classmethod
    def where(cls, mask, first, second):
        """The networks of `first` where `mask` (networks,) holds, else those of `second`."""
        if mask.all():
            return first
        pick = mask[:, None, None]
        chosen = [torch.where(pick, p, q) for p, q in zip(first.parameters(), second.parameters(), strict=True)]
        return cls(first.architecture, chosen[: len(first.weights)], chosen[len(first.weights) :])

    def _gains(self):
        """(weight_std / sqrt(fan_in), bias_std) of every layer."""
        return [
            (weight_std / math.sqrt(w.shape[1]), bias_std)
            for (weight_std, bias_std), w in zip(self.architecture.layers, self.weights, strict=True)
        ]

    # --- functions --------------------------------------------------------------------------------------------

    def _hidden(self, x):
        """Pre-activations of the hidden layers, each (networks, points, width), and the readout's input."""
        activation = activation_named(self.architecture.activation).function
        signal, hidden = x.expand(len(self), *x.shape[-2:]), []
        for (gain, bias_std), w, b in list(zip(self._gains(), self.weights, self.biases, strict=True))[:-1]:
            hidden.append(torch.baddbmm(b, signal, w, beta=bias_std, alpha=gain))
            signal = activation(hidden[-1])
        return hidden, signal

    def forward(self, x):
        """Outputs at x, (points, dim) or (networks, points, dim): (networks, points, outputs)."""
        _, signal = self._hidden(x)
        gain, bias_std = self._gains()[-1]
        return torch.baddbmm(self.biases[-1], signal, self.weights[-1], beta=bias_std, alpha=gain)

    def linearize(self, x):
        """The network's first-order expansion in its parameters around the present ones.

        Returns
        -------
        Linearization
        """
        activation = activation_named(self.architecture.activation)
        hidden, signal = self._hidden(x)
        inputs = [x.expand(len(self), *x.shape[-2:]), *[activation.function(z) for z in hidden[:-1]]]
        inputs = [*inputs, signal] if hidden else inputs
        gains = self._gains()
        values = torch.baddbmm(self.biases[-1], signal, self.weights[-1], beta=gains[-1][1], alpha=gains[-1][0])
        networks, points = values.shape[:2]
        # df_o/dz_l, the outputs stacked along the points: (networks, outputs * points, width)
        unit = torch.eye(self.outputs, dtype=self.dtype, device=self.device).repeat_interleave(points, 0)
        signals = [unit.expand(networks, -1, -1)]
        if hidden:
            readout = (gains[-1][0] * self.weights[-1]).mT.repeat_interleave(points, 1)
            signals.insert(0, _times_slope(readout, activation, hidden[-1], self.outputs))
            for layer in range(len(hidden) - 1, 0, -1):
                back = torch.bmm(signals[0], self.weights[layer].mT).mul_(gains[layer][0])
                signals.insert(0, _times_slope(back, activation, hidden[layer - 1], self.outputs))
        return Linearization(values, inputs, signals, gains)


def _times_slope(back, activation, preactivation, outputs):
    """back * phi'(z), with z (networks, points, width) repeated for every output."""
    slope = activation.derivative(preactivation)
    return back.mul_(slope if outputs == 1 else slope.repeat(1, outputs, 1))


@dataclass
class Linearization:
    """f and its Jacobian J at given points, kept in factors.

    values : (networks, points, outputs)
    inputs : per layer, (networks, points, fan_in)
    signals : per layer, (networks, outputs * points, fan_out)
    """

    values: torch.Tensor
    inputs: list
    signals: list
    gains: list

    def descend(self, ensemble, cotangent, out=None):
        """The networks at parameters - J^T c, without forming J^T c.

        Parameters
        ----------
        ensemble : Ensemble
            Where to start from (not necessarily where this expansion was made).
        cotangent : (networks, points, outputs)
        out : Ensemble, optional
            Where to write the result, `ensemble` itself for an update in place.
        """
        networks, points, outputs = cotangent.shape
        flat = cotangent.mT.reshape(networks, outputs * points, 1)
        weights, biases = [], []
        layers = zip(self.inputs, self.signals, self.gains, ensemble.weights, ensemble.biases, strict=True)
        for number, (a, s, (gain, bias_std), w, b) in enumerate(layers):
            weighted = s * flat
            summed = weighted if outputs == 1 else weighted.view(networks, outputs, points, -1).sum(1)
            weights.append(torch.baddbmm(w, a.mT, summed, alpha=-gain, out=out.weights[number] if out else None))
            biases.append(torch.sub(b, summed.sum(1, keepdim=True), alpha=bias_std))
            if out:
                out.biases[number] = biases[-1]
        return out or Ensemble(ensemble.architecture, weights, biases)

    def tangent_kernel(self, other=None):
        """J J'^T between these points and those of `other` (the same networks), outputs the slow index.

        Returns
        -------
        (networks, outputs * points, outputs * points')
        """
        other = other or self
        outputs = self.values.shape[2]
        total = None
        layers = zip(self.inputs, other.inputs, self.signals, other.signals, self.gains, strict=True)
        for a, a2, s, s2, (gain, bias_std) in layers:
            gram = torch.bmm(a, a2.mT).mul_(gain**2).add_(bias_std**2)
            gram = gram if outputs == 1 else gram.repeat(1, outputs, outputs)
            term = gram.mul_(torch.bmm(s, s2.mT))
            total = term if total is None else total.add_(term)
        return total

    def select(self, index):
        """The expansions of the networks listed in `index`."""
        inputs, signals = ([t[index] for t in tensors] for tensors in (self.inputs, self.signals))
        return Linearization(self.values[index], inputs, signals, self.gains)

    @classmethod
    def where(cls, mask, first, second):
        """The expansions of `first` where `mask` (networks,) holds, else those of `second`."""
        if mask.all():
            return first
        pick = mask[:, None, None]
        inputs, signals = (
            [torch.where(pick, p, q) for p, q in zip(ours, theirs, strict=True)]
            for ours, theirs in ((first.inputs, second.inputs), (first.signals, second.signals))
        )
        return cls(torch.where(pick, first.values, second.values), inputs, signals, first.gains)


def tangent_kernel(ensemble, x, x2=None):
    """Empirical NTK of every network, (networks, outputs * points, outputs * points2); x as in `Ensemble.forward`."""
    here = ensemble.linearize(x)
    return here.tangent_kernel(None if x2 is None else ensemble.linearize(x2))


def as_tensor(x, dtype, device):
    """A numpy array or tensor as a tensor of the ensemble's dtype on its device."""
    return torch.as_tensor(x if torch.is_tensor(x) else np.array(x)).to(dtype=dtype, device=device)
