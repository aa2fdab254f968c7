from unittest.mock import patch

import h5py
import numpy as np
import pytest
import torch
from scipy.optimize import brentq

import learnability as lb
from learnability.ensembles.memory import is_decomposed
from learnability.ensembles.networks import Ensemble, tangent_kernel
from learnability.ensembles.training.fit import block_size, fit
from learnability.ensembles.training.frozen_kernel import FrozenKernel
from learnability.ensembles.training.gradient_descent import stable_rate
from learnability.ensembles.training.gradient_flow import gradient_flow

METHODS = ["gradient_flow", "gradient_descent"]


@pytest.fixture(scope="module")
def problem(cube):
    x, index = cube.sample(16, 0)
    return x, cube.parity(2)(x, index), cube.points


def test_infinitely_wide_gradient_flow_agrees_with_neural_tangents(data):
    """The frozen kernel's time scale, exp(-Theta t / n), on the kernel of the infinite network."""
    with h5py.File(data / "networks.h5") as file:
        sets, group = file["data/hypercube8_k1"], file["krr/hypercube8_k1/relu_d1"]
        x, y, x_test = (sets[name][:] for name in ("train_X", "train_y", "test_X"))
        architecture = lb.FullyConnected(1, "relu", group.attrs["W_std"], group.attrs["b_std"])
        residual = -torch.from_numpy(y)[None]
        flow = FrozenKernel(torch.from_numpy(architecture.kernel(x))[None], len(x)).flow(residual)
        for name in ("t1", "t10", "t100"):
            time = torch.tensor([float(group[f"flow/{name}"].attrs["t"])], dtype=torch.float64)
            on_train = flow.decayed(time)[0].numpy() + y
            assert np.abs(on_train - group[f"flow/{name}/train_y_hat"][:]).max() < 1e-9
            cotangent = flow.displacement(time)[0].numpy()
            on_test = -architecture.kernel(x_test, x) @ cotangent
            assert np.abs(on_test - group[f"flow/{name}/test_y_hat"][:]).max() < 1e-9


def test_a_linear_model_flows_in_closed_form():
    """Depth 0 is linear in its parameters: theta(t) = theta_0 - X^T phi(t) r, for any steps."""
    rng = np.random.default_rng(0)
    x, y, x_test = rng.standard_normal((6, 9)), rng.standard_normal(6), rng.standard_normal((4, 9))
    times = [0.3, 2.0, 40.0]
    result = lb.train(
        lb.FullyConnected(0), 1, x, y, x_test, [0, 1], target_mse=1e-300, max_steps=60, times=times, dtype="float64"
    )
    kernel, cross = x @ x.T / 9, x_test @ x.T / 9
    values, vectors = np.linalg.eigh(kernel)
    for time, found in zip(times, result.snapshots, strict=True):
        phi = vectors @ np.diag((1 - np.exp(-values * time / 6)) / values) @ vectors.T
        assert np.abs(found - cross @ phi @ y).max() < 1e-12


def test_the_integrator_is_second_order(cube):
    """On a smooth network, with fixed steps, halving the step divides the error by four."""
    x, index = cube.sample(8, 0)
    y = cube.parity(2)(x, index)
    architecture = lb.FullyConnected(2, "tanh", 1.5, 0.1)
    horizon = 3.0

    def learned(steps):
        ensemble = Ensemble.initial(architecture, 8, 12, [0, 1], dtype=torch.float64)
        inputs, labels = torch.from_numpy(x).expand(2, -1, -1), torch.from_numpy(y)[None, :, None].expand(2, -1, -1)
        times = [horizon * (k + 1) / steps for k in range(steps)]
        history = gradient_flow(
            ensemble, inputs, labels, torch.from_numpy(cube.points), 1e-300, steps, times, tolerance=1e9
        )
        return history.snapshots[-1]

    # the requested times cut the steps, but the first one is shorter still; it is the same in every run
    errors = [float((learned(n) - learned(640)).abs().max()) for n in (40, 80, 160)]
    assert 3.0 < errors[0] / errors[1] < 5.5 and 3.0 < errors[1] / errors[2] < 5.5


