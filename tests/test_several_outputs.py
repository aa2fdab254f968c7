"""Networks of several outputs, whose tangent kernels are multiplied by and never formed."""

import numpy as np
import pytest
import torch

import learnability as lb
from learnability.ensembles.training import frozen_kernel
from learnability.ensembles.training.frozen_kernel import FrozenKernel, KrylovSpace

NETWORKS, POINTS, OUTPUTS = 3, 12, 4


def krylov_flow(product, residual, *step_and_accuracy):
    return KrylovSpace.of(product, residual).flow(*step_and_accuracy)


@pytest.fixture
def by_products(monkeypatch):
    """Every kernel of several outputs is known by its products only, however small."""
    monkeypatch.setattr(frozen_kernel, "is_decomposed", lambda points, outputs: outputs == 1)


@pytest.fixture(scope="module")
def kernels():
    """Eigenvalues over six decades."""
    rng = np.random.default_rng(0)
    rows = POINTS * OUTPUTS
    bases = np.linalg.qr(rng.standard_normal((NETWORKS, rows, rows)))[0]
    return torch.from_numpy(bases * 10 ** rng.uniform(-5, 1, (NETWORKS, 1, rows)) @ bases.mT) * POINTS


@pytest.fixture(scope="module")
def residual():
    return torch.from_numpy(np.random.default_rng(1).standard_normal((NETWORKS, POINTS, OUTPUTS)))


def product_with(kernels):
    return lambda c: (kernels @ c.mT.reshape(len(c), -1, 1)).view(len(c), OUTPUTS, POINTS).mT


def rms(values):
    return values.square().mean((1, 2)).sqrt()


@pytest.mark.parametrize("length", [0.1, 3.0, 1000.0])
def test_a_krylov_space_follows_the_flow_as_closely_as_asked(kernels, residual, length):
    exact, step = FrozenKernel(kernels, POINTS).flow(residual), torch.full((NETWORKS,), length, dtype=torch.float64)
    errors, dims = [], []
    for accuracy in (1e-2, 1e-4, 1e-6):
        flow = krylov_flow(product_with(kernels), residual, step, torch.full_like(step, accuracy))
        linear = residual - product_with(kernels)(flow.displacement(step))
        assert (rms(linear - flow.decayed(step)) <= accuracy * (1 + 1e-6) + 1e-12).all()
        errors.append(float(rms(flow.decayed(step) - exact.decayed(step)).max()))
        dims.append(flow.values.shape[1])
        assert errors[-1] < 3 * accuracy
    assert dims[0] < dims[1] < dims[2] <= POINTS * OUTPUTS


def test_a_full_krylov_space_is_exact(kernels, residual):
    step = torch.tensor([0.1, 10.0, 1e4], dtype=torch.float64)
    flow = krylov_flow(product_with(kernels), residual, step, torch.zeros_like(step))
    exact = FrozenKernel(kernels, POINTS).flow(residual)
    torch.testing.assert_close(flow.displacement(step), exact.displacement(step), rtol=1e-6, atol=1e-7)
    arrival = exact.time_to(0.4, step)
    torch.testing.assert_close(flow.time_to(0.4, step), arrival, rtol=1e-6, atol=0)
    assert arrival[0] == step[0] and arrival[2] < step[2]


def test_a_network_does_not_depend_on_those_beside_it(kernels, residual):
    """The others go on when its own space is large enough."""
    step = torch.tensor([0.1, 10.0, 1e4], dtype=torch.float64)
    accuracy = torch.full_like(step, 1e-4)
    together = krylov_flow(product_with(kernels), residual, step, accuracy)
    for one in range(NETWORKS):
        mine = slice(one, one + 1)
        alone = krylov_flow(product_with(kernels[mine]), residual[mine], step[mine], accuracy[mine])
        difference = alone.displacement(step[mine]) - together.displacement(step)[mine]
        assert difference.abs().max() < 1e-9 * alone.displacement(step[mine]).abs().max()


def test_a_residual_in_few_modes_ends_the_space(residual):
    values = torch.arange(1.0, 4.0, dtype=torch.float64).repeat(POINTS * OUTPUTS // 3)
    kernels = torch.diag(values).expand(NETWORKS, -1, -1) * POINTS
    step = torch.ones(NETWORKS, dtype=torch.float64)
    flow = krylov_flow(product_with(kernels), residual, step, torch.zeros_like(step))
    assert flow.values.shape[1] == 3
    exact = torch.exp(-values) * residual.mT.reshape(NETWORKS, -1)
    assert torch.allclose(flow.decayed(step).mT.reshape(NETWORKS, -1), exact, atol=1e-12)


@pytest.mark.parametrize("nothing", [0.0, torch.nan])
def test_nothing_and_what_is_not_finite_do_no_harm(residual, nothing):
    step = torch.ones(NETWORKS, dtype=torch.float64)
    flow = krylov_flow(lambda c: c * nothing, residual, step, torch.zeros_like(step))
    assert torch.allclose(flow.decayed(step), residual)
    assert krylov_flow(lambda c: c, 0 * residual, step, torch.zeros_like(step)).decayed(step).abs().max() == 0


def test_a_linear_model_of_several_outputs_flows_in_closed_form(by_products):
    rng = np.random.default_rng(0)
    x, y, x_test = rng.standard_normal((6, 9)), rng.standard_normal((6, 3)), rng.standard_normal((4, 9))
    times, network = [0.3, 2.0, 40.0], lb.FullyConnected(0)
    result = lb.train(
        network, 1, x, y, x_test, [0, 1], target_mse=1e-20, max_steps=300, times=times, dtype="float64", tolerance=1e-9
    )
    kernel, cross = x @ x.T / 9, x_test @ x.T / 9
    values, vectors = np.linalg.eigh(kernel)
    for time, snapshot in zip(times, result.snapshots, strict=True):
        phi = vectors @ np.diag((1 - np.exp(-values * time / 6)) / values) @ vectors.T
        assert np.abs(snapshot - cross @ phi @ y).max() < 1e-8
    assert np.abs(result.predictions - cross @ np.linalg.solve(kernel, y)).max() < 1e-8


@pytest.mark.parametrize("network", [lb.FullyConnected(2, "relu", 1.4, 0.1), lb.Residual(2, "erf", 1.0, 0.1)])
def test_products_lead_where_decompositions_lead(cube, by_products, monkeypatch, network):
    """Learned functions differ by a hundredth of their distance from infinite width; both take as many steps."""
    x, index = cube.sample(32, 2)
    y = np.column_stack([cube.parity(degree)(x, index) for degree in (1, 2, 3)])
    multiplied = lb.train(network, 64, x, y, cube.points, range(3))
    monkeypatch.undo()
    decomposed = lb.train(network, 64, x, y, cube.points, range(3))
    wide = lb.kernel_regression(network, x, y, cube.points)
    difference, distance = (np.sqrt(((f - decomposed.predictions) ** 2).mean()) for f in (multiplied.predictions, wide))
    assert multiplied.converged.all() and difference < 0.02 * distance
    assert np.abs(multiplied.steps - decomposed.steps).max() <= 3
