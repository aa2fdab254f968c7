r"""Slopes of piecewise-linear activations, averaged along a straight path of the parameters.

While a network with kinks follows its gradient flow, hundreds of its units come to rest exactly on a kink: on one side
the flow pushes the pre-activation z up, on the other side down. Such a *sliding mode* has an effective slope between
the two one-sided ones (Filippov 1988, Differential Equations with Discontinuous Righthand Sides), and a method that
takes the slope at a point jumps across the kink at every step.

The slope that moves the outputs by what the step moves z is the mean along it, (phi(z1) - phi(z0)) / (z1 - z0), a
discrete gradient (McLachlan, Quispel & Robidoux 1999). It depends on the end z1 of the step, which itself depends on
the slope: steepening the slope of a unit at one point by d moves the end of all its pre-activations by
-K(., point) pull d, with K the tangent kernel of the pre-activations and `pull` the back-propagated signal. The own
part, K(point, point), is solved for in closed form; Jacobi sweeps take care of the other points.
"""

import torch

SWEEPS = 2
DAMPING = 2.0  # of the sweeps: the number of points that sit on the kink of one unit is not known beforehand


def mean_slope(kink, start, middle, assumed, pull, kernel):
    """Mean slope of every unit at every point along a step.

    Parameters
    ----------
    kink : (slope below zero, slope above)
    start : (networks, points, width) pre-activations at the start of the step
    middle : the same in its middle, as predicted
    assumed : the same, the slopes with which the middle was predicted
    pull : the same, derivative of the end's pre-activation with respect to the slope, over -kernel
    kernel : (networks, points, points), tangent kernel of the pre-activations

    Returns
    -------
    (networks, points, width)
    """
    below, jump = kink[0], kink[1] - kink[0]
    end = 2 * middle - start
    share = assumed.sub(below).div_(jump)  # of the step that is spent above the kink
    pull = pull * jump
    stiffness = (pull * (DAMPING * kernel.diagonal(dim1=1, dim2=2)[..., None])).clamp_min_(0)
    above = (start > 0).to(start.dtype)
    for sweep in range(SWEEPS):
        previous, share = share, _share(start, above, end.addcmul(stiffness, share), stiffness)
        if sweep < SWEEPS - 1:
            end = torch.baddbmm(end, kernel, pull * (share - previous), alpha=-1)
    return share.mul_(jump).add_(below)


def _share(start, above, free, stiffness):
    """Solve share = F(z0, z1) for z1 = free - stiffness * share, with F the share of [z0, z1] above zero.

    From below the kink, z0 = -distance, F = z1 / (z1 + distance) makes it a quadratic equation; from above, the same
    holds for the share below. `above` is 1 where z0 > 0, else 0.
    """
    turn = 1 - 2 * above
    free = torch.addcmul(above * stiffness, turn, free).clamp_min_(0)
    distance, both = start.abs(), free + stiffness
    total = both + distance
    root = (free - stiffness).square_().addcmul_(distance, total.add(both)).sqrt_()
    crossed = free.mul_(2).div_(root.add_(total).clamp_min_(torch.finfo(free.dtype).tiny))
    return above.addcmul(turn, crossed)