@pytest.mark.parametrize("activation", ["relu", "abs", "tanh"])
@pytest.mark.parametrize("depth", [1, 3])
def test_flow_is_the_limit_of_gradient_descent(cube, depth, activation):
    x, index = cube.sample(16, 1)
    y = cube.parity(2)(x, index)
    architecture = lb.FullyConnected(depth, activation, 1.4, 0.1)
    seeds = range(3)
    flow = lb.train(architecture, 64, x, y, cube.points, seeds)
    descent = lb.train(architecture, 64, x, y, cube.points, seeds, method="gradient_descent", step_fraction=0.1)
    assert flow.converged.all() and descent.converged.all()
    wide = lb.kernel_regression(architecture, x, y, cube.points)
    difference = np.sqrt(((flow.predictions - descent.predictions) ** 2).mean())
    assert difference < 0.1 * np.sqrt(((descent.predictions - wide) ** 2).mean())


@pytest.mark.parametrize("method", METHODS)
class TestEveryMethod:
    def test_batched_equals_one_by_one(self, problem, relu4, method):
        x, y, x_test = problem
        together = lb.train(relu4, 24, x, y, x_test, range(4), method=method, dtype="float64")
        blocks = lb.train(relu4, 24, x, y, x_test, range(4), method=method, dtype="float64", memory=1)
        for seed in range(4):
            single = lb.train(relu4, 24, x, y, x_test, [seed], method=method, dtype="float64")
            assert np.abs(single.predictions[0] - together.predictions[seed]).max() < 1e-9
            assert np.abs(blocks.predictions[seed] - together.predictions[seed]).max() < 1e-9
            assert single.steps[0] == together.steps[seed] == blocks.steps[seed]

    def test_the_number_of_threads_does_not_matter(self, problem, relu4, method):
        x, y, x_test = problem
        before = torch.get_num_threads()
        results = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(lb.train(relu4, 24, x, y, x_test, range(3), method=method, dtype="float64").predictions)
        torch.set_num_threads(before)
        assert np.abs(results[0] - results[1]).max() < 1e-9

    def test_several_outputs(self, cube, method):
        x, index = cube.sample(12, 2)
        y = np.column_stack([cube.parity(1)(x, index), cube.parity(2)(x, index)])
        architecture = lb.FullyConnected(2, "erf", 1.4, 0.1)
        result = lb.train(architecture, 32, x, y, cube.points, [0, 1], method=method)
        assert result.predictions.shape == (2, 256, 2) and result.converged.all()
        assert np.abs(result.train_predictions - y).max() < 0.03

    def test_train_error_and_convergence_are_told(self, problem, relu4, method):
        x, y, x_test = problem
        result = lb.train(relu4, 24, x, y, x_test, range(3), method=method)
        assert result.converged.all() and (result.train_mse < 1e-5).all()
        stopped = lb.train(relu4, 24, x, y, x_test, range(3), method=method, max_steps=2)
        assert not stopped.converged.any() and (stopped.steps == 2).all() and (stopped.train_mse > 1e-5).all()

    def test_snapshots_lie_on_the_trajectory(self, problem, relu4, method):
        """A snapshot is the function of a run that was stopped at that time, nothing at the start, all at the end."""
        x, y, x_test = problem
        stopped = lb.train(relu4, 64, x, y, x_test, [0], method=method, max_steps=8, dtype="float64")
        times = [0.0, float(stopped.time[0]), 1e9]
        result = lb.train(relu4, 64, x, y, x_test, [0], method=method, times=times, target_mse=1e-3, dtype="float64")
        start, halfway, end = result.snapshots
        assert np.abs(start).max() < 1e-12 and np.array_equal(end, result.predictions)
        assert np.abs(halfway - stopped.predictions).max() < 1e-9
        assert min(np.abs(halfway).max(), np.abs(end - halfway).max()) > 0.15

    def test_progress_is_reported(self, problem, relu4, method):
        x, y, x_test = problem
        calls = []
        lb.train(relu4, 32, x, y, x_test, range(3), method=method, report=lambda *c: calls.append(c), memory=1)
        assert calls[-1] == (3, 0) and [c[0] for c in calls] == sorted(c[0] for c in calls)


def test_gradient_descent_records_its_step(problem, relu4):
    x, y, x_test = problem
    result = lb.train(relu4, 24, x, y, x_test, [0, 1], method="gradient_descent", step_fraction=0.25)
    ensemble = Ensemble.initial(relu4, 8, 24, [0, 1])
    largest = torch.linalg.eigvalsh(tangent_kernel(ensemble, torch.from_numpy(x).float()).double())[:, -1]
    assert np.allclose(result.learning_rate, 0.25 * 16 / largest, rtol=1e-5)
    assert np.allclose(stable_rate(ensemble, torch.from_numpy(x).float()), 16 / largest)


