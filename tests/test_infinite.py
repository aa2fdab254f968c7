"""Plain PyTorch modules read as networks of infinite width."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import learnability as lb

IMAGES = np.random.default_rng(0).standard_normal((4, 1, 6, 6))


class Sums(nn.Module):
    """Two nested sums, the second with a shortcut that has weights."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, width, 3, padding=1), nn.Conv2d(width, width, 3, padding="same")
        self.third, self.shortcut = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 1)
        self.read = nn.Linear(width, 1)

    def forward(self, x):
        h = self.first(x)
        h = h + self.second(torch.relu(h))
        h = self.third(h.relu()) + self.shortcut(h)
        return self.read(nn.functional.relu(h).mean((2, 3)))


class Normal(nn.Module):
    """Dense, normalised, with weights of its own."""

    def __init__(self, width):
        super().__init__()
        hidden = nn.Linear(36, width)
        nn.init.normal_(hidden.weight, std=1.7 / 6)
        nn.init.normal_(hidden.bias, std=0.4)
        self.layers = nn.Sequential(
            nn.Flatten(), hidden, nn.LayerNorm(width), nn.LeakyReLU(0.2), nn.Dropout(), nn.Linear(width, 1)
        )

    def forward(self, x):
        return torch.flatten(self.layers(x), 1)


def pooled(width):
    conv = [nn.Conv2d(1, width, 3, padding=1, padding_mode="circular"), nn.ReLU(), nn.AvgPool2d(2)]
    return nn.Sequential(
        *conv,
        nn.Conv2d(width, width, 2, 2, bias=False),
        nn.Tanh(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, 1),
    )


def trained_alone(build, name):
    """The kernel of one parameter, the others constant."""

    def one():
        module = build().double()
        for other, parameter in module.named_parameters():
            parameter.requires_grad_(other == name)
        return module

    return lb.TorchModule(one).kernel(IMAGES)


def in_ntk_parameterization(build):
    """The module's tangent kernel with the parameters of every layer measured in their standard deviations."""
    return sum(
        float(parameter.detach().double().square().mean()) * trained_alone(build, name)
        for name, parameter in build().named_parameters()
        if not isinstance(build().get_submodule(name.rpartition(".")[0]), nn.LayerNorm)
    )


def distance(build, width, seed=0):
    """Of the module's tangent kernel from that of its limit, relative."""

    def seeded():
        torch.manual_seed(seed)
        return build(width)

    limit = lb.infinite(seeded()).kernel(IMAGES)
    return np.linalg.norm(in_ntk_parameterization(seeded) - limit) / np.linalg.norm(limit)


@pytest.mark.parametrize("build", [Sums, Normal, pooled])
def test_the_tangent_kernel_approaches_the_limit(build):
    """The squared distance falls as one over the width: from 8 to 128 channels by 16, the median of few seeds by more than 4."""
    far, near = (np.median([distance(build, width, seed) ** 2 for seed in range(3)]) for width in (8, 128))
    assert near < far / 4 and near < 0.1


def test_the_covariance_of_outputs_is_the_limits_nngp():
    torch.manual_seed(1)
    network, points = Normal(4000), torch.from_numpy(IMAGES).float()
    features = network.layers[:-1].eval()(points).detach().double().numpy()
    readout = network.layers[-1]
    covariance = readout.weight.detach().square().mean().item() * features @ features.T + 1 / 12000
    assert np.allclose(covariance, lb.infinite(network).kernel(IMAGES, kind="nngp"), atol=0.1 * covariance.max())


def test_the_variances_are_those_of_initialisation():
    network = lb.infinite(nn.Sequential(nn.Flatten(), nn.Linear(36, 50), nn.ReLU(), nn.Linear(50, 3, bias=False)))
    assert network.layers[1].weight_std == pytest.approx(math.sqrt(1 / 3)) and network.layers[3].bias_std == 0
    assert network.layers[1].bias_std == pytest.approx(math.sqrt(1 / 108))
    torch.manual_seed(0)
    other = nn.Linear(400, 300)
    nn.init.kaiming_normal_(other.weight)
    nn.init.zeros_(other.bias)
    layer = lb.infinite(other).layers[0]
    assert layer.weight_std == pytest.approx(math.sqrt(2), rel=0.02) and layer.bias_std == 0
    small = nn.Linear(3, 2)
    nn.init.constant_(small.bias, 0.01)
    assert lb.infinite(small).layers[0].bias_std == pytest.approx(0.01)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(torch.relu(self.layer(x)))


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return self.one(x) * self.two(x)


class Branch(Twice):
    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else x


class Shifted(Twice):
    def forward(self, x):
        return self.layer(x) + 1


class Zero(Twice):
    def __init__(self):
        super().__init__()
        nn.init.zeros_(self.layer.weight)

    def forward(self, x):
        return self.layer(x)


UNREAD = {
    "max pool": (nn.Sequential(nn.Conv1d(1, 2, 3), nn.MaxPool1d(2)), r"1 \(MaxPool1d.*no infinite-width limit .* read are Linear"),
    "batch norm": (nn.BatchNorm1d(3), r"BatchNorm1d.*lb.TorchModule takes any module"),
    "groups": (nn.Conv1d(4, 4, 3, groups=2), "groups=2"),
    "dilation": (nn.Conv1d(4, 4, 3, dilation=2), "dilation"),
    "paddings": (nn.Conv2d(1, 2, 3, padding=(1, 0)), r"padding \(1, 0\), which differs"),
    "reflect": (nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"), "padding"),
    "norm of images": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.LayerNorm([6])), "LayerNorm"),
    "gelu": (nn.GELU("tanh"), "GELU"),
    "twice": (Twice(), "layer layer is called twice"),
    "product": (Product(), "mul"),
    "shift": (Shifted(), "a sum with a constant"),
    "branch": (Branch(), "cannot be read: TraceError"),
    "no module": (nn.Linear, "a torch.nn.Module is needed, got type"),
    "zero": (Zero(), "the weights of layer are zero"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREAD)
def test_what_it_cannot_read_is_named(case):
    module, message = UNREAD[case]
    with pytest.raises(ValueError, match=message):
        lb.infinite(module)
