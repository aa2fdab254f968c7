"""Kernel matrices of lists of layers, in tiles of pairs of points that pass through all layers while they stay in the cache.

Variances of points come first, from covariances of points with themselves: they also give the exact diagonal.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...common.errors import require
from ...common.threads import in_parallel, one_thread
from .covariances import Covariances
from .flatten import Arrangement, EqualPositions
from .layer import Layer, Signal, prepare_all, propagate_all

CPU_TILE = 1 << 19  # bytes of a tile: larger ones leave the cache, smaller ones wait for Python
CUDA_TILE = 1 << 27
BUFFERS = 8  # of a tile's size that are alive at a time
VARIANCES = 1 << 12  # of which Hermite coefficients are made at a time: each takes a grid of some thousand numbers
TASKS = 1 << 10  # that tiles are dealt to, like cards: of equal length, and few, for there may be millions of tiles
MEMORY = 1 << 30  # bytes for the statistics of points


@dataclass(frozen=True)
class PreparedPoints:
    """Points with what layers need of each of them before they are paired.

    Attributes
    ----------
    signal : Tensor
        (positions, points, channels).
    statistics : tuple
        Of every layer, see `Layer.prepare`.
    diagonal : Tensor
        (points,) kernel of each point with itself.
    """

    signal: Tensor
    statistics: tuple
    diagonal: Tensor

    def part(self, points: slice) -> PreparedPoints:
        """Some of the points."""
        return PreparedPoints(
            self.signal[:, points], _each(lambda t: t[:, points], self.statistics), self.diagonal[points]
        )

    def __len__(self) -> int:
        return len(self.diagonal)


class LayersKernel:
    """The kernel of a list of layers between points of one shape, which `unflatten` or `shuffle` has arranged already.

    Parameters
    ----------
    layers : sequence of Layer
    signals : sequence of Signal
        Before every layer, and after the last one.
    kind : "ntk" or "nngp"
    dtype : torch.dtype
        Of covariances between different points.
    """

    def __init__(
        self, layers: Sequence[Layer], signals: Sequence[Signal], kind: str, dtype: torch.dtype = torch.float64
    ) -> None:
        self.dtype = dtype
        if isinstance(layers[0], Arrangement):
            layers, signals = layers[1:], signals[1:]
        self.positions = signals[0].positions
        pooled = max((number for number, layer in enumerate(layers, 1) if layer.pools), default=0)
        self.layers = [*layers[:pooled], EqualPositions(), *layers[pooled:]] if pooled else list(layers)
        self.everywhere, self.with_tangent = pooled > 0, kind == "ntk"
        counts = [math.prod(signal.positions) for signal in signals]
        self.entries = max([n**2 for n in counts[: pooled + 1] if pooled] + counts)

    def matrix(self, x: Tensor, x2: Tensor, symmetric: bool) -> Tensor:
        """K(x, x2), (points, points2), of points of shape (points, channels, *positions).

        Raises
        ------
        ValueError
            More memory would be needed than the machine has.
        """
        self._require_memory(x, len(x2))
        matrix = x.new_empty(len(x), len(x2))
        blocks, blocks2 = ([p[part] for part in _parts(len(p), self._block(p))] for p in (x, x2))
        first = 0
        for number, block in enumerate(blocks):
            left, second = self.prepare(block), 0
            for number2, block2 in enumerate(blocks2):
                same = symmetric and number2 == number
                part = matrix[first : first + len(block), second : second + len(block2)]
                if same or not symmetric or number2 > number:
                    right = left if same else self.prepare(block2)
                    self._fill(part, left, right, same)
                    if symmetric and not same:
                        matrix[second : second + len(block2), first : first + len(block)] = part.T
                second += len(block2)
            first += len(block)
        return matrix

    def prepare(self, x: Tensor) -> PreparedPoints:
        """Statistics of every layer, such as variances, and the exact diagonal."""
        signal = x.reshape(len(x), x.shape[1], -1).permute(2, 0, 1).contiguous()
        parts = _of_tasks(self._own, [signal[:, part] for part in _parts(len(x), self._chunk(x))], x.device)
        statistics, diagonals = zip(*parts, strict=True)
        in_precision = _each(lambda tensor: tensor.to(self.dtype), _joined(statistics))
        return PreparedPoints(signal, in_precision, torch.cat(diagonals))

    def _own(self, signal: Tensor) -> tuple[tuple, Tensor]:
        """Memory of layers and kernel of each point with itself, (points,)."""
        points = signal.transpose(0, 1)
        if self.everywhere:
            covariance = (points @ points.mT).reshape(len(points), *self.positions, 1, *self.positions, 1)
        else:
            covariance = points.square().sum(2).reshape(len(points), *self.positions, 1, 1)
        statistics, own = prepare_all(self.layers, self._input(covariance, signal))
        return statistics, own.kernel.reshape(-1)

    def _tile(self, left: PreparedPoints, right: PreparedPoints) -> Tensor:
        """The kernel between a few points and a few others."""
        if self.everywhere:
            covariance = left.signal.flatten(0, 1) @ right.signal.flatten(0, 1).T
            shape = (1, *self.positions, len(left), *self.positions, len(right))
        else:
            covariance = left.signal @ right.signal.mT
            shape = (1, *self.positions, len(left), len(right))
        state = self._input(covariance.reshape(shape).to(self.dtype), left.signal)
        return propagate_all(self.layers, state, left.statistics, right.statistics).kernel[0]

    def _input(self, covariance: Tensor, signal: Tensor) -> Covariances:
        """The state of inputs from their inner products over channels."""
        covariance = covariance.div_(signal.shape[-1])
        return Covariances(covariance, None, len(self.positions), self.everywhere, self.with_tangent)

    def _fill(self, matrix: Tensor, left: PreparedPoints, right: PreparedPoints, symmetric: bool) -> None:
        """A block of the kernel matrix, tile by tile."""
        pairs = self._tile_pairs(matrix.device)
        rows = 1 << int(math.log2(pairs) / 2)
        columns = max(1, pairs // rows)
        row_parts, column_parts = _parts(len(left), rows), _parts(len(right), columns)
        tiles = len(row_parts) * len(column_parts)

        def fill(numbers: range) -> None:
            for row, column in (divmod(number, len(column_parts)) for number in numbers):
                tile = row_parts[row], column_parts[column]
                if not symmetric or tile[1].stop > tile[0].start:
                    matrix[tile] = self._tile(left.part(tile[0]), right.part(tile[1]))

        _of_tasks(fill, [range(first, tiles, TASKS) for first in range(min(tiles, TASKS))], matrix.device)
        if symmetric:
            upper = torch.triu(matrix, 1)
            matrix.copy_(upper).add_(upper.T).diagonal().add_(left.diagonal)

    def _block(self, x: Tensor) -> int:
        """Points of which layers may know at a time, by what they know of the largest one."""
        if not len(x):
            return 1
        largest = x.flatten(1).square().sum(1).argmax()
        return max(1, MEMORY // (4 * _bytes(self.prepare(x[largest : largest + 1]).statistics) + 1))

    def _chunk(self, x: Tensor) -> int:
        """Points whose covariances with themselves are computed at a time."""
        return max(1, min(self._tile_pairs(x.device), VARIANCES // x[0, 0].numel()))

    def _tile_pairs(self, device: torch.device) -> int:
        """Pairs of points of a tile."""
        return max(1, (CPU_TILE if device.type == "cpu" else CUDA_TILE) // (self.dtype.itemsize * self.entries))

    def _require_memory(self, x: Tensor, points2: int) -> None:
        """Require that the machine has the memory for one tile and for the matrix."""
        workers = _workers(x.device)
        tile, matrix = 8 * BUFFERS * workers * self.entries, 8 * len(x) * points2
        have = _memory(x.device)
        require(
            tile <= have,
            f"this network needs covariances between all pairs of its positions, {self.entries} for one pair of points: about "
            f"{tile / 2**30:.1f} GiB, and the machine has {have / 2**30:.1f}; pool the images before, use strides, or flatten",
        )
        require(
            tile + matrix <= have,
            f"the kernel matrix of {len(x)} x {points2} points takes {matrix / 2**30:.1f} GiB, and the machine has "
            f"{have / 2**30:.1f}; use fewer points, or lb.large_spectrum, which holds no matrix",
        )


def _parts(size: int, step: int) -> list[slice]:
    return [slice(start, min(start + step, size)) for start in range(0, size, step)]


def _each(function: Callable[[Tensor], Tensor], statistics: Any) -> Any:
    """A function applied to every tensor of nested tuples."""
    return (
        tuple(_each(function, part) for part in statistics) if isinstance(statistics, tuple) else function(statistics)
    )


def _bytes(statistics: Any) -> int:
    if isinstance(statistics, tuple):
        return sum(map(_bytes, statistics))
    return statistics.numel() * statistics.element_size()


def _joined(parts: list[Any] | tuple[Any, ...]) -> Any:
    """Statistics of parts of the points as one; Hermite series of different length are filled up with zeros."""
    if isinstance(parts[0], tuple):
        return tuple(map(_joined, zip(*parts, strict=True)))
    if parts[0].ndim > 2:
        longest = max(part.shape[2] for part in parts)
        parts = [torch.nn.functional.pad(part, (0, longest - part.shape[2])) for part in parts]
    return torch.cat(parts, 1)


def _workers(device: torch.device) -> int:
    return one_thread.threads if device.type == "cpu" else 1


def _of_tasks(function: Callable, tasks: Iterable, device: torch.device) -> list:
    """The function of every task; on CPUs each task has one core to itself, so that its tensors stay in that core's cache."""
    return in_parallel(function, tasks) if device.type == "cpu" else [function(task) for task in tasks]


def _memory(device: torch.device) -> int:
    """Bytes of memory."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
