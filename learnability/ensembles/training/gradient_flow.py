r"""Gradient flow of the mean squared error by an error-controlled exponential integrator.

In time units in which the residual r = f - y of a linear model decays as exp(-Theta t / n), the parameters follow

    theta' = -J(theta)^T r / n.

Training is stiff because the eigenvalues of Theta = J J^T span many orders. With J frozen the flow has the exact
solution theta(h) = theta - J^T phi(h) r, phi(h) = Theta^-1 (1 - exp(-Theta h / n)), for any step h (an exponential
Euler method in function space; Hochbruck & Ostermann 2010, Acta Numerica 19). Freezing J at the *middle* of the step
makes it second order:

    theta_mid = theta_k - J^T phi(h) r_k / 2        with the J and Theta of the middle of the step before,
    theta_k+1 = theta_k - J_mid^T phi_mid(h) r_k,

one linearization and one eigendecomposition per step. With several outputs the kernel is not formed but multiplied by
(`learnability.ensembles.training.frozen_kernel`), and on the way to the middle the flow of the step before simply goes on.
Where the activation has a kink, its slopes in J_mid are means over the step, so that units which come to rest on the kink do
not stop the integration (`learnability.ensembles.kinks`). The difference between the true new residual and the one that the
frozen kernel predicted estimates the local error.

What a network learns late moves its function little, while an early error decides which features it learns: followed
by exact training to the end, an error made at r = y ends three to six times larger than one made at r = y / 10. What
is bounded is therefore the local error of the loss, error times |r|.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..model import Evaluation, Model, Step
from .frozen_kernel import FrozenModel
from .host import places
from .result import History, Report, hold_final, ignore

SAFETY = 0.9
LARGEST_GROWTH, SMALLEST_GROWTH = 8.0, 0.2
FIRST_STEP = 1.0  # in units of n / lambda_max
KRYLOV_SHARE = 0.1  # of the error that a step may make, for flows that are found in a Krylov space
LATE = 0.1  # residual, in units of the labels, below which the allowed error shrinks with it


def gradient_flow(
    ensemble: Model,
    x: Float[Tensor, "..."],
    y: Float[Tensor, "networks samples outputs"],
    x_test: Float[Tensor, "..."],
    target_mse: float,
    max_steps: int,
    times: Sequence[float] = (),
    report: Report = ignore,
    *,
    tolerance: float,
) -> History:
    """Train an ensemble in place; see `learnability.ensembles.training.fit` for the shapes. Returns a History.

    Each network takes its own steps, and stops when its mean squared error reaches `target_mse`. Steps end on the
    requested `times`, at which the function on x_test is recorded.
    """
    networks, device = len(ensemble), ensemble.device
    state = State.initial(ensemble, x, y)
    trained, start, start_test = ensemble.empty_like(), state.origin, ensemble.forward(x_test)
    snapshots = torch.full((len(times), *start_test.shape), torch.nan, dtype=ensemble.dtype, device=device)
    snapshots[: sum(moment <= 0 for moment in times)] = 0.0
    agenda = torch.tensor([*times, torch.inf], dtype=torch.float64, device=device)
    steps = torch.zeros(networks, dtype=torch.long, device=device)
    elapsed = torch.zeros(networks, dtype=torch.float64, device=device)
    learned = torch.zeros(networks, dtype=torch.bool, device=device)
    finished, converged = _ended(state, steps, target_mse, max_steps)
    ended, failed = places(finished, finished & ~converged)
    failures = 0
    while True:
        if ended:
            index = torch.tensor(ended, device=device)
            done = state.number[index]
            trained.copy_from(state.networks.select(index), done)
            elapsed[done], learned[done] = state.time[index], converged[index]
            left = sorted({*range(len(state.number))}.difference(ended))
            failures += len(failed)
            report(networks - len(left), failures)
            if not left:
                break
            state = state.select(torch.tensor(left, device=device))
        due = agenda[torch.searchsorted(agenda, state.time, right=True).clamp_max(len(times))]
        allowed = _allowed(state, tolerance)
        trial, length, error = state.tried(torch.minimum(state.step, due - state.time), target_mse, allowed)
        accepted = error <= allowed
        reached = state.time + length
        recorded = accepted & (reached >= due * (1 - 1e-12))
        time = torch.where(accepted, torch.where(recorded, due, reached), state.time)
        trial.residual = torch.where(accepted[:, None, None], trial.residual, state.residual)
        trial.before, trial.time = torch.where(accepted, length, state.before), time
        steps[state.number] += 1
        growth = SAFETY * (_allowed(trial, tolerance) / error.clamp_min(1e-300)).sqrt()  # of the step that comes
        growth = growth.clamp(SMALLEST_GROWTH, LARGEST_GROWTH)
        longer = accepted & (growth > 1)
        trial.step = torch.where(longer, torch.maximum(state.step, length * growth), length * growth)
        finished, converged = _ended(trial, steps, target_mse, max_steps)
        rejected, arrived, ended, failed = places(~accepted, recorded, finished, finished & ~converged)
        if rejected:
            trial.restore(state, torch.tensor(rejected, device=device))
        state = trial
        del trial  # its networks, if `state` is to be some of them
        if times and arrived:
            _record(snapshots, agenda, due, torch.tensor(arrived, device=device), state, x_test, start_test)
    ensemble.copy_from(trained, slice(None))
    if times:
        final = ensemble.forward(x_test) - start_test
        hold_final(snapshots, times, torch.where(learned, elapsed, torch.inf), final)
    rate = torch.full((networks,), torch.nan, dtype=torch.float64)
    return History(start, start_test, steps, rate, elapsed, learned, snapshots)


def _ended(
    state: "State", steps: Int[Tensor, " networks"], target_mse: float, max_steps: int
) -> tuple[Bool[Tensor, " active"], Bool[Tensor, " active"]]:
    """Which networks are done, and which have converged."""
    mse = state.residual.square().mean((1, 2))
    converged = mse < target_mse
    return converged | ~torch.isfinite(mse) | (steps[state.number] >= max_steps), converged


def _allowed(state: "State", tolerance: float) -> Float[Tensor, " active"]:
    """Local error that a step may make, in units of the labels' root mean square."""
    left = _rms(state.residual) / _rms(state.y)
    return tolerance * torch.minimum(1 / left, left / LATE**2)


