"""What every trainer returns."""

from dataclasses import dataclass, fields

import numpy as np
import torch

from ..model import Model


def ignore(finished, failed=0):
    """The progress report of a trainer nobody watches."""


def hold_final(snapshots, times, elapsed, final):
    """Fill the snapshots of networks that had converged before: they stay what they are.

    snapshots (times, networks, ...), times (times,), elapsed (networks,), final (networks, ...) tensors.
    """
    for snapshot, time in zip(snapshots, times, strict=True):
        stopped = elapsed < time
        snapshot[stopped] = final[stopped]


@dataclass
class History:
    """How an ensemble was trained; tensors, one entry per network.

    start, start_test : (networks, n, outputs), (networks, n_test, outputs), outputs at initialisation
    steps, learning_rate, time, converged : (networks,), as in `TrainingResult`
    snapshots : (times, networks, n_test, outputs)
    """

    start: torch.Tensor
    start_test: torch.Tensor
    steps: torch.Tensor
    learning_rate: torch.Tensor
    time: torch.Tensor
    converged: torch.Tensor
    snapshots: torch.Tensor


@dataclass(repr=False)
class TrainingResult:
    """Trained networks, one per entry of the leading axis.

    Attributes
    ----------
    predictions : (networks, n_test, outputs) or (networks, n_test)
        The learned functions, centred at initialisation.
    train_predictions : (networks, n, outputs) or (networks, n)
    train_mse : (networks,)
    converged : (networks,) bool
        Training ended below the requested mean squared error (train_mse, evaluated anew, may differ by rounding). The
        others ran out of steps or diverged, and say so here.
    steps : (networks,) int
    learning_rate : (networks,)
        The step of gradient descent, SGD or Adam. Gradient flow: nan.
    time : (networks,)
        Flow time; gradient descent of rate eta on the mean squared error reaches 2 eta steps / outputs, with momentum m
        1 / (1 - m) times that. Adam: nan.
    snapshots : (times, networks, n_test, outputs) or (times, networks, n_test)
        The learned functions at the requested times, nan where a network gave up before; empty without a request.
    device : str
        Where they were trained.
    networks : Model or None
        The trained networks, on the CPU, if `keep_networks` was asked for; None otherwise.
    """

    predictions: np.ndarray
    train_predictions: np.ndarray
    train_mse: np.ndarray
    converged: np.ndarray
    steps: np.ndarray
    learning_rate: np.ndarray
    time: np.ndarray
    snapshots: np.ndarray
    device: str
    networks: Model | None = None

    def __repr__(self):
        points = self.predictions.shape[1]
        return (
            f"<TrainingResult: {int(self.converged.sum())} of {len(self.converged)} networks converged on {self.device}, "
            f"{points} test points, {self.steps.mean():.0f} steps, train error up to {self.train_mse.max():.2g}>"
        )

    def squeezed(self):
        """The same with the axis `outputs` of length 1 dropped."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("predictions", "train_predictions", "snapshots"):
            values[name] = values[name][..., 0]
        return TrainingResult(**values)

    @classmethod
    def joined(cls, parts):
        """One result from the results of consecutive blocks of networks."""
        others = ("device", "networks")
        axis = {field.name: 1 if field.name == "snapshots" else 0 for field in fields(cls) if field.name not in others}
        arrays = {name: np.concatenate([getattr(part, name) for part in parts], along) for name, along in axis.items()}
        kept = [part.networks for part in parts if part.networks is not None]
        return cls(**arrays, device=parts[0].device, networks=type(kept[0]).joined(kept) if kept else None)
