"""Networks of any PyTorch module: batched as one by one, their gradients, and their way to the kernel."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import learnability as lb
from learnability.ensembles import modules
from learnability.ensembles.modules import ModuleEnsemble
from learnability.ensembles.training.gradient_descent import stable_rate
from learnability.ensembles.training.losses import LOSSES
from learnability.ensembles.training.mini_batches import stable_rate as stable_rate_of_batches

LAYERS = lb.Sequential([
    {"conv": {"kernel": 3, "weight_std": 1.4, "bias_std": 0.1}},
    {"residual": {"branch": ["tanh", {"conv": {"kernel": 3}}]}}, "layer_norm", "relu", {"avg_pool": {"window": 2, "strides": 2}}, "flatten", {"dense": {"weight_std": 1}},
])  # fmt: skip


class Attention(nn.Module):
    """Rows of an image as tokens; the same weights embed queries twice (tied)."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6, 8)
        self.again = self.embed
        self.mix = nn.MultiheadAttention(8, 2, batch_first=True)
        self.read = nn.Linear(8, 3)

    def forward(self, x):
        tokens = self.embed(x[:, 0]) + self.again(x[:, 0].flip(2))
        return self.read(self.mix(tokens, tokens, tokens, need_weights=False)[0].mean(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.steps, self.read = nn.GRU(6, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.read(self.steps(x[:, 0])[1][0])


def normalised():
    frozen = nn.Conv2d(1, 4, 3)
    frozen.requires_grad_(False)
    return nn.Sequential(frozen, nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(),
                         nn.Linear(16, 3))  # fmt: skip


CASES = {
    "layers": (LAYERS, 8),
    "normalised": (lb.TorchModule(normalised), None),
    "attention": (lb.TorchModule(Attention), None),
    "recurrent": (lb.TorchModule(Recurrent), None),
}


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 1, 6, 6))
    classes = (x[:, 0, :3].mean((1, 2)) > 0).astype(int) + (x[:, 0, 3:].mean((1, 2)) > 0)
    return x, np.eye(3)[classes] - 1 / 3


def ensemble(name, seeds=(3, 4, 5), dtype=torch.float64):
    architecture, width = CASES[name]
    return ModuleEnsemble.initial(architecture, (1, 6, 6), width, seeds, 3, dtype)


def points(images, networks=3):
    x = torch.from_numpy(images[0]).flatten(1)
    return torch.stack([x[number : number + 12] for number in range(networks)])


@pytest.mark.parametrize("name", CASES)
def test_together_is_one_by_one(images, name, monkeypatch):
    """Outputs, gradients and eigenvalues are the same to rounding; vmap cannot do all modules."""
    monkeypatch.setattr(modules, "TOGETHER_BYTES", 1 << 30)
    networks, x = ensemble(name).calibrated(points(images)), points(images)
    assert networks.together == (name != "recurrent")
    cotangent = torch.randn(3, 12, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    results = []
    for limit in (1 << 30, 0):
        monkeypatch.setattr(modules, "TOGETHER_BYTES", limit)
        step = networks.linearize(x).descend(networks, cotangent)
        results.append([networks.forward(x), networks.largest_eigenvalues(x), *step.parameters()])
    for one, other in zip(*results, strict=True):
        assert (one - other).abs().max() < 1e-12 * max(1, one.abs().max())


@pytest.mark.parametrize("name", CASES)
def test_a_network_is_its_module(images, name):
    """What an ensemble evaluates and how it descends is what PyTorch does with the module of a seed."""
    x = points(images)
    networks = ensemble(name).calibrated(x)
    cotangent = torch.ones(3, 12, 3, dtype=torch.float64)
    after = networks.linearize(x).descend(networks, cotangent)
    for number in (0, 2):
        module = networks.module(number)
        outputs = module(x[number].reshape(-1, 1, 6, 6))
        assert torch.allclose(networks.forward(x)[number], outputs, atol=1e-12)
        outputs.sum().backward()
        with torch.no_grad():
            for parameter in module.parameters():
                if parameter.requires_grad:
                    parameter -= parameter.grad
        for mine, theirs in zip(after.module(number).parameters(), module.parameters(), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-12)


def test_networks_of_a_seed_are_those_of_their_kernel():
    """Weights follow from the seed alone, and PyTorch's own random numbers are left as they are."""
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    both = ensemble("attention", (7, 2), torch.float32)
    assert torch.equal(before, torch.random.get_rng_state())
    for number, seed in enumerate((7, 2)):
        own = lb.TorchModule(Attention, seed=seed).module()
        for mine, theirs in zip(both.module(number).parameters(), own.parameters(), strict=True):
            assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", ["layers", "normalised", "attention", "recurrent"])
def test_eigenvalues_and_traces_are_those_of_the_jacobian(images, name):
    x = points(images, 1)
    networks = ensemble(name, [5]).calibrated(x)
    module = networks.module(0)
    values = module(x[0].reshape(-1, 1, 6, 6))
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    rows = [
        torch.cat([g.flatten() for g in torch.autograd.grad(value, trained, retain_graph=True)])
        for value in values.T.flatten()
    ]
    jacobian = torch.stack(rows)
    largest = torch.linalg.eigvalsh(jacobian @ jacobian.T)[-1]
    assert networks.largest_eigenvalues(x)[0] == pytest.approx(float(largest), rel=1e-3)
    traces = jacobian.square().sum(1).reshape(3, 12).sum(0)
    assert networks.largest_traces(x)[0] == pytest.approx(float(traces.max()), rel=1e-9)


def test_the_rates_of_a_list_of_dense_layers_are_those_of_the_dense_network(images):
    """Both trainers' stable rates, from Lanczos and sums of squares, against the whole tangent kernel."""
    dense = lb.FullyConnected(1, "tanh", 1.5, 0.2)
    weights = {"weight_std": 1.5, "bias_std": 0.2}
    layers = lb.Sequential(["flatten", {"dense": weights}, "tanh", {"dense": {"weight_std": 1, "bias_std": 0}}])
    x = points(images, 2)
    known = lb.Ensemble.initial(dense, 36, 12, [0, 1], 3, torch.float64)
    networks = ModuleEnsemble.initial(layers, (1, 6, 6), 12, [0, 1], 3, torch.float64)
    assert len(networks.weights) == 3
    first, bias, readout = networks.parameters()
    first.copy_(known.weights[0].mT), bias.copy_(known.biases[0][:, 0]), readout.copy_(known.weights[1].mT)
    assert torch.allclose(networks.forward(x), known.forward(x), atol=1e-12)
    assert torch.allclose(stable_rate(networks, x), stable_rate(known, x), rtol=1e-3)
    of_batches = [stable_rate_of_batches(one, x, 4) for one in (networks, known)]
    assert torch.allclose(*of_batches, rtol=1e-3)


@pytest.mark.parametrize("method", ["gradient_descent", "sgd", "adam"])
@pytest.mark.parametrize("name", CASES)
def test_every_module_learns_by_every_method(images, name, method):
    x, y = images
    architecture, width = CASES[name]
    settings = {"method": method, "target_mse": 0.05, "max_steps": 2000, "keep_networks": True}
    fast = {"learning_rate": 0.01} if method == "adam" else {}
    result = lb.train(architecture, width, x[:10], y[:10], x[10:], range(2), **settings, **fast)
    assert result.converged.all() and result.predictions.shape == (2, 30, 3)
    later = result.networks.forward(torch.from_numpy(x[:10]).float().flatten(1))
    start = ModuleEnsemble.initial(architecture, (1, 6, 6), width, range(2), 3)
    start = start.calibrated(torch.from_numpy(x[:10]).float().flatten(1))
    before = start.forward(torch.from_numpy(x[:10]).float().flatten(1))
    assert np.allclose((later - before).numpy(), result.train_predictions, atol=1e-4)


def test_not_centred_learns_the_outputs_themselves(images):
    x, y = images
    settings = {"method": "gradient_descent", "target_mse": 1e-4, "keep_networks": True, "centred": False}
    result = lb.train(LAYERS, 16, x[:8], y[:8], x[8:], [0], **settings)
    outputs = result.networks.module(0)(torch.from_numpy(x[:8]).float()).detach().numpy()
    assert result.converged.all() and np.abs(outputs - y[:8]).max() < 0.05
    assert np.allclose(outputs, result.train_predictions[0], atol=1e-5)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_as_steep_and_as_sharp_as_it_says(name, outputs):
    loss, rng = LOSSES[name], torch.Generator().manual_seed(2)
    f = torch.randn(2, 5, outputs, dtype=torch.float64, generator=rng)
    high = torch.randn(2, 5, outputs, dtype=torch.float64, generator=rng)
    labels = torch.sign(high) if outputs == 1 else (high == high.amax(2, keepdim=True)).double() - 1 / outputs
    y = loss.encoded(labels)
    f.requires_grad_()
    (gradient,) = torch.autograd.grad(loss.value(f, y).sum(), f)
    assert torch.allclose(gradient, loss.gradient(f, y), atol=1e-14)

    def of_sample(row):
        return loss.value(row[None, None], y[:1, :1])[0]

    sharpest = 0.0
    for scale in (0.0, 0.3, 1.0, 4.0):
        hessian = torch.autograd.functional.hessian(of_sample, scale * f[0, 0].detach())
        sharpest = max(sharpest, float(torch.linalg.eigvalsh(hessian)[-1]))
    assert sharpest <= loss.sharpness(outputs) * (1 + 1e-12) and sharpest > loss.sharpness(outputs) / 2


def test_the_cross_entropy_is_that_of_pytorch(images):
    """Gradient descent on the whole set is a plain loop's, and one output of +-1 is the logistic loss."""
    x, y = images
    module = copy.deepcopy(lb.TorchModule(normalised, seed=4).module().double())
    labels = torch.from_numpy(y.argmax(1))[:12]
    inputs = torch.from_numpy(x[:12])
    settings = {"method": "gradient_descent", "loss": "cross_entropy", "learning_rate": 0.1, "max_steps": 5,
                "dtype": "float64", "centred": False}  # fmt: skip
    result = lb.train(lb.TorchModule(normalised), None, x[:12], y[:12], x[12:], [4], **settings)
    module[1].train().momentum = None
    with torch.no_grad():
        module(inputs)
    module.eval()
    walk = torch.optim.SGD(module.parameters(), 0.1)
    for _ in range(5):
        walk.zero_grad()
        nn.functional.cross_entropy(module(inputs), labels).backward()
        walk.step()
    assert np.allclose(module(inputs).detach().numpy(), result.train_predictions[0], atol=1e-10)


def test_the_cross_entropy_learns_classes(images):
    x, y = images
    settings = {"loss": "cross_entropy", "target_loss": 0.1, "learning_rate": 0.02}
    for labels in (y, np.sign(y[:, 0])):
        result = lb.train(LAYERS, 8, x, labels, x, [0], method="adam", **settings)
        assert result.converged.all()
        learned = result.predictions
        right = learned.argmax(2) == y.argmax(1) if labels.ndim == 2 else np.sign(learned) == labels
        assert right.mean() > 0.97


def test_what_cannot_be_trained_is_refused(images):
    x, y = images
    module = lb.TorchModule(Attention)
    with pytest.raises(ValueError, match="gradient_flow.*gradient_descent"):
        lb.train(LAYERS, 8, x, y, x, [0])
    with pytest.raises(ValueError, match="width must be None, got 64"):
        lb.train(module, 64, x, y, x, [0], method="adam")
    with pytest.raises(ValueError, match="width"):
        lb.train(LAYERS, None, x, y, x, [0], method="adam")
    with pytest.raises(ValueError, match="3 outputs and the labels 1"):
        lb.train(module, None, x, y[:, 0], x, [0], method="adam")
    with pytest.raises(ValueError, match="needs classes"):
        lb.train(module, None, x, y + 0.1 * x[:, 0, 0, :3], x, [0], method="adam", loss="cross_entropy")
    with pytest.raises(ValueError, match="loss"):
        lb.train(module, None, x, y, x, [0], method="adam", loss="hinge")
    with pytest.raises(ValueError, match="layer 1"):
        lb.train(LAYERS, 8, x.reshape(40, 36), y, x.reshape(40, 36), [0], method="adam")


def test_blocks_and_threads_change_nothing(images):
    """One network a block gives what all at once give, to rounding; the progress says how many are done."""
    x, y = images
    said = []
    settings = {"method": "adam", "target_mse": 0.05, "learning_rate": 0.01, "dtype": "float64",
                "report": lambda *done: said.append(done)}  # fmt: skip
    whole = lb.train(LAYERS, 8, x[:10], y[:10], x[:20], range(4), **settings)
    parts = lb.train(LAYERS, 8, x[:10], y[:10], x[:20], range(4), memory=1, keep_networks=True, **settings)
    assert np.allclose(whole.predictions, parts.predictions, atol=1e-8) and whole.steps.tolist() == parts.steps.tolist()
    assert said[-1] == (4, 0) and len(parts.networks) == 4


@pytest.mark.slow
def test_wide_convolutions_learn_what_their_kernel_learns():
    """The squared distance of single networks' predictions to kernel regression falls as one over the width."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((24, 1, 5, 5))
    y = np.sign(x[:, 0, 1:4, 1:4].mean((1, 2)))
    layers = lb.Sequential([
        {"conv": {"kernel": 3, "bias_std": 0.3}}, "tanh", "flatten", {"dense": {"weight_std": 1, "bias_std": 0}}])  # fmt: skip
    exact = lb.kernel_regression(layers, x[:8], y[:8], x[8:])
    widths = [32, 96, 288]
    distances = []
    for width in widths:
        settings = {"method": "gradient_descent", "target_mse": 1e-5}
        result = lb.train(layers, width, x[:8], y[:8], x[8:], range(30), **settings)
        assert result.converged.all()
        distances.append(float(((result.predictions - exact) ** 2).mean()))
    order = -np.polyfit(np.log(widths), np.log(distances), 1)[0]
    assert abs(order - 1) < 0.25