@dataclass
class State:
    """Networks in training: where they are, and what their last step left to start the next one from.

    number : (active,) which networks of the ensemble these are
    x, y, origin : their training sets, and their outputs there at initialisation
    networks : Model; spare : Model, room for the next step
    frozen : the linear model in the middle of the last step
    start : where the next step starts, what the networks pass through on x
    residual : (active, n, outputs)
    step, before, time : (active,), the step to try next, the length of the last one, and the flow time
    """

    number: Int[Tensor, " active"]
    x: Float[Tensor, "..."]
    y: Float[Tensor, "active samples outputs"]
    origin: Float[Tensor, "active samples outputs"]
    networks: Model
    spare: Model
    frozen: FrozenModel
    start: Evaluation
    residual: Float[Tensor, "active samples outputs"]
    step: Float[Tensor, " active"]
    before: Float[Tensor, " active"]
    time: Float[Tensor, " active"]

    @classmethod
    def initial(cls, ensemble: Model, x: Float[Tensor, "..."], y: Float[Tensor, "networks samples outputs"]) -> "State":
        """At time 0, with a step in units of n / lambda_max."""
        evaluated = ensemble.evaluate(x)
        frozen = FrozenModel(ensemble.linearize(x, evaluated=evaluated), x.shape[-2])
        step = FIRST_STEP / frozen.largest_value(-y).clamp_min(1e-300)
        number, time = torch.arange(len(ensemble), device=ensemble.device), torch.zeros_like(step)
        spare = ensemble.empty_like()
        start = evaluated.trimmed()
        return cls(number, x, y, evaluated.values, ensemble, spare, frozen, start, -y, step, time, time)

    def select(self, keep: Int[Tensor, " left"]) -> "State":
        """The networks listed in `keep`."""
        return State(
            number=self.number[keep],
            x=self.x[keep] if self.x.ndim == 3 else self.x,
            y=self.y[keep],
            origin=self.origin[keep],
            networks=self.networks.select(keep),
            spare=self.spare.select(slice(len(keep))),
            frozen=self.frozen.select(keep),
            start=self.start.select(keep),
            residual=self.residual[keep],
            step=self.step[keep],
            before=self.before[keep],
            time=self.time[keep],
        )

    def tried(
        self, length: Float[Tensor, " active"], target_mse: float, allowed: Float[Tensor, " active"]
    ) -> tuple["State", Float[Tensor, " active"], Float[Tensor, " active"]]:
        """The state after one step of each network, the lengths taken (cut at the target), and the local errors.

        The errors are in units of the labels, as `allowed` is.
        """
        accuracy = allowed * _rms(self.y)  # of the middle, in which errors are of higher order
        cotangent = self.frozen.onward(self.residual, self.before, length, accuracy).to(self.networks.dtype)
        middle = self.frozen.expansion.descend(self.networks, cotangent / 2, out=self.spare)
        step = Step(self.start, self.frozen.expansion, cotangent)
        frozen = FrozenModel(middle.linearize(self.x, step), self.x.shape[-2])
        flow = frozen.flow(self.residual, length, KRYLOV_SHARE * accuracy)
        length = flow.time_to(0.99 * target_mse, length)
        cotangent = flow.displacement(length).to(self.networks.dtype)
        new = frozen.expansion.descend(self.networks, cotangent, out=self.spare)
        reached = new.evaluate(self.x)
        residual = reached.values - self.origin - self.y
        error = _rms(residual - flow.decayed(length)) / _rms(self.y)
        trial = replace(
            self,
            networks=new,
            spare=self.networks,
            frozen=frozen,
            start=reached.trimmed(),
            residual=residual,
            before=length,
        )
        return trial, length, error.nan_to_num(nan=torch.inf)

    def restore(self, before: "State", rejected: Int[Tensor, " rejected"]) -> None:
        """Bring back what the networks listed in `rejected` were before their step."""
        self.networks.copy_from(before.networks.select(rejected), rejected)
        self.frozen.copy_from(before.frozen.select(rejected), rejected)
        self.start.copy_from(before.start.select(rejected), rejected)


def _rms(values: Float[Tensor, "networks samples outputs"]) -> Float[Tensor, " networks"]:
    return values.double().square().mean((1, 2)).sqrt()


def _record(
    snapshots: Float[Tensor, "times networks points outputs"],
    agenda: Float[Tensor, " times_and_end"],
    due: Float[Tensor, " active"],
    arrived: Int[Tensor, " arrived"],
    state: State,
    x_test: Float[Tensor, "..."],
    start_test: Float[Tensor, "networks points outputs"],
) -> None:
    """Store the functions of the networks that have arrived at a requested time."""
    number = state.number[arrived]
    points = x_test if x_test.ndim == 2 else x_test[number]
    slot = torch.searchsorted(agenda, due[arrived])
    snapshots[slot, number] = state.networks.select(arrived).forward(points) - start_test[number]
