"""The empirical tangent kernel of one network, before and after training, as a kernel like any other."""

import numpy as np
import pytest
import torch

import learnability as lb
from learnability.experiments.after_kernel import _judged, alignment

NET = lb.FullyConnected(2, "tanh", 1.5, 0.3)


@pytest.fixture(scope="module")
def problem(cube):
    x, index = cube.sample(16, 0)
    return x, cube.parity(2)(x, index), cube.points


@pytest.fixture(scope="module")
def trained(problem):
    return lb.train(NET, 12, *problem, seeds=[4, 9], keep_networks=True, memory=1)


def before(width, seed):
    return lb.TangentKernel(lb.Ensemble.initial(NET, 8, width, [seed]))


def test_networks_that_are_kept_are_those_that_learned(problem, trained, cube):
    """Handed out in the order of the seeds, whatever the blocks: their functions are the predictions."""
    start = lb.Ensemble.initial(NET, 8, 12, [4, 9])
    points = torch.from_numpy(cube.points).float()
    learned = (trained.networks.forward(points) - start.forward(points))[..., 0].numpy()
    assert np.abs(learned - trained.predictions).max() < 1e-5 and np.abs(learned).max() > 0.3
    assert lb.train(NET, 12, *problem, seeds=[4]).networks is None


def test_it_is_the_product_of_jacobians(trained, cube):
    """By automatic differentiation of the trained network, number 1 of two, parameter by parameter."""
    x, other = torch.from_numpy(cube.points[:7]), torch.from_numpy(cube.points[40:43])
    net = trained.networks
    parameters = [p[1].double().requires_grad_() for p in net.parameters()]

    def jacobian(points):
        signal, rows = points, []
        for w, b, (weight_std, bias_std) in zip(parameters[:3], parameters[3:], NET.layers, strict=True):
            z = signal @ w * weight_std / len(w) ** 0.5 + bias_std * b
            signal = torch.tanh(z)
        for value in z[:, 0]:
            gradients = torch.autograd.grad(value, parameters, retain_graph=True, materialize_grads=True)
            rows.append(torch.cat([g.ravel() for g in gradients]))
        return torch.stack(rows)

    kernel = lb.TangentKernel(net, 1)
    assert torch.allclose(kernel.kernel(x), jacobian(x) @ jacobian(x).T, rtol=1e-12)
    assert np.allclose(kernel.kernel(other.numpy(), x.numpy()), jacobian(other) @ jacobian(x).T, rtol=1e-12)


def test_points_in_blocks_are_the_same(trained, cube, monkeypatch):
    kernel = lb.TangentKernel(trained.networks)
    whole = kernel.kernel(cube.points)
    assert np.array_equal(whole, whole.T)
    monkeypatch.setattr("learnability.ensembles.tangent_kernel.BLOCK", 100)
    assert np.allclose(kernel.kernel(cube.points), whole, rtol=1e-12)


def test_at_initialisation_it_approaches_the_infinite_kernel_as_one_over_the_root_of_the_width(cube):
    x = cube.points[:12]
    deviations = [
        np.sqrt(np.mean([(before(width, seed).kernel(x) - NET.kernel(x)) ** 2 for seed in range(12)]))
        for width in (32, 512)
    ]
    assert 3 < deviations[0] / deviations[1] < 5.3  # 4 = sqrt(16)
    assert deviations[1] < 0.1 * NET.kernel(x)[0, 0]


def test_in_the_linear_regime_training_leaves_it(problem):
    """A small label moves the parameters in proportion, and the kernel by as much: ten times less, ten times less."""
    x, y, points = problem
    first, changes = before(64, 0).kernel(points), []
    for scale in (0.1, 0.01):
        result = lb.train(
            NET, 64, x, scale * y, points, [0], keep_networks=True, target_mse=1e-6 * scale**2, dtype="float64"
        )
        changes.append(np.linalg.norm(lb.TangentKernel(result.networks).kernel(points) - first) / np.linalg.norm(first))
    assert changes[0] < 0.1 and changes[0] / changes[1] == pytest.approx(10, rel=0.2)


def test_everything_that_takes_a_kernel_takes_it(trained, problem, cube):
    x, y, points = problem
    kernel, samples = lb.TangentKernel(trained.networks), lb.Samples(points)
    target = samples.target(cube.parity(2)(points))
    spectrum = samples.spectrum(kernel)
    p = lb.predict(spectrum, target, 32, population=256)
    q = lb.predict_samples(kernel.kernel(points), target.values, 32)
    assert float(p.learnability) == pytest.approx(float(q.learnability), abs=0.05)
    assert np.allclose(lb.kernel_regression(kernel, x, y, x), y)
    assert kernel.identity["parameters"] != lb.TangentKernel(trained.networks, 1).identity["parameters"]
    assert kernel.identity == lb.TangentKernel(trained.networks, 0).identity


@pytest.mark.parametrize("domain", [lb.Hypercube(8), lb.Circle(12), lb.Hypersphere(8)], ids=lambda domain: domain.kind)
def test_symmetric_domains_refuse_kernels_without_their_symmetry(domain):
    dim = domain.profile_points().shape[1]
    kernel = lb.TangentKernel(lb.Ensemble.initial(NET, dim, 64, [0]))
    with pytest.raises(ValueError, match=r"TangentKernel of a network of width 64.* is not invariant .*lb.Samples"):
        domain.spectrum(kernel)
    domain.spectrum(NET)


def test_messages(trained, problem, cube):
    x, y, points = problem
    with pytest.raises(ValueError, match="number must be a whole number from 0 to 1, got 2"):
        lb.TangentKernel(trained.networks, 2)
    with pytest.raises(ValueError, match="needs networks of one output, got 3"):
        lb.TangentKernel(lb.Ensemble.initial(NET, 4, 8, [0], outputs=3))
    kernel = lb.TangentKernel(trained.networks)
    with pytest.raises(ValueError, match="takes points of dimension 8, got 2"):
        kernel.kernel(np.eye(2))
    with pytest.raises(ValueError, match="no infinite network's kernel: it has no kind 'nngp'"):
        kernel.kernel(points, kind="nngp")


def test_alignment_is_a_cosine():
    y = np.array([1.0, -1.0, 1.0, 1.0])
    assert alignment(np.outer(y, y), y) == pytest.approx(1) and alignment(3 * np.eye(4), y) == pytest.approx(0.5)


def test_kernels_are_judged_on_points_that_the_network_did_not_see(cube):
    """Whatever a kernel says of the training set, where labels have leaked into it, counts for its own measures only."""
    f, seen = cube.parity(2)(cube.points), np.arange(0, 256, 8)
    unseen = np.setdiff1d(np.arange(256), seen)
    matrix = NET.kernel(cube.points)
    leaked = matrix.copy()
    leaked[np.ix_(seen, seen)] += 100 * np.outer(f[seen], f[seen])
    honest, praised = (_judged(k, f, seen, unseen, 0.1, 2, np.random.default_rng(0)) for k in (matrix, leaked))
    own = {("matrix", "alignment on the training set"), ("kernel", "error with the network's samples")}
    assert {key for key in honest if honest[key] != praised[key]} == own
    expected = lb.predict_samples(matrix[np.ix_(unseen, unseen)], f[unseen], 32, 0.1)
    assert honest["theory", "learnability"] == pytest.approx(float(expected.learnability))
    assert honest["kernel", "learnability"] == pytest.approx(float(expected.learnability), abs=0.1)
