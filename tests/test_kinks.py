from dataclasses import replace

import numpy as np
import pytest
import torch

import learnability as lb
from learnability.ensembles.kinks import mean_slope
from learnability.ensembles.linearization import gram, preactivation_kernels
from learnability.ensembles.networks import Ensemble


def slopes(start, end, assumed, pull, kernel, kink=(0.0, 1.0)):
    """`mean_slope` of one network, one unit and several points; `end` is where the assumed slopes lead."""
    start, end, assumed, pull = (
        torch.tensor(a, dtype=torch.float64)[None, :, None] for a in (start, end, assumed, pull)
    )
    kernel = torch.tensor(kernel, dtype=torch.float64)[None]
    return mean_slope(kink, start, (start + end) / 2, assumed, pull, kernel)[0, :, 0].numpy()


@pytest.mark.parametrize("kink", [(0.0, 1.0), (0.01, 1.0), (-1.0, 1.0)])
def test_a_step_that_nothing_pulls_has_the_slope_of_its_secant(kink):
    rng = np.random.default_rng(0)
    start, end = rng.standard_normal((2, 40))
    found = slopes(start, end, np.full(40, kink[1]), np.zeros(40), np.eye(40), kink)

    def phi(z):
        return np.where(z > 0, kink[1], kink[0]) * z

    assert np.abs(found - (phi(end) - phi(start)) / (end - start)).max() < 1e-12


def test_units_that_are_pushed_back_from_both_sides_stay_on_their_kink():
    """z1 = z1(0) - K diag(pull) slope vanishes for slopes between the one-sided ones; repeated steps find them."""
    rng = np.random.default_rng(1)
    factor = rng.standard_normal((5, 8)) / np.sqrt(8)
    kernel, pull, exact = factor @ factor.T, rng.uniform(0.5, 2.0, 5), rng.uniform(0.2, 0.8, 5)
    drift = kernel @ (pull * exact)
    found = np.ones(5)
    for _ in range(200):
        end = drift - kernel @ (pull * found)
        found = slopes(np.zeros(5), end, found, pull, kernel)
    assert np.abs(found - exact).max() < 1e-6


@pytest.mark.parametrize("kink", [(0.0, 1.0), (0.01, 1.0), (-1.0, 1.0)])
def test_a_lone_unit_arrives_rests_or_crosses_as_its_equation_of_motion_says(kink):
    """z' = v - kappa slope(z), followed in 20,000 small steps; kappa < 0 pushes the unit away from its kink."""
    rng = np.random.default_rng(2)
    start, velocity, kappa = rng.standard_normal((3, 400)) * np.array([[1.0], [2.0], [4.0]])
    z, mean, steps = start.copy(), np.zeros(400), 20_000
    for _ in range(steps):
        slope = np.where(z > 0, kink[1], kink[0])
        mean += slope / steps
        z += (velocity - kappa * slope) / steps
    side = np.where(start > 0, kink[1], kink[0])
    found = np.array(
        [
            slopes([z0], [z0 + v - k * s], [s], [k], [[1.0]], kink)[0]
            for z0, v, k, s in zip(start, velocity, kappa, side, strict=True)
        ]
    )
    assert np.abs(found - mean).max() < 1e-3
    resting = (found > kink[0]) & (found < kink[1]) & (np.abs(z) < 1e-3)
    assert resting.sum() > 20
    assert np.abs((start + velocity - kappa * found)[resting]).max() < 1e-12


def test_dead_layers_leave_finite_kernels():
    grams = [30 * torch.eye(2)[None], torch.zeros(1, 2, 2), torch.ones(1, 2, 2)]
    slopes = [torch.full((1, 2, 5), 0.5)] * 2
    kernels = preactivation_kernels(grams, lb.FullyConnected(2, "relu", 1.4), slopes)
    assert all(torch.isfinite(kernel).all() for kernel in kernels)


def test_networks_slide_along_their_kinks(cube):
    """Shallow ReLU networks meet hundreds of kinks; gradient descent crosses each a thousand times."""
    x, index = cube.sample(32, 0)
    y = cube.parity(3)(x, index)
    architecture = lb.FullyConnected(1, "relu", 1.4, 0.1)
    flow = lb.train(architecture, 100, x, y, cube.points, range(3), tolerance=0.002)
    descent = lb.train(
        architecture, 100, x, y, cube.points, range(3), method="gradient_descent", step_fraction=0.1, max_steps=100_000
    )
    wide = lb.kernel_regression(architecture, x, y, cube.points)
    assert flow.converged.all() and descent.converged.all()
    assert flow.steps.max() < 25 and descent.steps.min() > 1000
    difference, distance = (np.sqrt(((descent.predictions - f) ** 2).mean()) for f in (flow.predictions, wide))
    assert difference < 0.1 * distance


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_kernel_tells_how_a_slope_moves_its_own_unit(activation, layer):
    """Raising the slope of one unit at one point by d moves its pre-activation after a step by -K pull d."""
    architecture = lb.FullyConnected(3, activation, 1.2, 0.3)
    ensemble = Ensemble.initial(architecture, 8, 1000, [0], dtype=torch.float64)
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((1, 1, 8)))
    expansion, cotangent = ensemble.linearize(x), torch.full((1, 1, 1), 0.05, dtype=torch.float64)
    (kernel,) = preactivation_kernels(
        [gram(a, a, gain) for a, gain in zip(expansion.inputs, expansion.gains, strict=True)],
        architecture,
        expansion.slopes,
    )[layer : layer + 1]
    unit, shift = int(expansion.signals[layer].abs().argmax()), 1e-3
    pull = expansion.signals[layer][0, 0, unit] / expansion.slopes[layer][0, 0, unit] * 0.05

    def end(change):
        signals = [s.clone() for s in expansion.signals]
        signals[layer][0, 0, unit] += change * pull / 0.05
        for lower in range(layer, 0, -1):
            gain = expansion.gains[lower][0]
            signals[lower - 1] = (signals[lower] @ ensemble.weights[lower].mT) * gain * expansion.slopes[lower - 1]
        moved = replace(expansion, signals=signals).descend(ensemble, cotangent)
        return moved.evaluate(x).hidden[layer][0, 0, unit]

    ratio = (end(shift) - end(0.0)) / (-kernel[0, 0, 0] * pull * shift)
    assert abs(float(ratio) - 1) < 0.1


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_several_outputs_pull_together(cube, activation):
    x, index = cube.sample(24, 2)
    y = np.column_stack([cube.parity(degree)(x, index) for degree in (1, 2, 3)])
    architecture = lb.FullyConnected(2, activation, 1.4, 0.1)
    flow = lb.train(architecture, 64, x, y, cube.points, range(3))
    descent = lb.train(
        architecture, 64, x, y, cube.points, range(3), method="gradient_descent", step_fraction=0.1, max_steps=100_000
    )
    assert flow.steps.max() < 18
    wide = lb.kernel_regression(architecture, x, y, cube.points)
    assert flow.converged.all() and descent.converged.all()
    difference, distance = (np.sqrt(((descent.predictions - f) ** 2).mean()) for f in (flow.predictions, wide))
    assert difference < 0.1 * distance
