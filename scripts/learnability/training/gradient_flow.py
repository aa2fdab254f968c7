r"""Gradient flow of the mean squared error by an error-controlled exponential integrator.

In time units in which the residual r = f - y of a linear model decays as exp(-Theta t / n), the parameters follow

    theta' = -J(theta)^T r / n.

Training is stiff because the eigenvalues of Theta = J J^T span many orders. With J frozen the flow has the exact
solution theta(h) = theta - J^T phi(h) r, phi(h) = Theta^-1 (1 - exp(-Theta h / n)), for any step h (an exponential
Euler method in function space; Hochbruck & Ostermann 2010, Acta Numerica 19). Freezing J at the *middle* of the step
makes it second order:

    theta_mid = theta_k - J^T phi(h) r_k / 2        with the J and Theta of the middle of the step before,
    theta_k+1 = theta_k - J_mid^T phi_mid(h) r_k,

one linearization and one eigendecomposition per step. Where the activation has a kink, its slopes in J_mid are means
over the step, so that units which come to rest on the kink do not stop the integration (`learnability.kinks`). The
difference between the true new residual and the one that the frozen kernel predicted estimates the local error.

What a network learns late moves its function little, while an early error decides which features it learns: followed
by exact training to the end, an error made at r = y ends three to six times larger than one made at r = y / 10. What
is bounded is therefore the local error of the loss, error times |r|.
"""

from copy import copy

import numpy as np
import torch

from ..networks import Step
from .result import hold_final, ignore

SAFETY = 0.9
LARGEST_GROWTH, SMALLEST_GROWTH = 8.0, 0.2
FIRST_STEP = 1.0  # in units of n / lambda_max
TOLERANCE = 0.002
LATE = 0.1  # residual, in units of the labels, below which the allowed error shrinks with it
BISECTIONS = 40


class FrozenKernel:
    """Spectral functions of Theta / n for every network of a batch, in float64."""

    def __init__(self, kernel, points):
        """kernel : (networks, m, m), points : n. One that is not finite counts as 0: its step is rejected later."""
        self.values, self.vectors = _eigh((kernel.double() / points).nan_to_num(0.0, 0.0, 0.0))
        self.values.clamp_(min=0.0)
        self.points = points

    def components(self, residual):
        """Components of (networks, n, outputs) in the eigenbasis: (networks, m)."""
        flat = residual.mT.reshape(len(residual), -1, 1).double()
        return torch.bmm(self.vectors.mT, flat)[..., 0]

    def _synthesize(self, components, like):
        flat = torch.bmm(self.vectors, components[..., None])[..., 0]
        return flat.view(len(like), like.shape[2], like.shape[1]).mT

    def displacement(self, step, residual):
        """phi(h) r, the cotangent c of the parameter change -J^T c; (networks, n, outputs)."""
        exponent = self.values * step[:, None]
        factor = torch.where(exponent > 0, -torch.expm1(-exponent) / self.values.clamp_min(1e-300), step[:, None])
        return self._synthesize(factor / self.points * self.components(residual), residual)

    def decayed(self, step, residual):
        """exp(-Theta h / n) r, (networks, n, outputs)."""
        return self._synthesize(torch.exp(-self.values * step[:, None]) * self.components(residual), residual)

    def time_to(self, mse, residual, longest):
        """The first time at which the frozen flow reaches the mean squared error, at most `longest`; (networks,)."""
        power = self.components(residual).square() / residual[0].numel()

        def exceeds(time):
            return (power * torch.exp(-2 * self.values * time[:, None])).sum(1) > mse

        low, high = torch.zeros_like(longest), longest
        if exceeds(longest).all():
            return longest
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            above = exceeds(middle)
            low, high = torch.where(above, middle, low), torch.where(above, high, middle)
        return high

    def select(self, index):
        """The kernels of the networks listed in `index`."""
        kernel = copy(self)
        kernel.values, kernel.vectors = self.values[index], self.vectors[index]
        return kernel

    def copy_from(self, other, index):
        """Overwrite the kernels of the networks listed in `index` by those of `other`."""
        self.values[index], self.vectors[index] = other.values, other.vectors


