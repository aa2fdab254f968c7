"""What every trainer returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..model import Trainable

Report = Callable[[int, int], None]  # how many networks are done, and how many of these did not converge


def ignore(finished: int, failed: int = 0) -> None:
    """The progress report of a trainer nobody watches."""


def hold_final(
    snapshots: Float[Tensor, "times networks points outputs"],
    times: Sequence[float],
    elapsed: Float[Tensor, " networks"],
    final: Float[Tensor, "networks points outputs"],
) -> None:
    """Fill the snapshots of networks that had converged before: they stay what they are."""
    for snapshot, time in zip(snapshots, times, strict=True):
        snapshot.copy_(torch.where((elapsed < time)[:, None, None], final, snapshot))


@dataclass
class History:
    """How an ensemble was trained; tensors, one entry per network.

    start, start_test : (networks, n, outputs), (networks, n_test, outputs), outputs at initialisation
    steps, learning_rate, time, converged : (networks,), as in `TrainingResult`
    snapshots : (times, networks, n_test, outputs)
    """

    start: Float[Tensor, "networks samples outputs"]
    start_test: Float[Tensor, "networks points outputs"]
    steps: Int[Tensor, " networks"]
    learning_rate: Float[Tensor, " networks"]
    time: Float[Tensor, " networks"]
    converged: Bool[Tensor, " networks"]
    snapshots: Float[Tensor, "times networks points outputs"]


@dataclass(repr=False)
class TrainingResult:
    """Trained networks, one per entry of the leading axis.

    Attributes
    ----------
    predictions : (networks, n_test, outputs) or (networks, n_test)
        The learned functions, centred at initialisation unless settings say otherwise; of the cross-entropy they are logits.
    train_predictions : (networks, n, outputs) or (networks, n)
    train_mse : (networks,)
        Of the labels as they are; with the cross-entropy it says little.
    converged : (networks,) bool
        Training ended below the requested mean squared error (train_mse, evaluated anew, may differ by rounding), or below
        `target_loss` of the cross-entropy. The others ran out of steps or diverged, and say so here.
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
    networks : Trainable or None
        The trained networks, on the CPU, with `keep_networks=True`; None otherwise.

    Examples
    --------
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=4)
    >>> x, index = cube.sample(6, seed=0)
    >>> result = lb.train(lb.FullyConnected(1), 64, x, cube.parity(1)(x, index), cube.points, seeds=range(3))
    >>> result.predictions.shape, result.converged.tolist(), bool((result.train_mse < 1e-4).all())
    ((3, 16), [True, True, True], True)
    """

    predictions: Float[np.ndarray, " networks points *outputs"]
    train_predictions: Float[np.ndarray, " networks samples *outputs"]
    train_mse: Float[np.ndarray, " networks"]
    converged: Bool[np.ndarray, " networks"]
    steps: Int[np.ndarray, " networks"]
    learning_rate: Float[np.ndarray, " networks"]
    time: Float[np.ndarray, " networks"]
    snapshots: Float[np.ndarray, " times networks points *outputs"]
    device: str
    networks: Trainable | None = None

    def __repr__(self) -> str:
        points = self.predictions.shape[1]
        return (
            f"<TrainingResult: {int(self.converged.sum())} of {len(self.converged)} networks converged on {self.device}, "
            f"{points} test points, {self.steps.mean():.0f} steps, train error up to {self.train_mse.max():.2g}>"
        )

    def squeezed(self) -> "TrainingResult":
        """The same with the axis `outputs` of length 1 dropped."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("predictions", "train_predictions", "snapshots"):
            values[name] = values[name][..., 0]
        return TrainingResult(**values)

    @classmethod
    def joined(cls, parts: "Sequence[TrainingResult]") -> "TrainingResult":
        """One result from the results of consecutive blocks of networks."""
        others = ("device", "networks")
        axis = {field.name: 1 if field.name == "snapshots" else 0 for field in fields(cls) if field.name not in others}
        arrays = {name: np.concatenate([getattr(part, name) for part in parts], along) for name, along in axis.items()}
        networks = [part.networks for part in parts if part.networks is not None]
        together = type(networks[0]).joined(networks) if networks else None
        return cls(**arrays, device=parts[0].device, networks=together)
