import numpy as np
import pytest
import torch

import learnability as lb
from learnability.kernels.differentiable import kernel

POINTS = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 3)))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "erf", "gelu", "sigmoid"])
@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_values_are_those_of_the_kernel(activation, kind):
    for depth in (0, 1, 3):
        expected = lb.FullyConnected(depth, activation, 1.3, 0.2).kernel(POINTS, kind=kind)
        assert torch.allclose(kernel(POINTS, depth, activation, 1.3, 0.2, kind=kind), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("activation", ["relu", "abs", "tanh", "erf"])
def test_gradients_are_those_of_differences(activation):
    """With respect to weight_std and bias_std, coincident points included."""

    def summed(weight_std, bias_std):
        return kernel(POINTS, 2, activation, weight_std, bias_std).sin().sum()

    given = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (1.3, 0.4)]
    summed(*given).backward()
    for number, parameter in enumerate(given):
        shifted = [[g.item() + sign * 1e-6 * (i == number) for i, g in enumerate(given)] for sign in (1, -1)]
        difference = (summed(*shifted[0]) - summed(*shifted[1])) / 2e-6
        assert float(parameter.grad) == pytest.approx(float(difference), rel=1e-5)