def gradient_flow(ensemble, x, y, x_test, target_mse, max_steps, times=(), tolerance=TOLERANCE, report=ignore):
    """Train an ensemble in place; see `learnability.training.fit` for the shapes.

    Each network takes its own steps, and stops at the time when its mean squared error reaches `target_mse`.

    Parameters
    ----------
    tolerance : float
        Largest local error of a step times the residual at its start, both root mean squares over the training set in
        units of that of y; half of the loss that a step may gain or lose wrongly, as a share of the initial loss.
    times : sorted floats
        Flow times at which the function on x_test is recorded. Steps end on them.

    Returns
    -------
    dict with start (networks, n, outputs), start_test (networks, n_test, outputs), steps, learning_rate, time,
    converged (networks,), snapshots (times, ...)
    """
    networks, points = len(ensemble), x.shape[-2]
    (start, hidden, _), start_test = ensemble.evaluate(x), ensemble.forward(x_test)
    snapshots = torch.full((len(times), *start_test.shape), torch.nan, dtype=ensemble.dtype, device=ensemble.device)
    snapshots[: sum(moment <= 0 for moment in times)] = 0.0
    agenda = torch.tensor([*times, torch.inf], dtype=torch.float64, device=ensemble.device)
    steps = torch.zeros(networks, dtype=torch.long, device=ensemble.device)
    elapsed = torch.zeros(networks, dtype=torch.float64, device=ensemble.device)

    active, xs, ys, origin = torch.arange(networks, device=ensemble.device), x, y, start
    now, spare, trained = ensemble, ensemble.empty_like(), ensemble.empty_like()
    expansion = now.linearize(xs)
    frozen = FrozenKernel(expansion.tangent_kernel(), points)
    residual = -ys
    step = FIRST_STEP / frozen.values[:, -1].clamp_min(1e-300)
    time, learned = elapsed.clone(), torch.zeros(networks, dtype=torch.bool, device=ensemble.device)
    while True:
        mse = residual.square().mean((1, 2))
        due = agenda[torch.searchsorted(agenda, time, right=True).clamp_max(len(times))]
        finished = (mse < target_mse) | ~torch.isfinite(mse) | (steps[active] >= max_steps)
        if finished.any():
            trained.copy_from(now.select(finished), active[finished])
            elapsed[active[finished]], learned[active[finished]] = time[finished], mse[finished] < target_mse
            keep = torch.nonzero(~finished).ravel()
            report(networks - len(keep), networks - len(keep) - int(learned.sum()))
            if len(keep) == 0:
                break
            active, now, expansion, frozen = active[keep], now.select(keep), expansion.select(keep), frozen.select(keep)
            spare = spare.select(slice(len(keep)))
            residual, step, time, due = residual[keep], step[keep], time[keep], due[keep]
            hidden = [z[keep] for z in hidden]
            ys, origin, xs = ys[keep], origin[keep], xs[keep] if xs.ndim == 3 else xs
        length = torch.minimum(step, due - time)
        cotangent = frozen.displacement(length, residual).to(now.dtype)
        middle = expansion.descend(now, cotangent / 2, out=spare)
        middle_expansion = middle.linearize(xs, Step(hidden, expansion.slopes, cotangent))
        middle_frozen = FrozenKernel(middle_expansion.tangent_kernel(), points)
        length = middle_frozen.time_to(0.99 * target_mse, residual, length)
        new = middle_expansion.descend(now, middle_frozen.displacement(length, residual).to(now.dtype), out=spare)
        new_values, new_hidden, _ = new.evaluate(xs)
        new_residual = new_values - origin - ys
        error = _rms(new_residual - middle_frozen.decayed(length, residual)) / _rms(ys)
        error = error.nan_to_num(nan=torch.inf)
        accepted = error <= _allowed(residual, ys, tolerance)
        if not accepted.all():
            rejected = torch.nonzero(~accepted).ravel()
            new.copy_from(now.select(rejected), rejected)
            middle_expansion.copy_from(expansion.select(rejected), rejected)
            middle_frozen.copy_from(frozen.select(rejected), rejected)
            for z, before in zip(new_hidden, hidden, strict=True):
                z[rejected] = before[rejected]
        now, spare, hidden = new, now, new_hidden
        expansion, frozen = middle_expansion, middle_frozen
        residual = torch.where(accepted[:, None, None], new_residual, residual)
        reached = time + length
        recorded = accepted & (reached >= due * (1 - 1e-12))
        time = torch.where(accepted, torch.where(recorded, due, reached), time)
        if recorded.any():
            _record(snapshots, agenda, due, recorded, active, now, x_test, start_test)
        steps[active] += 1
        growth = SAFETY * (_allowed(residual, ys, tolerance) / error.clamp_min(1e-300)).sqrt()
        growth = growth.clamp(SMALLEST_GROWTH, LARGEST_GROWTH)
        step = torch.where(accepted & (growth > 1), torch.maximum(step, length * growth), length * growth)
    ensemble.weights, ensemble.biases = trained.weights, trained.biases
    if times:
        hold_final(snapshots, times, torch.where(learned, elapsed, torch.inf), ensemble.forward(x_test) - start_test)
    rate = torch.full((networks,), torch.nan, dtype=torch.float64)
    history = {"steps": steps, "learning_rate": rate, "time": elapsed, "converged": learned, "snapshots": snapshots}
    return {"start": start, "start_test": start_test, **history}


def _eigh(matrices):
    """Batched eigendecomposition; where LAPACK's divide and conquer fails on the batch, NumPy's does it one by one."""
    try:
        return torch.linalg.eigh(matrices)
    except torch.linalg.LinAlgError:
        pairs = [np.linalg.eigh(matrix) for matrix in matrices.cpu().numpy()]
        return tuple(torch.from_numpy(np.stack(parts)).to(matrices.device) for parts in zip(*pairs, strict=True))


def _rms(values):
    return values.double().square().mean((1, 2)).sqrt()


def _allowed(residual, y, tolerance):
    """Local error that a step may make, in units of the labels' root mean square; (networks,)."""
    left = _rms(residual) / _rms(y)
    return tolerance * torch.minimum(1 / left, left / LATE**2)


def _record(snapshots, agenda, due, recorded, active, now, x_test, start_test):
    """Store the functions of the networks that have arrived at a requested time."""
    number = active[recorded]
    points = x_test if x_test.ndim == 2 else x_test[number]
    slot = torch.searchsorted(agenda, due[recorded])
    snapshots[slot, number] = now.select(recorded).forward(points) - start_test[number]
