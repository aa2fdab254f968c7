"""Fourteen PyTorch modules of different families for 8 x 8 images of ten digits, as their users would write them."""

import torch
from torch import Tensor, nn

CLASSES = 10


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, CLASSES))


def dense_1() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, CLASSES))


def dense_3() -> nn.Module:
    hidden = [nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, CLASSES))


def dense_tanh() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.Tanh(), nn.Linear(256, CLASSES))


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 64, CLASSES),
    )  # fmt: skip


def pooled() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.Conv2d(24, 24, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, CLASSES),
    )  # fmt: skip


def lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, CLASSES),
    )  # fmt: skip


def strided() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * 4, CLASSES),
    )  # fmt: skip


class Shuffled(nn.Module):
    """A module on images whose pixels are in another order, the same for all."""

    order: Tensor

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("order", torch.randperm(64, generator=torch.Generator().manual_seed(0)))

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x.flatten(1)[:, self.order].view(x.shape))


def shuffled_convolutions() -> nn.Module:
    return Shuffled(convolutions())


def shuffled_lenet() -> nn.Module:
    return Shuffled(lenet())


class Block(nn.Module):
    """x plus two convolutions of it, with or without normalisation."""

    def __init__(self, channels: int, normalised: bool) -> None:
        super().__init__()
        self.first = nn.GroupNorm(4, channels) if normalised else nn.Identity()
        self.second = nn.GroupNorm(4, channels) if normalised else nn.Identity()
        self.convolutions = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        inside = self.convolutions[0](torch.relu(self.first(x)))
        return x + self.convolutions[1](torch.relu(self.second(inside)))


def _residual(normalised: bool) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), Block(16, normalised), nn.AvgPool2d(2), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 16, CLASSES),
    )  # fmt: skip


def residual() -> nn.Module:
    return _residual(normalised=False)


def residual_normalised() -> nn.Module:
    return _residual(normalised=True)


def depthwise() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.Conv2d(16, 32, 1), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(32 * 16, CLASSES),
    )  # fmt: skip


class Attention(nn.Module):
    """Sixteen patches of 2 x 2 pixels that attend to each other once."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, 32, 2, stride=2)
        self.places = nn.Parameter(0.1 * torch.randn(16, 32))
        self.norm = nn.LayerNorm(32)
        self.mix = nn.MultiheadAttention(32, 4, batch_first=True)
        self.read = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embed(x).flatten(2).transpose(1, 2) + self.places
        normalised = self.norm(tokens)
        mixed = tokens + self.mix(normalised, normalised, normalised, need_weights=False)[0]
        return self.read(mixed.mean(1))


def attention() -> nn.Module:
    return Attention()
