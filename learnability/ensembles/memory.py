"""Memory that the training of one network takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

TOGETHER_BYTES = 1 << 19  # of a module's signals: on a CPU, more of them are faster one network after the other
COPIES = 7  # of the parameters of a module: weights before and now, gradients, Adam's means, and what a step makes
SIGNALS = 3  # of what passes through a module: forward, backward, and what a layer makes


@dataclass(frozen=True)
class ModuleSize:
    """What of a PyTorch module decides the memory and time of its training.

    Attributes
    ----------
    parameter_bytes : int, of the trainable ones
    signal_bytes : int, of what passes through for a point
    products : int, multiplications for a point
    """

    parameter_bytes: int
    signal_bytes: int
    products: int


def module_bytes(size: ModuleSize, train_size: int, test_points: int, outputs: int) -> int:
    """Bytes that the training of a module takes for each network."""
    signals = max(train_size * size.signal_bytes, min(TOGETHER_BYTES, test_points * size.signal_bytes))
    return COPIES * size.parameter_bytes + SIGNALS * signals + 2 * 8 * test_points * outputs


def network_bytes(layer_sizes: Sequence[int], train_size: int, test_points: int, itemsize: int = 4) -> int:
    """Bytes that training takes for each network.

    Parameters
    ----------
    layer_sizes : of the input, the hidden layers, all of one width, and the outputs
    train_size, test_points : samples to train on, points on which the network is evaluated
    itemsize : bytes of a number of the network

    Weights and activations are held several times by a step; the eigenproblem of the tangent kernel is in float64.
    """
    depth, width, outputs = len(layer_sizes) - 2, layer_sizes[-2], layer_sizes[-1]
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(layer_sizes))
    activations = train_size * width * (depth * (8 + 2 * outputs) + 14 + outputs) + test_points * width * 2
    products = 2 * depth * train_size**2
    return (4 * weights + activations + products) * itemsize + 6 * 8 * (train_size * outputs) ** 2
