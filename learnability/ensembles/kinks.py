r"""Slopes of piecewise-linear activations, averaged over the time of a step.

While a network with kinks follows its gradient flow, hundreds of its units come to rest exactly on a kink: on one side
the flow pushes the pre-activation z up, on the other side down. Such a *sliding mode* has an effective slope between
the two one-sided ones (Filippov 1988, Differential Equations with Discontinuous Righthand Sides), and a method that
takes the slope at a point jumps across the kink at every step.

Here every unit meets its kink, stays on it or crosses it at its own moment within the step. During a step, in units of
its length, z moves with velocity v - kappa slope: steepening the slope of a unit at one point by d moves the end of all
its pre-activations by -K(., point) pull d, with K the tangent kernel of the pre-activations and `pull` the
back-propagated signal, so that kappa = K(point, point) pull for the point itself. With one velocity on each side of
the kink, the mean slope is known in closed form. Jacobi sweeps take care of the other points; a unit that is at rest on
its kink at several points at once is damped by the sum of what these do to each other.
"""

import torch
from jaxtyping import Float
from torch import Tensor

SWEEPS = 2


def mean_slope(
    kink: tuple[float, float],
    start: Float[Tensor, "networks points width"],
    middle: Float[Tensor, "networks points width"],
    assumed: Float[Tensor, "networks points width"],
    pull: Float[Tensor, "networks points width"],
    kernel: Float[Tensor, "networks points points"],
) -> Float[Tensor, "networks points width"]:
    """Mean slope of every unit at every point over the time of a step.

    Parameters
    ----------
    kink : (slope below zero, larger slope above)
    start : (networks, points, width) pre-activations at the start of the step
    middle : the same in its middle, as predicted
    assumed : the same, the slopes with which the middle was predicted
    pull : the same, derivative of the end's pre-activation with respect to the slope, over -kernel
    kernel : (networks, points, points), tangent kernel of the pre-activations

    Returns
    -------
    (networks, points, width)
    """
    sign, distance = start.sign(), start.abs()
    side = sign * ((kink[1] - kink[0]) / 2) + (kink[1] + kink[0]) / 2  # the slope at the start
    stiffness, tiny = _stiffness(kink, assumed, pull, kernel), torch.finfo(start.dtype).tiny
    resistance = stiffness.clamp_min(tiny)
    drift, slope = (middle - start).mul_(2), assumed  # with the slope `assumed`, z would move by `drift`
    for sweep in range(SWEEPS):
        previous = slope
        approach = (slope - side).mul_(stiffness).add_(drift).mul_(sign).neg_().clamp_min_(tiny)
        arrival = torch.div(distance, approach, out=approach).clamp_(max=1)
        after = torch.addcdiv(slope, drift, resistance).clamp_(*kink)  # above, below, or what keeps it at rest between
        slope = torch.lerp(after, side, arrival, out=after)
        if sweep < SWEEPS - 1:
            drift.baddbmm_(kernel, (slope - previous).mul_(pull), alpha=-1)
    return slope


def _stiffness(
    kink: tuple[float, float],
    assumed: Float[Tensor, "networks points width"],
    pull: Float[Tensor, "networks points width"],
    kernel: Float[Tensor, "networks points points"],
) -> Float[Tensor, "networks points width"]:
    """kappa; where positive, at least the row sum of |K pull| over the points that are between the slopes.

    The sum bounds the largest eigenvalue of their coupling, with it Jacobi sweeps converge.
    """
    own = pull * kernel.diagonal(dim1=1, dim2=2)[..., None]
    between = (assumed - kink[0]).mul_(kink[1] - assumed).sign_().mul_(pull).abs_()
    damped = torch.maximum(own, torch.bmm(kernel.abs(), between)).mul_(own.sign().clamp_min_(0))
    return damped.add_(own.clamp_max(0))
