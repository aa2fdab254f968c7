"""The largest eigenvalue of symmetric matrices that are known by their products with vectors, by Lanczos' method."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ..common.seeding import stream

KRYLOV = 24  # steps: the largest eigenvalue of a tangent kernel to a thousandth, far below what a step size needs


def largest_of_kernel(
    product: Callable[[Float[Tensor, "networks points outputs"]], Float[Tensor, "networks points outputs"]],
    values: Float[Tensor, "networks points outputs"],
) -> Float[Tensor, " networks"]:
    """Of tangent kernels between all outputs at some points, to a thousandth, in float64.

    Parameters
    ----------
    product : cotangents to the kernel's product with them, in the precision of `values`
    values : outputs of the networks, of which only shape, precision and device count

    Examples
    --------
    >>> values = torch.zeros(1, 3, 2)
    >>> largest_of_kernel(lambda cotangent: 5 * cotangent, values).round(decimals=3)
    tensor([5.], dtype=torch.float64)
    """
    size = math.prod(values.shape[1:])
    start = torch.from_numpy(stream("largest eigenvalue", size=size).standard_normal(size)).to(values.device)

    def of_vectors(vector: Float[Tensor, "networks size"]) -> Float[Tensor, "networks size"]:
        return product(vector.to(values.dtype).view_as(values)).double().flatten(1)

    return largest_eigenvalue(of_vectors, start.expand(len(values), size), min(KRYLOV, size))


def largest_eigenvalue(
    product: Callable[[Float[Tensor, "networks size"]], Float[Tensor, "networks size"]],
    start: Float[Tensor, "networks size"],
    steps: int,
) -> Float[Tensor, " networks"]:
    """After so many steps, from a vector of each matrix.

    Examples
    --------
    >>> diagonal = torch.tensor([[3.0, 2.0, 1.0]], dtype=torch.float64)
    >>> largest_eigenvalue(lambda vector: diagonal * vector, torch.ones_like(diagonal), steps=3).round(decimals=6)
    tensor([3.], dtype=torch.float64)
    """
    vector = start / start.norm(dim=1, keepdim=True)
    basis, diagonal, beside = [vector], [], []
    for _ in range(steps):
        image = product(basis[-1])
        diagonal.append((image * basis[-1]).sum(1))
        for _ in range(2):  # twice is enough
            for other in basis:
                image = image - (image * other).sum(1, keepdim=True) * other
        beside.append(image.norm(dim=1))
        basis.append(image / beside[-1].clamp_min(torch.finfo(image.dtype).tiny)[:, None])
    matrices = torch.diag_embed(torch.stack(diagonal, 1))
    if steps > 1:
        off = torch.stack(beside[:-1], 1)
        matrices = matrices + torch.diag_embed(off, 1) + torch.diag_embed(off, -1)
    return torch.linalg.eigvalsh(matrices)[:, -1]
