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
from .kinks import mean_slope
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

        Weights follow from (architecture, input_dim, width, outputs, seed) alone: they are drawn on the CPU as
        float32 numbers, the same on every device, in every block and for either `dtype`.

        Returns
        -------
        Ensemble with one network per entry of `seeds`.
        """
        require(int(width) == width and width >= 1, f"width must be an integer >= 1, got {width!r}")
        sizes = [int(input_dim), *[int(width)] * architecture.depth, int(outputs)]

        shapes = [shape for fan_in, fan_out in zip(sizes, sizes[1:]) for shape in ((fan_in, fan_out), (1, fan_out))]
        drawn = [np.empty((len(seeds), *shape), dtype=np.float32) for shape in shapes]

        def draw(number):
            rng = stream("initial weights", architecture=architecture.identity, sizes=sizes, seed=int(seeds[number]))
            for parameters in drawn:
                rng.standard_normal(out=parameters[number], dtype=np.float32)

        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            list(pool.map(draw, range(len(seeds))))
        tensors = [torch.from_numpy(parameters).to(device, dtype) for parameters in drawn]
        return cls(architecture, tensors[0::2], tensors[1::2])

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
        """The networks listed in `index`: copied for a tensor of numbers or a mask, shared for a slice."""
        return Ensemble(self.architecture, [w[index] for w in self.weights], [b[index] for b in self.biases])

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

    def _affine(self, signal, layer):
        """Pre-activations of one layer, the readout being the last."""
        gain, bias_std = self._gain(layer)
        return torch.baddbmm(self.biases[layer], signal, self.weights[layer], beta=bias_std, alpha=gain)

    def forward(self, x):
        """Outputs at x, (points, dim) or (networks, points, dim): (networks, points, outputs).

        One layer is held at a time: unlike in `evaluate`, there may be many points.
        """
        activation = activation_named(self.architecture.activation).function
        signal = x.expand(len(self), *x.shape[-2:])
        for layer in range(self.architecture.depth):
            signal = activation(self._affine(signal, layer))
        return self._affine(signal, -1)

    def evaluate(self, x):
        """`forward`, and what it passes through.

        Returns
        -------
        values : (networks, points, outputs)
        hidden : per hidden layer, its pre-activations (networks, points, width)
        inputs : per layer, its inputs (networks, points, fan_in)
        """
        activation = activation_named(self.architecture.activation).function
        inputs, hidden = [x.expand(len(self), *x.shape[-2:])], []
        for layer in range(self.architecture.depth):
            hidden.append(self._affine(inputs[-1], layer))
            inputs.append(activation(hidden[-1]))
        return self._affine(inputs[-1], -1), hidden, inputs

    def linearize(self, x, step=None):
        """The network's first-order expansion in its parameters around the present ones.

        Parameters
        ----------
        x : as in `forward`
        step : Step, optional
            Of which these parameters are the middle. Activations with a kink then enter with their mean slope along
            the step (see `learnability.kinks`); the others' slope in the middle is already second order.

        Returns
        -------
        Linearization
        """
        activation = activation_named(self.architecture.activation)
        values, hidden, inputs = self.evaluate(x)
        gains = [self._gain(layer) for layer in range(len(self.weights))]
        grams = kernels = None
        if step is not None and activation.kink is not None:
            grams = [_gram(a, a, gain) for a, gain in zip(inputs, gains, strict=True)]
            kernels = _preactivation_kernels(grams, self.architecture.layers, step.slopes)
            cotangent = _stacked(step.cotangent)
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
                pull = _summed(back * cotangent, self.outputs)
                slope = mean_slope(
                    activation.kink, step.start[layer], hidden[layer], step.slopes[layer], pull, kernels[layer]
                )
            slopes.insert(0, slope)
            signals.insert(0, back.mul_(slope if self.outputs == 1 else slope.repeat(1, self.outputs, 1)))
        return Linearization(values, inputs, signals, slopes, gains, grams)


@dataclass
class Step:
    """A straight step of the parameters, -J^T c.

    start : per hidden layer, pre-activations at its start (networks, points, width)
    slopes : per hidden layer, the slopes in J, of the same shape
    cotangent : c, (networks, points, outputs)
    """

    start: list
    slopes: list
    cotangent: torch.Tensor


def _stacked(values):
    """(networks, points, outputs) with the outputs stacked along the points: (networks, outputs * points, 1)."""
    return values.mT.reshape(len(values), -1, 1)


def _summed(stacked, outputs):
    """(networks, outputs * points, width) summed over the outputs: (networks, points, width)."""
    return stacked if outputs == 1 else stacked.view(len(stacked), outputs, -1, stacked.shape[-1]).sum(1)


def _gram(a, a2, gain):
    """gain^2 a.a' + bias_std^2, (networks, points, points')."""
    return torch.bmm(a, a2.mT).mul_(gain[0] ** 2).add_(gain[1] ** 2)


def _preactivation_kernels(grams, layers, slopes):
    """Tangent kernels of the hidden layers' pre-activations, per layer (networks, points, points).

    Their diagonal follows the mean-field recursion t_l = g_l + weight_std_l^2 mean(slope_l-1^2) t_l-1; off the
    diagonal they are taken to be as correlated as the layer's inputs.
    """
    kernels, variance = [], None
    for layer, gram in enumerate(grams[:-1]):
        own = gram.diagonal(dim1=1, dim2=2)
        if layer == 0:
            variance = own
        else:
            variance = own + layers[layer][0] ** 2 * slopes[layer - 1].square().mean(2) * variance
        scale = variance.sqrt() / own.clamp_min(torch.finfo(own.dtype).tiny).sqrt()  # 0 * finite where all is dead
        kernels.append(gram * scale[:, :, None] * scale[:, None, :])
    return kernels


@dataclass
class Linearization:
    """f and its Jacobian J at given points, kept in factors; J holds mean slopes if it was made for a `Step`.

    values : (networks, points, outputs)
    inputs : per layer, (networks, points, fan_in)
    signals : per layer, (networks, outputs * points, fan_out)
    slopes : per hidden layer, the slopes in the signals, (networks, points, width)
    gains : per layer, (weight_std / sqrt(fan_in), bias_std)
    grams : per layer, products of the inputs (networks, points, points), where they have been formed
    """

    values: torch.Tensor
    inputs: list
    signals: list
    slopes: list
    gains: list
    grams: list | None = None

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
        outputs, stacked = cotangent.shape[2], _stacked(cotangent)
        weights, biases = [], []
        layers = zip(self.inputs, self.signals, self.gains, ensemble.weights, ensemble.biases, strict=True)
        for number, (a, s, (gain, bias_std), w, b) in enumerate(layers):
            summed = _summed(s * stacked, outputs)
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
        here, other = other is None, other or self
        outputs = self.values.shape[2]
        total = None
        for layer, gain in enumerate(self.gains):
            known = here and self.grams is not None
            gram = self.grams[layer] if known else _gram(self.inputs[layer], other.inputs[layer], gain)
            term = torch.bmm(self.signals[layer], other.signals[layer].mT)
            term.mul_(gram if outputs == 1 else gram.repeat(1, outputs, outputs))
            total = term if total is None else total.add_(term)
        return total

    def select(self, index):
        """The expansions of the networks listed in `index`."""
        inputs, signals, slopes = ([t[index] for t in tensors] for tensors in (self.inputs, self.signals, self.slopes))
        return Linearization(self.values[index], inputs, signals, slopes, self.gains)

    def copy_from(self, other, index):
        """Overwrite the expansions of the networks listed in `index` by those of `other`, made at the same points."""
        mine, theirs = (
            [e.values, *e.inputs[1:], *e.signals[:-1], *e.slopes] for e in (self, other)
        )  # the first inputs and the last signals do not depend on the parameters
        for ours, others in zip(mine, theirs, strict=True):
            ours[index] = others
        self.grams = None


def tangent_kernel(ensemble, x, x2=None):
    """Empirical NTK of every network, (networks, outputs * points, outputs * points2); x as in `Ensemble.forward`."""
    here = ensemble.linearize(x)
    return here.tangent_kernel(None if x2 is None else ensemble.linearize(x2))


def as_tensor(x, dtype, device):
    """A numpy array or tensor as a tensor of the ensemble's dtype on its device."""
    return torch.as_tensor(x if torch.is_tensor(x) else np.array(x)).to(dtype=dtype, device=device)
