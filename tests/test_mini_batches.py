"""SGD and Adam: PyTorch's optimizers on ensembles, against plain PyTorch, gradient descent and gradient flow."""

from dataclasses import fields
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import nn

import learnability as lb
from learnability.ensembles.networks import Ensemble
from learnability.ensembles.training.methods import METHODS
from learnability.ensembles.training.mini_batches import epochs, stable_rate
from learnability.studies.configuration import studies_from
from learnability.studies.cutting import seed_seconds, training_jobs
from learnability.studies.schema import load_schema
from learnability.studies.validation import checked

CONFIG = Path(__file__).parent.parent / "config"
SCHEMA = load_schema(CONFIG / "schema.yaml")
NET = lb.FullyConnected(2, "tanh", 1.5, 0.1)


@pytest.fixture(scope="module")
def problem(cube):
    x, index = cube.sample(20, 0)
    return x, cube.parity(2)(x, index), cube.points


class Plain(nn.Module):
    """One network as a user writes it, from an ensemble's initial weights."""

    def __init__(self, width, seed):
        super().__init__()
        ensemble = Ensemble.initial(NET, 8, width, [seed], dtype=torch.float64)
        self.weights = nn.ParameterList([w[0].clone() for w in ensemble.weights])
        self.biases = nn.ParameterList([b[0, 0].clone() for b in ensemble.biases])

    def forward(self, x):
        for w, b, (weight_std, bias_std) in zip(self.weights, self.biases, NET.layers, strict=True):
            z = x @ w * weight_std / len(w) ** 0.5 + bias_std * b
            x = torch.tanh(z)
        return z[:, 0]


@pytest.mark.parametrize(
    ("method", "options", "optimizer"),
    [
        ("adam", {"learning_rate": 0.01, "betas": (0.8, 0.99)}, lambda p: torch.optim.Adam(p, 0.01, (0.8, 0.99))),
        ("sgd", {"learning_rate": 0.1, "momentum": 0.7}, lambda p: torch.optim.SGD(p, 0.1, momentum=0.7)),
    ],
)
def test_an_ensemble_does_what_a_plain_loop_over_batches_does(problem, method, options, optimizer):
    x, y, x_test = problem
    settings = {"method": method, "batch_size": 8, "max_steps": 14, "dtype": "float64", **options}
    found = lb.train(NET, 16, x, y, x_test, [3, 5, 7], **settings)
    net, inputs, labels = Plain(16, 5), torch.from_numpy(x), torch.from_numpy(y)
    with torch.no_grad():
        origin, origin_test = net(inputs), net(torch.from_numpy(x_test))
    walk, steps = optimizer(net.parameters()), 0
    for order in islice(epochs(5, 20, 8), 5):
        for rows in np.array_split(order, 3)[: 14 - steps]:
            walk.zero_grad()
            (net(inputs[rows]) - origin[rows] - labels[rows]).square().mean().backward()
            walk.step()
            steps += 1
    assert found.steps.tolist() == [14, 14, 14] and not found.converged.any()
    expected = (net(torch.from_numpy(x_test)) - origin_test).detach().numpy()
    assert np.abs(expected).max() > 0.1 and np.abs(found.predictions[1] - expected).max() < 1e-12


def test_with_one_batch_sgd_is_gradient_descent(problem, relu4):
    x, y, x_test = problem
    for options in ({}, {"learning_rate": 0.05}):
        settings = {"dtype": "float64", "max_steps": 60, "times": [1.0, 3.0], **options}
        descent = lb.train(relu4, 24, x, y, x_test, [0, 1], method="gradient_descent", **settings)
        one = lb.train(relu4, 24, x, y, x_test, [0, 1], method="sgd", batch_size=20, **settings)
        assert np.abs(one.predictions - descent.predictions).max() < 1e-10
        assert np.abs(one.snapshots - descent.snapshots).max() < 1e-10
        assert np.allclose(one.learning_rate, descent.learning_rate) and np.allclose(one.time, descent.time)


@pytest.mark.parametrize(("batch_size", "momentum"), [(20, 0.0), (20, 0.5), (5, 0.0)])
def test_sgd_approaches_gradient_flow_in_proportion_to_its_step(problem, batch_size, momentum):
    """After whole epochs batches average out, momentum after 1/(1 - m) steps: the error is O(rate), four times less at a quarter."""
    x, y, x_test = problem
    settings = {"times": [2.0], "dtype": "float64", "target_mse": 1e-3}
    flow = lb.train(NET, 32, x, y, x_test, range(8), tolerance=1e-4, **settings).snapshots[0]
    errors = []
    for steps in (16, 64):
        options = {"learning_rate": (1 - momentum) / steps, "momentum": momentum, "batch_size": batch_size}
        longest = round(steps / (1 - momentum))
        found = lb.train(NET, 32, x, y, x_test, range(8), method="sgd", max_steps=longest, **settings, **options)
        errors.append(np.sqrt(((found.snapshots[0] - flow) ** 2).mean()))
    low, high = (3.5, 4.5) if batch_size == 20 else (2.5, 6)  # the order of the batches is random
    assert low < errors[0] / errors[1] < high and errors[1] < 0.02


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_stable_rate_bounds_the_mean_square_of_a_step(cube, outputs):
    """E[H_b^2] <= c H over all batches of a small training set, by counting them; at c' = c/2 it fails for some set."""
    from itertools import combinations

    n, b = 6, 2
    x = torch.from_numpy(cube.sample(n, 1)[0])
    ensemble = Ensemble.initial(NET, 8, 16, [0, 1], outputs, torch.float64)
    kernel, c = ensemble.linearize(x).tangent_kernel(), 1 / stable_rate(ensemble, x, b)
    for theta, bound in zip(kernel, c, strict=True):
        h, square = theta / (n * outputs), torch.zeros_like(theta)
        batches = list(combinations(range(n), b))
        values, vectors = torch.linalg.eigh(theta)
        root = vectors * values.clamp_min(0).sqrt()  # Theta = root root^T: in parameter space H_b is symmetric
        for rows in batches:
            chosen = [o * n + i for o in range(outputs) for i in rows]
            part = root[chosen].T @ root[chosen] / (b * outputs)
            square += part @ part / len(batches)
        symmetric = root.T @ root / (n * outputs)
        assert torch.linalg.eigvalsh(bound * symmetric - square).min() > -1e-10
        assert torch.linalg.eigvalsh(bound / 2 * symmetric - square).min() < 0 or outputs > 1
        assert torch.allclose(torch.linalg.eigvalsh(h), torch.linalg.eigvalsh(symmetric), atol=1e-12)


