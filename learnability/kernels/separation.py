r"""The first pre-activations of near points, from differences of the points.

With x' = +-x + e, whichever sign makes e shorter, r the part of e perpendicular to x, a = weight_std^2 / dim, b = bias_std^2,

    Var[u - v] = a |x - x'|^2,    Var[u + v] = a |x + x'|^2 + 4b,    det Sigma = a^2 |x|^2 |r|^2 + a b |x - x'|^2.

The products x.x' of points whose norm is a million times their distance have lost all digits of the three.
"""

import torch
from torch import Tensor

from .duals import Separation

NEAR = (
    1e-4  # 1 - |rho| of pairs whose distance, or sum, is computed from the points: others lose 4 digits of 16 at most
)
CHUNK = 1 << 21  # coordinates held at a time


def near_pairs(var1: Tensor, var2: Tensor, cov: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of the pairs whose correlation is nearly 1 or -1; var1 (points,), var2 (points2,)."""
    scale = var1.sqrt()[:, None] * var2.sqrt()[None, :]
    rows, columns = torch.nonzero(cov.abs() > (1 - NEAR) * scale, as_tuple=True)
    return rows, columns


def separation(x: Tensor, x2: Tensor, weight: float, bias: float) -> Separation:
    """Of pairs of points x, x2 (pairs, dim), at the variances weight = weight_std^2 / dim and bias = bias_std^2."""
    step = max(1, CHUNK // x.shape[1])
    parts = [_part(*pair, weight, bias) for pair in zip(x.split(step), x2.split(step), strict=True)]
    return Separation(*(torch.cat(values) for values in zip(*parts, strict=True)))


def _part(x: Tensor, x2: Tensor, weight: float, bias: float) -> tuple[Tensor, Tensor, Tensor]:
    apart, together = (x2 - x).square().sum(1), (x2 + x).square().sum(1)
    nearer = torch.where((apart <= together)[:, None], x, -x)
    across = _perpendicular(nearer, x2).square().sum(1)
    determinant = weight**2 * x.square().sum(1) * across + weight * bias * apart
    return weight * apart, weight * together + 4 * bias, determinant


def _perpendicular(x: Tensor, x2: Tensor) -> Tensor:
    """The part of x2 - x perpendicular to x, to all its digits: what rounding takes from a sum or product is put back."""
    step = x2 - x
    virtual = step + x
    step_error = (x2 - virtual) - (x - (virtual - step))  # Knuth's two-sum
    norm = x.square().sum(1, keepdim=True)
    norm = torch.where(norm > 0, norm, 1.0)
    share = (x * step).sum(1, keepdim=True) / norm
    product = share * x
    rest = (step - product) + (step_error - _product_error(share, x, product))
    return rest - (x * rest).sum(1, keepdim=True) / norm * x


def _product_error(a: Tensor, b: Tensor, product: Tensor) -> Tensor:
    """a b - fl(a b), exactly (Dekker 1971)."""
    (high, low), (high2, low2) = _split(a), _split(b)
    return ((high * high2 - product) + high * low2 + low * high2) + low * low2


def _split(a: Tensor) -> tuple[Tensor, Tensor]:
    scaled = 134217729.0 * a  # 2^27 + 1
    high = scaled - (scaled - a)
    return high, a - high
