"""Sliding windows over positions: how many there are, and sums over them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...common.errors import choose, require, whole

PADDINGS = ("same", "valid", "circular")


@dataclass(frozen=True)
class Window:
    """Windows on one position axis.

    Attributes
    ----------
    size, stride, before, after : int
        Positions in a window, from window to window, and added at either end.
    wraps : bool
        Whether the added positions are those of the other end, as on a ring; else they hold zeros.
    """

    size: int
    stride: int
    before: int
    after: int
    wraps: bool

    @classmethod
    def on(cls, positions: int, size: int, stride: int, padding: str | int) -> Window:
        """Windows on an axis of so many positions.

        `same` and `circular` make ceil(positions / stride) windows and pad the end where padding is odd, as XLA and
        neural-tangents do; a number is padded at both ends, as by PyTorch.
        """
        if isinstance(padding, int):
            before = after = padding
        else:
            windows = -(-positions // stride)
            total = 0 if padding == "valid" else max((windows - 1) * stride + size - positions, 0)
            before, after = total // 2, total - total // 2
        return cls(size, stride, before, after, padding == "circular")

    def count(self, positions: int) -> int:
        """How many windows there are on so many positions; none or less if the window is larger than they."""
        return (positions + self.before + self.after - self.size) // self.stride + 1

    def wrapped(self, positions: int, device: torch.device) -> Tensor:
        """The positions of a ring with those that padding repeats."""
        return torch.arange(-self.before, positions + self.after, device=device) % positions

    def sums(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        """Sums of a tensor over windows that slide along several axes together, each of the same size; a new tensor."""
        before = self.before
        if self.wraps:
            index = self.wrapped(tensor.shape[axes[0]], tensor.device)
            for axis in axes:
                tensor = tensor.index_select(axis, index)
            before = 0
        size = tensor.shape[axes[0]]
        count = self.count(size) if not self.wraps else (size - self.size) // self.stride + 1
        parts = [self._part(shift - before, size, count) for shift in range(self.size)]
        parts = [part for part in parts if part[0].start < part[0].stop]
        everywhere = [part for part in parts if part[0] == slice(0, count)]
        if everywhere:
            total = _sliced(tensor, axes, everywhere[0][1]).clone(memory_format=torch.contiguous_format)
            parts.remove(everywhere[0])
        else:
            total = tensor.new_zeros([count if axis in axes else length for axis, length in enumerate(tensor.shape)])
        for target, source in parts:
            _sliced(total, axes, target).add_(_sliced(tensor, axes, source))
        return total

    def _part(self, shift: int, size: int, count: int) -> tuple[slice, slice]:
        """The windows that have a position at a shift from their start, and these positions."""
        first = max(0, -(shift // self.stride))
        last = max(first, min(count, (size - 1 - shift) // self.stride + 1))
        start = first * self.stride + shift
        return slice(first, last), slice(start, start + (last - first - 1) * self.stride + 1, self.stride)


def _sliced(tensor: Tensor, axes: tuple[int, ...], part: slice) -> Tensor:
    """A part of several axes, which are named one by one: a slice of every axis would take as long as the sum itself."""
    for axis in axes:
        tensor = tensor[(slice(None),) * axis + (part,)]
    return tensor


def sizes(name: str, value: object) -> int | tuple[int, ...]:
    """An option that is one whole number for all position axes, or a list with one for each."""
    if isinstance(value, list | tuple):
        require(len(value) in (1, 2), f"{name} must be a whole number or a list of one or two, got {value!r}")
        return tuple(whole(name, part, 1) for part in value)
    return whole(name, value, 1)


def padding_of(value: object) -> str | int:
    """The option `padding`."""
    if isinstance(value, str):
        return choose("padding", value, PADDINGS)
    try:
        return whole("padding", value)
    except ValueError as error:
        raise ValueError(f"padding must be {', '.join(PADDINGS)} or a whole number >= 0, got {value!r}") from error


def windows(
    name: str,
    positions: tuple[int, ...],
    size: int | tuple[int, ...],
    strides: int | tuple[int, ...],
    padding: str | int,
) -> list[Window]:
    """The windows on every position axis.

    Raises
    ------
    ValueError
        Options for another number of axes; a window larger than the axis.
    """
    per_axis = []
    for option, value in ((name, size), ("strides", strides)):
        values = (value,) * len(positions) if isinstance(value, int) else value
        require(
            len(values) == len(positions),
            f"{option} {list(values)} is for {len(values)} position axes, the points have {len(positions)}; write {option}: "
            f"{list((values * 2)[: len(positions)])}",
        )
        per_axis.append(values)
    chosen = [Window.on(n, length, stride, padding) for n, length, stride in zip(positions, *per_axis, strict=True)]
    for axis, (n, window) in enumerate(zip(positions, chosen, strict=True)):
        require(
            window.count(n) >= 1,
            f"{name} {window.size} is larger than the {n} positions of axis {axis + 1} with padding {padding}; write at most "
            f"{n}, or padding: same",
        )
    return chosen