@pytest.mark.parametrize("method", ["sgd", "adam"])
class TestBothMethods:
    def test_a_network_has_the_same_batches_in_any_block(self, problem, method):
        x, y, x_test = problem
        options = {"method": method, "batch_size": 8, "dtype": "float64", "max_steps": 200, "target_mse": 0.02}
        options |= {"learning_rate": 0.03} if method == "adam" else {}
        together = lb.train(NET, 24, x, y, x_test, range(4), **options)
        blocks = lb.train(NET, 24, x, y, x_test, range(4), memory=1, **options)
        assert together.converged.any() and len(set(together.steps.tolist())) > 1  # some leave the others
        assert np.array_equal(together.steps, blocks.steps)
        assert np.abs(together.predictions - blocks.predictions).max() < 1e-9

    def test_both_converge_and_say_how(self, problem, relu4, method):
        x, y, x_test = problem
        result = lb.train(relu4, 48, x, y, x_test, range(3), method=method)
        assert result.converged.all() and (result.train_mse < 1e-5).all() and (result.learning_rate > 0).all()
        assert (result.steps % 1 == 0).all() and np.isfinite(result.time).all() == (method == "sgd")

    def test_several_outputs(self, cube, method):
        x, index = cube.sample(12, 2)
        y = np.column_stack([cube.parity(1)(x, index), cube.parity(2)(x, index)])
        result = lb.train(NET, 32, x, y, cube.points, [0, 1], method=method, batch_size=5, target_mse=1e-3)
        assert result.converged.all() and result.predictions.shape == (2, 256, 2)

    def test_divergence_is_a_result_that_says_so(self, problem, method):
        x, y, x_test = problem
        rate = {"sgd": 1e3, "adam": 1e20}[method]
        result = lb.train(NET, 16, x, y, x_test, [0, 1], method=method, learning_rate=rate, max_steps=100)
        assert not result.converged.any() and result.predictions.shape == (2, 256)

    def test_progress_is_reported(self, problem, method):
        x, y, x_test = problem
        calls = []
        lb.train(NET, 16, x, y, x_test, range(3), method=method, max_steps=5, report=lambda *c: calls.append(c))
        assert calls[-1] == (3, 3)


def test_orders_follow_from_what_they_are_for():
    first, again, other = (list(islice(epochs(*identity), 2)) for identity in ((1, 9, 4), (1, 9, 4), (2, 9, 4)))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1]) and sorted(first[1]) == [*range(9)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "sgd", "batch_size": 0}, "batch_size must be a whole number >= 1, got 0"),
        ({"method": "sgd", "momentum": 1.0}, "momentum must be >= 0 and < 1, got 1.0"),
        ({"method": "sgd", "betas": (0.9, 0.9)}, "unknown option of sgd 'betas'"),
        ({"method": "adam", "betas": (0.9,)}, "betas must be two numbers"),
        ({"method": "adam", "learning_rate": 0.0}, "learning_rate must be finite and > 0"),
        ({"method": "adam", "times": [1.0]}, "adam keeps no flow time"),
    ],
)
def test_bad_options(problem, options, message):
    x, y, x_test = problem
    with pytest.raises(ValueError, match=message):
        lb.train(NET, 4, x, y, x_test, [0], **options)


@pytest.mark.parametrize("method", ["sgd", "adam"])
def test_a_study_names_the_method(problem, method):
    """Its options reach the trainer, defaults and overrides alike, and a seed's estimated time decides how jobs are cut."""
    config = yaml.safe_load((CONFIG / "test.yaml").read_text())
    config["studies"]["curves"]["training"] = {"method": method, "batch_size": 7, "learning_rate": 0.02}
    config["studies"]["curves"]["network_seeds"], config["training"] = 10, {"max_steps": 3}
    study = studies_from(checked(config, SCHEMA))["curves"]
    options = study.training_options()
    assert options["batch_size"] == 7 and "tolerance" not in options and ("betas" in options) == (method == "adam")
    assert lb.train(NET, 4, *problem, [0], **options).learning_rate[0] == pytest.approx(0.02)
    assert seed_seconds(study, "relu1", 500, 64) > 3 * seed_seconds(study, "relu1", 500, 8) > 0
    assert training_jobs(study, "relu1", 16) == [(2, 8, 0, 9)] and len(training_jobs(study, "relu1", 3000)) == 30


def test_every_option_of_every_method_can_be_configured():
    known = SCHEMA["properties"]["training"]["properties"]
    assert {field.name for method in METHODS.values() for field in fields(method)} <= set(known)
    assert known["method"]["enum"] == [*METHODS] and known["betas"]["default"] == [0.9, 0.999]
    assert known["batch_size"]["default"] == 32 and "default" not in known["learning_rate"]