@pytest.mark.parametrize("outputs", [2, 10])
def test_the_rate_of_many_outputs_needs_no_matrix(cube, relu4, outputs):
    """Half of the stability limit is at stake: the largest eigenvalue to a thousandth is enough, and 24 products give it."""
    n = 64 if outputs == 10 else 360  # kernels that are not decomposed
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((n, 8))).float()
    ensemble = Ensemble.initial(relu4, 8, 24, [0, 1], outputs)
    largest = torch.linalg.eigvalsh(tangent_kernel(ensemble, x).double())[:, -1]
    assert not is_decomposed(n, outputs)
    with patch("torch.linalg.eigvalsh", side_effect=torch.linalg.eigvalsh) as decompositions:
        assert torch.allclose(stable_rate(ensemble, x), 2 * n / 2 * outputs / largest, rtol=1e-3)
    assert [call.args[0].shape[1:] for call in decompositions.call_args_list] == [(24, 24)]


def test_rounding_does_not_undo_convergence(cube):
    """Evaluated in another batch, a mean squared error is another number in the last digit."""
    x, index = cube.sample(24, 0)
    y, architecture = cube.parity(3)(x, index), lb.FullyConnected(1, "tanh", 1.5, 0.1)
    for first in range(0, 40, 4):
        problem = {"seeds": range(first, first + 4), "method": "gradient_descent", "step_fraction": 0.3}
        reached = lb.train(architecture, 20, x, y, cube.points, max_steps=60, **problem).train_mse.max()
        result = lb.train(architecture, 20, x, y, cube.points, target_mse=float(reached), **problem)
        assert result.converged.all() and result.steps.max() <= 61


def test_divergence_is_a_result_that_says_so(problem, relu4):
    x, y, x_test = problem
    result = lb.train(relu4, 24, x, y, x_test, [0, 1], method="gradient_descent", learning_rate=1e3, max_steps=200)
    assert not result.converged.any()


def test_networks_whose_kernel_overflows_are_rows_not_crashes(problem, relu4):
    x, y, x_test = problem
    result = lb.train(relu4, 8, x, 1e30 * y, x_test, [0, 1], max_steps=20)
    assert not result.converged.any() and result.predictions.shape == (2, 256)


def test_a_constant_zero_target_is_learned_at_once(relu4, cube):
    result = lb.train(relu4, 8, cube.points[:4], np.zeros(4), cube.points, [0])
    assert result.converged.all() and result.steps[0] == 0 and np.array_equal(result.predictions, np.zeros((1, 256)))


def test_memory_bounds_the_block(relu4):
    x, y, x_test = np.zeros((5, 16, 8)), np.zeros((5, 16, 1)), np.zeros((256, 8))
    small = block_size(relu4, 500, x, y, x_test, torch.float32, "cpu", memory=1 << 28)
    assert 1 < small < block_size(relu4, 500, x, y, x_test, torch.float32, "cpu", memory=1 << 30)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "gradient_flows"}, "did you mean 'gradient_flow'"),
        ({"dtype": "float16"}, "unknown dtype 'float16'"),
        ({"tolerence": 1}, "unknown option of gradient_flow 'tolerence'; did you mean 'tolerance'"),
    ],
)
def test_messages(problem, relu4, options, message):
    x, y, x_test = problem
    with pytest.raises(ValueError, match=message):
        lb.train(relu4, 8, x, y, x_test, [0], **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"times": [2.0, 1.0]}, "times must be finite, >= 0 and increasing"),
        ({"times": [1.0, 1.0]}, "times must be finite, >= 0 and increasing"),
        ({"device": "gpu"}, "device 'gpu' is unknown; use 'cpu' or 'cuda'"),
        ({"max_steps": 0}, "max_steps must be finite and > 0, got 0"),
        ({"tolerance": -1.0}, "tolerance must be finite and > 0"),
    ],
)
def test_bad_options(problem, relu4, options, message):
    x, y, x_test = problem
    with pytest.raises(ValueError, match=message):
        lb.train(relu4, 8, x, y, x_test, [0], **options)


def test_bad_shapes(problem, relu4):
    x, y, x_test = problem
    for arrays, message in (
        ((x[:0], y[:0], x_test), "at least one sample"),
        ((x, y[:3], x_test), "16 rows, y_train 3"),
        ((x, y, x_test[:, :3]), r"x_test must be a matrix \(points, 8\)"),
        ((x, np.zeros((16, 1, 1)), x_test), "y_train must be"),
    ):
        with pytest.raises(ValueError, match=message):
            lb.train(relu4, 8, *arrays, [0])


