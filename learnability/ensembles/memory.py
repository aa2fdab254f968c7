"""Memory that the training of one network takes."""

from collections.abc import Sequence
from itertools import pairwise

DECOMPOSED = 200  # rows of a tangent kernel of several outputs, up to which forming and decomposing it costs less


def is_decomposed(train_size: int, outputs: int) -> bool:
    """Whether gradient flow decomposes the tangent kernel, of outputs * train_size rows.

    Examples
    --------
    >>> is_decomposed(1000, outputs=1), is_decomposed(1000, outputs=2)
    (True, False)
    """
    return outputs == 1 or train_size * outputs <= DECOMPOSED


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
