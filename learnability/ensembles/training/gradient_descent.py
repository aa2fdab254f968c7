r"""Full-batch gradient descent: the reference protocol.

With outputs centred at initialisation, f(x) = net(x) - net_at_init(x), the residual r = f - y of the mean squared error follows
r <- (1 - (2 eta / n) Theta) r, which is stable for eta < n / lambda_max(Theta). Unless a rate is given it is half of
that limit, from the empirical tangent kernel of each network on its training set at initialisation: the largest rate
at which no mode overshoots. A loss with Hessians of at most h with respect to a sample's outputs is stable for eta <
2 n / (h lambda_max(Theta)).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..model import Trainable
from .host import places
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
    active, agenda, failures = torch.arange(networks, device=ensemble.device), Agenda(times, pace * rate), 0
    running, xs, ys, origin, eta = ensemble.select(active), x, y, start, rate
    for step in range(max_steps + 1):
        expansion = running.linearize(xs)
        learned_values = expansion.values - origin
        value, cotangent = loss.value(learned_values, ys), loss.gradient(learned_values, ys)
        agenda.record(snapshots, running, x_test, start_test, step)
        converged = value < target
        finished = converged | ~torch.isfinite(value)
        ended, failed = places(finished, finished & ~converged)  # all that the host sees of a step
        if ended or step == max_steps:
            steps[active], learned[active] = step, converged
            ensemble.copy_from(running, active)
            left = sorted({*range(len(active))}.difference(ended))
            failures += len(failed)
            report(networks - len(left), failures)
            if not left or step == max_steps:
                break
            keep = torch.tensor(left, device=ensemble.device)
            active, eta, origin, ys = active[keep], eta[keep], origin[keep], ys[keep]
            xs = xs[keep] if xs.ndim == 3 else xs
            running, cotangent = running.select(keep), cotangent[keep]
            expansion = expansion.select(keep)
            agenda.keep(left)
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


class Agenda:
    """At which steps the functions of which networks are recorded: at those nearest to the requested times."""

    def __init__(self, times: Sequence[float], per_step: Float[Tensor, " networks"]) -> None:
        """per_step : the flow time of a step."""
        self._due: dict[int, dict[int, list[int]]] = {}  # networks by step and number of the time
        self._place = {network: network for network in range(len(per_step))}  # among those in training
        if times:
            nearest = torch.stack([torch.round(time / per_step).long() for time in times])
            for slot, steps in enumerate(nearest.tolist()):
                for network, step in enumerate(steps):
                    self._due.setdefault(step, {}).setdefault(slot, []).append(network)

    def keep(self, left: Sequence[int]) -> None:
        """Only the networks at these places of those in training are left."""
        networks = [*self._place]
        self._place = {networks[old]: new for new, old in enumerate(left)}

    def record(
        self,
        snapshots: Float[Tensor, "times networks points outputs"],
        running: Trainable,
        x_test: Float[Tensor, "..."],
        start_test: Float[Tensor, "networks points outputs"],
        step: int,
    ) -> None:
        """Write the functions that are due after a step."""
        for slot, networks in self._due.get(step, {}).items():
            running_still = [network for network in networks if network in self._place]
            if not running_still:
                continue
            number = torch.tensor(running_still, device=snapshots.device)
            place = torch.tensor([self._place[network] for network in running_still], device=snapshots.device)
            points = x_test if x_test.ndim == 2 else x_test[number]
            snapshots[slot, number] = running.select(place).forward(points).detach() - start_test[number]
