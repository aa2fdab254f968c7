"""Memory that the training of one network takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

TOGETHER_BYTES = 1 << 19  # of a module's signals: on a CPU, more of them are faster one network after the other
COPIES = 7  # of the parameters of a module: weights before and now, gradients, Adam's means, and what a step makes
SIGNALS = 3  # of what passes through a module: forward, backward, and what a layer makes
DECOMPOSED = 1e6  # the largest outputs^3 train_size^2: an eigenproblem of outputs * train_size rows against products
KRYLOV_VECTORS = 200  # at once, of twice the largest dimension seen and their copies


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


def is_decomposed(train_size: int, outputs: int) -> bool:
    """Whether gradient flow decomposes the tangent kernel, of outputs * train_size rows, or only multiplies by it.

    With ten outputs (width 500, four layers) products cost less from n = 32 on, with two from some hundreds.

    Examples
    --------
    >>> is_decomposed(1000, outputs=1), is_decomposed(128, outputs=2), is_decomposed(128, outputs=10)
    (True, True, False)
    """
    return outputs == 1 or outputs**3 * train_size**2 <= DECOMPOSED


def network_bytes(layer_sizes: Sequence[int], train_size: int, test_points: int, itemsize: int = 4) -> int:
    """Bytes that training takes for each network.

    Parameters
    ----------
    layer_sizes : of the input, the hidden layers, all of one width, and the outputs
    train_size, test_points : samples to train on, points on which the network is evaluated
    itemsize : bytes of a number of the network

    Weights and activations are held several times by a step; where the tangent kernel is decomposed, its signals for every
    output and its eigenproblem in float64, else the vectors of Krylov spaces.
    """
    depth, width, outputs = len(layer_sizes) - 2, layer_sizes[-2], layer_sizes[-1]
    weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(layer_sizes))
    decomposed, rows = is_decomposed(train_size, outputs), train_size * outputs
    signals = outputs if decomposed else 1
    activations = train_size * width * (depth * (8 + 2 * signals) + 14 + signals) + test_points * width * 2
    products = 2 * depth * train_size**2
    spectral = 6 * 8 * rows**2 if decomposed else KRYLOV_VECTORS * 8 * rows
    return ((4 if decomposed else 6) * weights + activations + products) * itemsize + spectral
