r"""Full-batch gradient descent: the reference protocol.

With outputs centred at initialisation, f(x) = net(x) - net_at_init(x), the residual r = f - y of the mean squared error follows
r <- (1 - (2 eta / n) Theta) r, which is stable for eta < n / lambda_max(Theta). Unless a rate is given it is half of
that limit, from the empirical tangent kernel of each network on its training set at initialisation: the largest rate
at which no mode overshoots. A loss with Hessians of at most h with respect to a sample's outputs is stable for eta <
2 n / (h lambda_max(Theta)).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..model import Trainable
from .losses import MSE, Loss
from .result import History, Report, hold_final, ignore


def stable_rate(ensemble: Trainable, x: Float[Tensor, "..."], loss: Loss = MSE) -> Float[Tensor, " networks"]:
    """2 n / (h lambda_max) of the empirical tangent kernel, in float64: gradient descent is unstable above it."""
    return 2 * x.shape[-2] / loss.sharpness(ensemble.outputs) / ensemble.largest_eigenvalues(x)


def gradient_descent(
    ensemble: Trainable,
    x: Float[Tensor, "..."],
    y: Float[Tensor, "networks samples outputs"],
    x_test: Float[Tensor, "..."],
    target: float,
    max_steps: int,
    times: Sequence[float] = (),
    report: Report = ignore,
    *,
    learning_rate: float | None = None,
    step_fraction: float,
    loss: Loss = MSE,
    centred: bool = True,
) -> History:
    """Train an ensemble in place until the loss is below the target; see `learnability.ensembles.training.fit` for the shapes.

    Snapshots are taken at the step nearest to flow time 2 * rate * steps / outputs, of the cross-entropy rate * steps.
    """
    networks = len(ensemble)
    rate = _rates(ensemble, x, loss, learning_rate, step_fraction)
    pace = loss.pace(ensemble.outputs)
    start, start_test = origins(ensemble, x, x_test, centred)
    snapshots = torch.full((len(times), *start_test.shape), torch.nan, dtype=ensemble.dtype, device=ensemble.device)
    steps = torch.zeros(networks, dtype=torch.long, device=ensemble.device)
    learned = torch.zeros(networks, dtype=torch.bool, device=ensemble.device)
    active = torch.arange(networks, device=ensemble.device)
    running, xs, ys, origin, eta = ensemble.select(active), x, y, start, rate
    for step in range(max_steps + 1):
        expansion = running.linearize(xs)
        learned_values = expansion.values - origin
        value, cotangent = loss.value(learned_values, ys), loss.gradient(learned_values, ys)
        record(snapshots, times, running, x_test, start_test, active, step, pace * eta)
        finished = (value < target) | ~torch.isfinite(value)
        if finished.any() or step == max_steps:
            steps[active], learned[active] = step, value < target
            ensemble.copy_from(running, active)
            keep = torch.nonzero(~finished).ravel()
            report(networks - len(keep), networks - len(keep) - int(learned.sum()))
            if len(keep) == 0 or step == max_steps:
                break
            active, eta, origin, ys = active[keep], eta[keep], origin[keep], ys[keep]
            xs = xs[keep] if xs.ndim == 3 else xs
            running, cotangent = running.select(keep), cotangent[keep]
            expansion = expansion.select(keep)
        expansion.descend(running, cotangent * eta.to(cotangent.dtype)[:, None, None], out=running)
    time = pace * rate * steps
    if times:
        final = ensemble.forward(x_test) - start_test
        hold_final(snapshots, times, torch.where(learned, time, torch.inf), final)
    return History(start, start_test, steps, rate, time, learned, snapshots)


def origins(
    ensemble: Trainable, x: Float[Tensor, "..."], x_test: Float[Tensor, "..."], centred: bool
) -> tuple[Float[Tensor, "networks samples outputs"], Float[Tensor, "networks points outputs"]]:
    """What is subtracted from outputs on training and test points: those at initialisation, or nothing."""
    start, start_test = ensemble.forward(x), ensemble.forward(x_test)
    return (start, start_test) if centred else (torch.zeros_like(start), torch.zeros_like(start_test))


def _rates(
    ensemble: Trainable, x: Float[Tensor, "..."], loss: Loss, learning_rate: float | None, step_fraction: float
) -> Float[Tensor, " networks"]:
    if learning_rate is None:
        return step_fraction * stable_rate(ensemble, x, loss)
    return torch.full((len(ensemble),), float(learning_rate), dtype=torch.float64, device=ensemble.device)


def record(
    snapshots: Float[Tensor, "times networks points outputs"],
    times: Sequence[float],
    running: Trainable,
    x_test: Float[Tensor, "..."],
    start_test: Float[Tensor, "networks points outputs"],
    active: Int[Tensor, " active"],
    step: int,
    per_step: Float[Tensor, " active"],
) -> None:
    """Write the functions of the networks that a step, of flow time `per_step`, brought nearest to a requested time."""
    for slot, time in enumerate(times):
        nearest = torch.round(time / per_step).long() == step
        if nearest.any():
            number = active[nearest]
            points = x_test if x_test.ndim == 2 else x_test[number]
            snapshots[slot, number] = running.select(nearest).forward(points).detach() - start_test[number]
