"""The empirical tangent kernel of a module between points, in tiles, by the method that suits the module.

Which one that is follows from the module, never from a clock: methods differ by rounding, and a kernel has the same bytes in
every run on a machine.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...common.errors import require
from ...common.progress import counted
from ...common.threads import one_thread
from ..kernel import Matrix
from ..user_code import in_a_line
from .factors import Factor, of_batches
from .initialisation import copied
from .layer_by_layer import LayerByLayer
from .samplewise import AllAtOnce, OneByOne

MEMORY = 1 << 30  # bytes that factors of points may take
HELD = 1 << 24  # bytes of factors of points that are held together, of whatever layers
WORK = 4  # what the making of factors takes, in units of themselves
LARGEST_TILE = 256  # points
BATCH = 32  # points that pass through the module at a time
COMPARED = 4  # points on which methods are compared, fewer where their Jacobians are large
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
    factor_bytes : sequence of int
        Bytes of each of the factors of a point.
    passing_bytes : int
        Bytes of what passes through the module for a point.
    """

    method: Method
    factor_bytes: Sequence[int]
    passing_bytes: int

    @property
    def point_bytes(self) -> int:
        """Bytes of the factors of a point."""
        return max(1, sum(self.factor_bytes))

    def matrix(
        self, points: Float[Tensor, "points ..."], points2: Float[Tensor, "points2 ..."] | None, memory: int = MEMORY
    ) -> Matrix:
        """The tangent kernel between two sets of points, float64; points2 None: the first set with itself.

        Factors of some layers after the others, where all together would take much memory.
        """
        columns = points if points2 is None else points2
        matrix = points.new_zeros(len(points), len(columns), dtype=torch.float64)
        copies = self._copies(points)
        for layers in self._shares(len(columns)):
            share = replace(self, factor_bytes=self.factor_bytes[layers])
            methods = [replace(one, part=layers) if isinstance(one, LayerByLayer) else one for one in copies]
            share._add_to(matrix, methods, points, points2, memory)
        return matrix

    def _copies(self, points: Tensor) -> list[Method]:
        """The method for each of the threads; one where layers can have no inputs and signals of several batches at once."""
        if not isinstance(self.method, LayerByLayer) or points.is_cuda:
            return [self.method]
        modules = [copied(self.method.module) for _ in range(one_thread.threads - 1)]
        return [self.method, *(replace(self.method, module=one) for one in modules if one is not self.method.module)]

    def _shares(self, points: int) -> list[slice]:
        """Layers whose factors of so many points are held together: at most half of all numbers, or few."""
        if not isinstance(self.method, LayerByLayer):
            return [slice(None)]
        most = max(HELD // points, self.point_bytes // 2, *self.factor_bytes)
        shares, start = [], 0
        for end in range(1, len(self.factor_bytes) + 1):
            if end == len(self.factor_bytes) or sum(self.factor_bytes[start : end + 1]) > most:
                shares.append(slice(start, end))
                start = end
        return shares

    def _add_to(
        self,
        matrix: Matrix,
        methods: Sequence[Method],
        points: Float[Tensor, "points ..."],
        points2: Float[Tensor, "points2 ..."] | None,
        memory: int,
    ) -> None:
        """Add what some layers contribute, tile by tile.

        Factors of the second set are kept if they fit into the memory, else made anew for every tile of rows.
        """
        columns = points if points2 is None else points2
        rows = min(LARGEST_TILE, max(1, memory // (4 * self.point_bytes)))
        batch = min(BATCH, max(1, memory // (2 * WORK * len(methods) * (self.point_bytes + self.passing_bytes))))

        def factors(part: Tensor) -> list[Factor]:
            return of_batches(methods, part, batch)

        left_parts, right_parts = points.split(rows), columns.split(rows)
        keeps = 2 * len(columns) * self.point_bytes <= memory
        kept = [factors(part) for part in right_parts] if keeps else None
        for row, part in counted(enumerate(left_parts), "tiles of a tangent kernel"):
            left = kept[row] if kept is not None and points2 is None else factors(part)
            for column in range(row if points2 is None else 0, len(right_parts)):
                if kept is not None:
                    right = kept[column]
                else:
                    right = left if points2 is None and column == row else factors(right_parts[column])
                tile = gram(left, right)
                place = slice(rows * row, rows * row + rows), slice(rows * column, rows * column + rows)
                matrix[place] += tile
                if points2 is None and row != column:
                    matrix[place[::-1]] += tile.T


def gram(left: list[Factor], right: list[Factor]) -> Matrix:
    """The kernel of points that are known by their factors."""
    whole, *others = (one.gram(other) for one, other in zip(left, right, strict=True))
    for other in others:
        whole += other
    return whole


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


def _bytes(factors: list[Factor], points: Tensor) -> tuple[int, ...]:
    return tuple(factor.nbytes // len(points) for factor in factors)
