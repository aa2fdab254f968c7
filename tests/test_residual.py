"""Residual networks: their kernel by hand, finite networks by automatic differentiation, and the two at large width."""

import numpy as np
import pytest
import torch

import learnability as lb
from learnability.ensembles.networks import Ensemble, tangent_kernel
from learnability.kernels import architecture_from

X = np.random.default_rng(0).standard_normal((6, 3))


def by_hand(x, depth, weight, bias):
    """The recursion with the arc-cosine kernels of ReLU (Cho & Saul 2009), point by point in NumPy."""
    covariance = weight**2 * x @ x.T / x.shape[1] + bias**2
    tangent = covariance.copy()
    for layer in range(depth):
        last = layer == depth - 1
        scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
        angle = np.arccos(np.clip(covariance / scale, -1, 1))
        k = scale * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)
        kdot = (np.pi - angle) / (2 * np.pi)
        w, b = (1.0, 0.0) if last else (weight, bias)
        branch = w**2 * k + b**2
        covariance = branch + (0 if last else covariance)
        tangent = branch + w**2 * kdot * tangent + (0 if last else tangent)
    return tangent, covariance


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_kernels_are_those_of_the_recursion(depth):
    network = lb.Residual(depth, "relu", 0.9, 0.3)
    for kind, expected in zip(("ntk", "nngp"), by_hand(X, depth, 0.9, 0.3), strict=True):
        kernel = network.kernel(X, kind=kind)
        assert np.allclose(kernel, expected, rtol=1e-7)  # arccos near coincident points
        assert np.allclose(network.kernel(X[:2], X, kind), kernel[:2], rtol=1e-12)
        assert np.linalg.eigvalsh(kernel).min() > 0


def test_one_hidden_layer_has_no_shortcut_and_more_have():
    for depth in (0, 1):
        assert np.array_equal(lb.Residual(depth, "erf").kernel(X), lb.FullyConnected(depth, "erf").kernel(X))
    assert not np.allclose(lb.Residual(2, "erf").kernel(X), lb.FullyConnected(2, "erf").kernel(X), rtol=0.1)
    assert lb.Residual(2).identity != lb.FullyConnected(2).identity
    assert architecture_from({"kind": "residual", "depth": 3, "activation": "tanh"}) == lb.Residual(3, "tanh")


@pytest.mark.parametrize(("activation", "outputs"), [("tanh", 1), ("relu", 2), ("identity", 1)])
def test_linearization_is_automatic_differentiation(activation, outputs):
    network = lb.Residual(4, activation, 0.8, 0.2)
    ensemble = Ensemble.initial(network, 3, 7, [1, 2], outputs, torch.float64)
    x = torch.from_numpy(X)
    parameters = [p.clone().requires_grad_() for p in ensemble.parameters()]
    values = Ensemble(network, parameters[:5], parameters[5:]).forward(x)
    rows = [
        torch.cat([g.reshape(2, -1) for g in torch.autograd.grad(values[:, i, o].sum(), parameters, retain_graph=True, materialize_grads=True)], 1)
        for o in range(outputs)
        for i in range(len(x))
    ]  # fmt: skip
    jacobian = torch.stack(rows, 1)
    expansion = ensemble.linearize(x)
    assert torch.allclose(expansion.values, values.detach(), atol=1e-12)
    assert torch.allclose(expansion.tangent_kernel(), jacobian @ jacobian.mT, rtol=1e-10)
    if outputs > 1:
        cotangent = torch.ones(2, len(x), outputs, dtype=torch.float64)
        product = (expansion.tangent_kernel() @ cotangent.mT.reshape(2, -1, 1)).view(2, outputs, -1).mT
        assert torch.allclose(expansion.tangent_product(cotangent), product, rtol=1e-10)


def test_a_forward_pass_adds_what_came_before():
    network = lb.Residual(3, "tanh", 0.7, 0.4)
    ensemble = Ensemble.initial(network, 3, 5, [0], dtype=torch.float64)
    w, b = ([p[0].numpy() for p in parameters] for parameters in (ensemble.weights, ensemble.biases))
    z = 0.7 / np.sqrt(3) * X @ w[0] + 0.4 * b[0]
    for layer in (1, 2):
        z = z + 0.7 / np.sqrt(5) * np.tanh(z) @ w[layer] + 0.4 * b[layer]
    expected = np.tanh(z) @ w[3] / np.sqrt(5)
    assert np.allclose(ensemble.forward(torch.from_numpy(X))[0].numpy(), expected, rtol=1e-12)


def test_wide_networks_have_this_tangent_kernel():
    for activation in ("relu", "erf"):
        network = lb.Residual(3, activation, 1.0, 0.3)
        ensemble = Ensemble.initial(network, 3, 512, range(40), dtype=torch.float64)
        kernels = tangent_kernel(ensemble, torch.from_numpy(X)).numpy()
        error = kernels.std(0) / np.sqrt(len(kernels))
        assert np.abs((kernels.mean(0) - network.kernel(X)) / error).max() < 5


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_flow_is_the_limit_of_gradient_descent(cube, activation):
    x, index = cube.sample(16, 1)
    y, network = cube.parity(2)(x, index), lb.Residual(3, activation, 1.0, 0.1)
    flow = lb.train(network, 64, x, y, cube.points, range(3))
    descent = lb.train(
        network, 64, x, y, cube.points, range(3), method="gradient_descent", step_fraction=0.1, max_steps=30_000
    )
    assert flow.converged.all() and descent.converged.all()
    wide = lb.kernel_regression(network, x, y, cube.points)
    difference = np.sqrt(((flow.predictions - descent.predictions) ** 2).mean())
    assert difference < 0.1 * np.sqrt(((descent.predictions - wide) ** 2).mean())