def test_both_methods_keep_the_same_time(cube):
    x, index = cube.sample(12, 2)
    y = np.column_stack([cube.parity(1)(x), cube.parity(2)(x)])
    architecture = lb.FullyConnected(2, "tanh", 1.5, 0.1)
    flow, descent = (
        lb.train(architecture, 64, x, y, cube.points, [0], method=m, times=[2.0], dtype="float64", **options)
        for m, options in (("gradient_flow", {}), ("gradient_descent", {"step_fraction": 0.02}))
    )
    assert np.abs(flow.snapshots - descent.snapshots).max() < 0.02
    assert flow.time[0] == pytest.approx(descent.time[0], rel=0.05)


def test_snapshots_of_networks_that_gave_up_are_missing(problem, relu4):
    x, y, x_test = problem
    for method in METHODS:
        result = lb.train(relu4, 16, x, y, x_test, [0], method=method, max_steps=2, times=[1e6])
        assert not result.converged[0] and np.isnan(result.snapshots).all()


def test_training_leaves_the_process_as_it_was(problem, relu4):
    x, y, x_test = problem
    lb.train(relu4, 8, x, y, x_test, [0], max_steps=2)
    assert np.float64(5e-324) * 1.0 > 0


def test_labels_must_be_finite(relu4):
    with pytest.raises(ValueError, match="y_train holds values that are not finite"):
        fit(relu4, 8, np.zeros((1, 2, 3)), np.full((1, 2, 1), np.nan), np.zeros((1, 3)), [0])


def test_seeds_come_last(relu4):
    """The order of arguments is that of `train`; the one of before says so."""
    x, y, x_test = np.zeros((2, 3, 4)), np.zeros((2, 3, 1)), np.zeros((5, 4))
    with pytest.raises(
        ValueError, match=r"got a list of 2 numbers; seeds come last: fit\(architecture, width, x_train,"
    ):
        fit(relu4, 8, [0, 1], x, y, x_test)
    with pytest.raises(
        ValueError, match=r"got a list of 2 numbers; seeds come last: train\(architecture, width, x_train,"
    ):
        lb.train(relu4, 8, range(2), x[0], y[0], x_test)


def test_the_frozen_flow_arrives_at_a_mean_squared_error_when_it_says():
    """Against SciPy's root finder, eigenvalues over six decades; one network would arrive later than allowed."""
    rng = np.random.default_rng(0)
    values, residual = 10 ** rng.uniform(-5, 1, (3, 20)), torch.from_numpy(rng.standard_normal((3, 20, 1)))
    flow = FrozenKernel(torch.diag_embed(torch.from_numpy(values)) * 20, 20).flow(residual)
    longest = torch.tensor([1e9, 1e9, 1.0], dtype=torch.float64)
    found = flow.time_to(1e-4, longest)
    for time, each, r in zip(found[:2], values, residual[..., 0].numpy(), strict=False):
        expected = brentq(lambda t, v=each, r=r: (r**2 * np.exp(-2 * v * t)).mean() - 1e-4, 0, 1e9, xtol=1e-9)
        np.testing.assert_allclose(time, expected, rtol=1e-9)
    assert found[2] == 1.0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu(problem, relu4):
    x, y, x_test = problem
    results = [lb.train(relu4, 64, x, y, x_test, range(4), device=device).predictions for device in ("cpu", "cuda")]
    assert np.abs(results[0] - results[1]).max() < 0.02


def test_seeds_are_whole_numbers(cube):
    x, index = cube.sample(4, 0)
    architecture, y = lb.FullyConnected(1, "relu"), cube.parity(1)(x, index)
    assert len(lb.train(architecture, 50, x, y, x, torch.arange(2)).steps) == 2
    with pytest.raises(ValueError, match="seed must be a whole number >= 0, got 1.5"):
        lb.train(architecture, 50, x, y, x, [0, 1.5])


def test_a_target_of_zero_is_refused(problem, relu4):
    x, y, x_test = problem
    with pytest.raises(ValueError, match="target_mse must be finite and > 0, got 0"):
        lb.train(relu4, 4, x, y, x_test, [0], target_mse=0)


def test_the_device_is_told(problem, relu4):
    x, y, x_test = problem
    assert lb.train(relu4, 4, x, y, x_test, [0], max_steps=1, device="cpu").device == "cpu"


def test_a_number_of_seeds_is_not_a_list_of_them(relu4):
    with pytest.raises(ValueError, match=r"got 3; write range\(3\) for that many, or \[3\]"):
        lb.train(relu4, 8, np.eye(2), np.ones(2), np.eye(2), seeds=3)
