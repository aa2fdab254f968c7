r"""Mini-batch training by PyTorch's own optimizers: stochastic gradient descent, with or without momentum, and Adam.

One tensor per layer holds that layer's weights in every network of an ensemble, and these optimizers treat every entry by
itself: a single one trains all networks, each on mini-batches of its own. An epoch goes once through the training set in a
new random order, in batches of at most `batch_size` samples and of equal sizes up to one; after it the error on the whole
training set decides whether a network is done.

**The stable rate.** Of a linear model with Jacobian J, H = J^T J / n on the whole set and H_b on a batch, the distance of the
parameters from an interpolating solution follows d <- (1 - 2 eta H_b) d. Its mean square grows in no direction if E[H_b^2] <=
H / eta. For batches of b samples, drawn without replacement, and Theta = J J^T,

    E[H_b^2] <= c H,    c = (n - b) / (b (n - 1)) max_x Theta(x, x) + n (b - 1) / (b (n - 1)) lambda_max(Theta / n),

so that eta < 1/c is stable: Ma, Bassily & Belkin (2018, arXiv 1712.06559, theorem 4) at n = infinity, gradient descent's
limit at b = n. A loss whose Hessian with respect to a sample's outputs is at most h, instead of 2 / outputs, takes
2 / (outputs h) times that rate.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...common.errors import require
from ...common.seeding import stream
from ..model import Trainable
from .gradient_descent import Agenda, origins
from .host import places
from .losses import MSE, Loss
from .result import History, Report, hold_final, ignore


def sgd(
    ensemble: Trainable,
    x: Float[Tensor, "..."],
    y: Float[Tensor, "networks samples outputs"],
    x_test: Float[Tensor, "..."],
    target: float,
    max_steps: int,
    times: Sequence[float] = (),
    report: Report = ignore,
    *,
    seeds: Sequence[int],
    batch_size: int,
    learning_rate: float | None,
    step_fraction: float,
    momentum: float,
    loss: Loss = MSE,
    centred: bool = True,
) -> History:
    """Train an ensemble in place; see `learnability.ensembles.training.fit` for the shapes. Returns a History.

    The rate of every network weighs its loss, and the optimizer's own rate is 1: its steps are proportional to the gradient.
    """
    if learning_rate is None:
        rate = step_fraction * (1 - momentum) * stable_rate(ensemble, x, batch_size, loss)
    else:
        rate = torch.full((len(ensemble),), float(learning_rate), dtype=torch.float64, device=ensemble.device)
    optimizer = partial(torch.optim.SGD, lr=1.0, momentum=momentum)
    per_step = loss.pace(ensemble.outputs) * rate / (1 - momentum)
    problem = (ensemble, x, y, x_test, target, max_steps, times, report)
    return _trained(
        *problem,
        seeds=seeds,
        batch_size=batch_size,
        optimizer=optimizer,
        weight=rate,
        per_step=per_step,
        rate=rate,
        loss=loss,
        centred=centred,
    )


def adam(
    ensemble: Trainable,
    x: Float[Tensor, "..."],
    y: Float[Tensor, "networks samples outputs"],
    x_test: Float[Tensor, "..."],
    target: float,
    max_steps: int,
    times: Sequence[float] = (),
    report: Report = ignore,
    *,
    seeds: Sequence[int],
    batch_size: int,
    learning_rate: float,
    betas: Sequence[float],
    loss: Loss = MSE,
    centred: bool = True,
) -> History:
    """As `sgd`, by Adam (Kingma & Ba 2015, arXiv 1412.6980); it keeps no flow time, so that `times` must be empty."""
    require(not times, f"adam keeps no flow time, got times {times}; leave times out, or take another method")
    one = torch.ones(len(ensemble), dtype=torch.float64, device=ensemble.device)
    optimizer = partial(torch.optim.Adam, lr=learning_rate, betas=(betas[0], betas[1]))
    problem = (ensemble, x, y, x_test, target, max_steps, times, report)
    return _trained(
        *problem,
        seeds=seeds,
        batch_size=batch_size,
        optimizer=optimizer,
        weight=one,
        per_step=torch.nan * one,
        rate=learning_rate * one,
        loss=loss,
        centred=centred,
    )


def stable_rate(
    ensemble: Trainable, x: Float[Tensor, "..."], batch_size: int, loss: Loss = MSE
) -> Float[Tensor, " networks"]:
    """2 / (outputs h c) of the empirical tangent kernel on the training sets x, in float64.

    With several outputs H is Theta / (n outputs), and Theta(x, x) a matrix, whose trace bounds its largest eigenvalue.
    """
    n, outputs = x.shape[-2], ensemble.outputs
    batch, scale = n // _batches(n, batch_size), 2 / (outputs * loss.sharpness(outputs))
    largest = ensemble.largest_eigenvalues(x) / (n * outputs)
    if batch == n:
        return scale / largest
    own = ensemble.largest_traces(x) / outputs
    return scale * batch * (n - 1) / ((n - batch) * own + n * (batch - 1) * largest)


def epochs(seed: int, train_size: int, batch_size: int) -> Iterator[Int[np.ndarray, " samples"]]:
    """Orders of the samples in the epochs of one network, one after the other, endlessly."""
    rng = stream("mini-batches", seed=int(seed), train_size=int(train_size), batch_size=int(batch_size))
    while True:
        yield rng.permutation(train_size)


def _batches(train_size: int, batch_size: int) -> int:
    """How many batches an epoch has."""
    return -(-train_size // batch_size)


def _trained(
    ensemble: Trainable,
    x: Float[Tensor, "..."],
    y: Float[Tensor, "networks samples outputs"],
    x_test: Float[Tensor, "..."],
    target: float,
    max_steps: int,
    times: Sequence[float],
    report: Report,
    *,
    seeds: Sequence[int],
    batch_size: int,
    optimizer: Callable[..., torch.optim.Optimizer],
    weight: Float[Tensor, " networks"],
    per_step: Float[Tensor, " networks"],
    rate: Float[Tensor, " networks"],
    loss: Loss,
    centred: bool,
) -> History:
    """Train until every network has converged or diverged at the end of an epoch, or `max_steps` batches are done."""
    networks, n = len(ensemble), y.shape[1]
    start, start_test = origins(ensemble, x, x_test, centred)
    snapshots = torch.full((len(times), *start_test.shape), torch.nan, dtype=ensemble.dtype, device=ensemble.device)
    steps = torch.zeros(networks, dtype=torch.long, device=ensemble.device)
    learned = torch.zeros(networks, dtype=torch.bool, device=ensemble.device)
    active, agenda = torch.arange(networks, device=ensemble.device), Agenda(times, per_step)
    step = failures = 0
    run = Run(ensemble, x.expand(networks, *x.shape[-2:]), y, start, weight.to(ensemble.dtype), optimizer, loss)
    orders = [epochs(seed, n, batch_size) for seed in seeds]
    agenda.record(snapshots, run.networks, x_test, start_test, step)
    while True:
        value = run.train_loss()
        converged = value < target
        finished = converged | ~torch.isfinite(value) | (step >= max_steps)
        ended, failed = places(finished, finished & ~converged)
        if ended:
            left = sorted({*range(len(active))}.difference(ended))
            done, keep = (torch.tensor(each, dtype=torch.long, device=ensemble.device) for each in (ended, left))
            steps[active[done]], learned[active[done]] = step, converged[done]
            with torch.no_grad():
                ensemble.copy_from(run.networks.select(done), active[done])
            failures += len(failed)
            report(networks - len(left), failures)
            if not left:
                break
            active, orders = active[keep], [orders[number] for number in left]
            agenda.keep(left)
            run.keep(keep)
        order = torch.stack([torch.from_numpy(next(order)) for order in orders]).to(ensemble.device)
        for rows in order.tensor_split(_batches(n, batch_size), 1)[: max_steps - step]:
            run.step(rows)
            step += 1
            agenda.record(snapshots, run.networks, x_test, start_test, step)
    time = per_step * steps
    if times:
        hold_final(snapshots, times, torch.where(learned, time, torch.inf), ensemble.forward(x_test) - start_test)
    return History(start, start_test, steps, rate, time, learned, snapshots)


class Run:
    """Networks in training, with their optimizer and its state."""

    def __init__(
        self,
        ensemble: Trainable,
        x: Float[Tensor, "networks samples ..."],
        y: Float[Tensor, "networks samples outputs"],
        origin: Float[Tensor, "networks samples outputs"],
        weight: Float[Tensor, " networks"],
        optimizer: Callable[..., torch.optim.Optimizer],
        loss: Loss,
    ) -> None:
        """From an ensemble, its training sets, what is subtracted from its outputs there, and the weights of the losses."""
        self.networks = ensemble.select(torch.arange(len(ensemble)))
        self.data = [x, y, origin]
        self.weight, self.loss = weight, loss
        self.optimizer = optimizer([p.requires_grad_() for p in self.networks.parameters()])

    def _losses(
        self,
        x: Float[Tensor, "networks samples ..."],
        y: Float[Tensor, "networks samples outputs"],
        origin: Float[Tensor, "networks samples outputs"],
    ) -> Float[Tensor, " networks"]:
        return self.loss.value(self.networks.forward(x) - origin, y)

    @torch.no_grad()
    def train_loss(self) -> Float[Tensor, " networks"]:
        """Loss on the whole training sets."""
        return self._losses(*self.data)

    def step(self, rows: Int[Tensor, "networks batch"]) -> None:
        """One step of all networks, each on the samples `rows` of its own training set."""
        batch = [torch.take_along_dim(values, rows[..., None], 1) for values in self.data]
        self.optimizer.zero_grad()
        (self.weight * self._losses(*batch)).sum().backward()
        self.optimizer.step()

    def keep(self, index: Int[Tensor, " left"]) -> None:
        """Go on with the networks listed in `index`."""
        self.data, self.weight = [values[index] for values in self.data], self.weight[index]
        self.optimizer.zero_grad()
        for constant in self.networks.constants():
            constant.data = constant.data[index]
        for parameter in self.networks.parameters():
            parameter.data = parameter.data[index]
            state = self.optimizer.state[parameter]
            state.update({name: v[index] for name, v in state.items() if torch.is_tensor(v) and v.ndim > 0})
