r"""Full-batch gradient descent on the mean squared error: the reference protocol.

With outputs centred at initialisation, f(x) = net(x) - net_at_init(x), the residual r = f - y follows
r <- (1 - (2 eta / n) Theta) r, which is stable for eta < n / lambda_max(Theta). Unless a rate is given it is half of
that limit, from the empirical tangent kernel of each network on its training set at initialisation: the largest rate
at which no mode overshoots.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..model import Model
from .result import History, Report, hold_final, ignore


def stable_rate(ensemble: Model, x: Float[Tensor, "..."]) -> Float[Tensor, " networks"]:
    """n / lambda_max of the empirical tangent kernel, in float64: gradient descent is unstable above it."""
    kernel = ensemble.linearize(x).tangent_kernel().double()
    return x.shape[-2] * ensemble.outputs / torch.linalg.eigvalsh(kernel)[:, -1]


def gradient_descent(
    ensemble: Model,
    x: Float[Tensor, "..."],
    y: Float[Tensor, "networks samples outputs"],
    x_test: Float[Tensor, "..."],
    target_mse: float,
    max_steps: int,
    times: Sequence[float] = (),
    report: Report = ignore,
    *,
    learning_rate: float | None = None,
    step_fraction: float,
) -> History:
    """Train an ensemble in place; see `learnability.ensembles.training.fit` for the shapes. Returns a History.

    Snapshots are taken at the step nearest to flow time 2 * rate * steps / outputs.
    """
    networks = len(ensemble)
    rate = _rates(ensemble, x, learning_rate, step_fraction)
    start, start_test = ensemble.forward(x), ensemble.forward(x_test)
    snapshots = torch.full((len(times), *start_test.shape), torch.nan, dtype=ensemble.dtype, device=ensemble.device)
    steps = torch.zeros(networks, dtype=torch.long, device=ensemble.device)
    learned = torch.zeros(networks, dtype=torch.bool, device=ensemble.device)
    active = torch.arange(networks, device=ensemble.device)
    running, xs, ys, origin, eta = ensemble.select(active), x, y, start, rate
    for step in range(max_steps + 1):
        expansion = running.linearize(xs)
        residual = expansion.values - origin - ys
        mse = residual.square().mean((1, 2))
        record(snapshots, times, running, x_test, start_test, active, step, 2 * eta / ensemble.outputs)
        finished = (mse < target_mse) | ~torch.isfinite(mse)
        if finished.any() or step == max_steps:
            steps[active], learned[active] = step, mse < target_mse
            ensemble.copy_from(running, active)
            keep = torch.nonzero(~finished).ravel()
            report(networks - len(keep), networks - len(keep) - int(learned.sum()))
            if len(keep) == 0 or step == max_steps:
                break
            active, eta, origin, ys = active[keep], eta[keep], origin[keep], ys[keep]
            xs = xs[keep] if xs.ndim == 3 else xs
            running, residual = running.select(keep), residual[keep]
            expansion = expansion.select(keep)
        scale = (2 * eta / residual[0].numel()).to(residual.dtype)
        expansion.descend(running, residual * scale[:, None, None], out=running)
    time = 2 * rate / ensemble.outputs * steps
    if times:
        final = ensemble.forward(x_test) - start_test
        hold_final(snapshots, times, torch.where(learned, time, torch.inf), final)
    return History(start, start_test, steps, rate, time, learned, snapshots)


def _rates(
    ensemble: Model, x: Float[Tensor, "..."], learning_rate: float | None, step_fraction: float
) -> Float[Tensor, " networks"]:
    if learning_rate is None:
        return step_fraction * stable_rate(ensemble, x)
    return torch.full((len(ensemble),), float(learning_rate), dtype=torch.float64, device=ensemble.device)


def record(
    snapshots: Float[Tensor, "times networks points outputs"],
    times: Sequence[float],
    running: Model,
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
