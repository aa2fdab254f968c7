"""The empirical tangent kernel of a module between points, in tiles, by the method that suits the module.

Which one that is follows from the module, never from a clock: methods differ by rounding, and a kernel has the same bytes in
every run on a machine.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...common.errors import require
from ...common.progress import counted
from ..kernel import Matrix
from ..user_code import in_a_line
from .factors import Factor, joined
from .initialisation import copied
from .layer_by_layer import LayerByLayer
from .samplewise import AllAtOnce, OneByOne

MEMORY = 1 << 30  # bytes that factors of points may take
WORK = 4  # what the making of factors takes, in units of themselves
LARGEST_TILE = 256  # points
BATCH = 32  # points that pass through the module at a time
COMPARED = 8  # points on which methods are compared, fewer where their Jacobians are large
FEW = 200_000  # trainable parameters up to which vmap is faster than a loop on a CPU, two to eight times for a tenth of them
# Of the largest entry, between two methods: rounding, far below what any layer adds.
AGREEMENT = {torch.float32: 1e-4, torch.float64: 1e-11}
Method = Callable[[Float[Tensor, "points ..."]], list[Factor]]


@dataclass(frozen=True)
class ChosenMethod:
    """How the kernel of a module is computed, and what that takes.

    Attributes
    ----------
    method : function of points (points, ...) that returns their factors
    point_bytes : int
        Bytes of the factors of a point.
    passing_bytes : int
        Bytes of what passes through the module for a point.
    """

    method: Method
    point_bytes: int
    passing_bytes: int

    def matrix(
        self, points: Float[Tensor, "points ..."], points2: Float[Tensor, "points2 ..."] | None, memory: int = MEMORY
    ) -> Matrix:
        """The tangent kernel between two sets of points, float64; points2 None: the first set with itself.

        Factors of the second set are kept if they fit into the memory, else made anew for every tile of rows.
        """
        columns = points if points2 is None else points2
        rows = min(LARGEST_TILE, max(1, memory // (4 * self.point_bytes)))
        batch = min(BATCH, max(1, memory // (2 * WORK * (self.point_bytes + self.passing_bytes))))

        def factors(part: Tensor) -> list[Factor]:
            return joined([self.method(some) for some in part.split(batch)])

        left_parts, right_parts = points.split(rows), columns.split(rows)
        keeps = 2 * len(columns) * self.point_bytes <= memory
        kept = [factors(part) for part in right_parts] if keeps else None
        matrix = points.new_empty(len(points), len(columns), dtype=torch.float64)
        for row, part in counted(enumerate(left_parts), "tiles of a tangent kernel"):
            left = kept[row] if kept is not None and points2 is None else factors(part)
            for column in range(row if points2 is None else 0, len(right_parts)):
                if kept is not None:
                    right = kept[column]
                else:
                    right = left if points2 is None and column == row else factors(right_parts[column])
                tile = gram(left, right)
                place = slice(rows * row, rows * row + rows), slice(rows * column, rows * column + rows)
                matrix[place] = tile
                if points2 is None and row != column:
                    matrix[place[::-1]] = tile.T
        return matrix


def gram(left: list[Factor], right: list[Factor]) -> Matrix:
    """The kernel of points that are known by their factors."""
    parts = [one.gram(other) for one, other in zip(left, right)]
    return torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]


def chosen(module: nn.Module, directions: Float[Tensor, "directions outputs"], points: Tensor) -> ChosenMethod:
    """The method of a module: layer by layer where that gives its kernel, else vmap of a small one, else a loop.

    Each method must give the kernel that the loop gives on a few points.

    Raises
    ------
    ValueError
        A module that cannot be differentiated.
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    bytes_of_parameters = sum(p.nbytes for p in trained)
    points = points[: min(COMPARED, max(2, MEMORY // (WORK * len(directions) * bytes_of_parameters)))]
    loop = OneByOne(copied(module), directions)  # a module may keep what it computes: each method has a copy of its own
    try:
        truth = loop(points)
    except RuntimeError as error:
        raise ValueError(
            f"the module cannot be differentiated: {in_a_line(error)}; its output must depend on its trainable parameters by "
            f"PyTorch's operations (no torch.no_grad, no rounding)"
        ) from error
    kernel = gram(truth, truth)
    require(
        bool(torch.isfinite(kernel).all()), "the module's gradients are not finite; scale the inputs or its weights"
    )
    passing = passing_bytes(module, points)
    at_once = points.is_cuda or sum(p.numel() for p in trained) <= FEW
    for kind in (LayerByLayer, AllAtOnce) if at_once else (LayerByLayer,):
        try:
            method = kind(copied(module), directions)
            factors = method(points)
        except Exception:  # whatever stops a method: the loop has passed
            continue
        agrees = (gram(factors, factors) - kernel).abs().max() <= AGREEMENT[points.dtype] * kernel.abs().max()
        if agrees:
            return ChosenMethod(method, _bytes(factors, points), passing)
    return ChosenMethod(loop, _bytes(truth, points), passing)


def passing_bytes(module: nn.Module, points: Float[Tensor, "points ..."]) -> int:
    """Bytes of what the parts of a module return for a point."""
    total = 0

    def count(part: nn.Module, arguments: object, output: object) -> None:
        nonlocal total
        total += output.nbytes if isinstance(output, Tensor) else 0

    with ExitStack() as hooks, torch.no_grad():
        for part in module.modules():
            hooks.enter_context(part.register_forward_hook(count))
        module(points[:1])
    return total


def _bytes(factors: list[Factor], points: Tensor) -> int:
    return max(1, sum(factor.nbytes for factor in factors) // len(points))
