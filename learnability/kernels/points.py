"""What kernels take, and what leaves them: points of the same dimension, finite numbers."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..common.arrays import array, first_not_finite
from ..common.errors import require

FLAT = {2: "a matrix (points, dim)"}
SIGNALS = {**FLAT, 3: "(points, channels, length)", 4: "(points, channels, height, width)"}
TRIALS = 8  # of a weight_std that does not overflow


def matching_points(x: Any, x2: Any = None) -> tuple[Tensor, Tensor]:
    """Two sets of points (points, dim) as float64 tensors on the first one's device; x2 missing: the same tensor twice.

    Raises
    ------
    ValueError
        Arrays that are not two-dimensional or of different dimension, values that are not finite numbers.
    """
    points = _points(x, "x")
    points2 = points if x2 is None else _points(x2, "x2").to(points.device)
    require(
        points.shape[1] == points2.shape[1],
        f"x and x2 must have the same dimension, got {points.shape[1]} and {points2.shape[1]}",
    )
    return points, points2


def matching_signals(x: Any, x2: Any = None) -> tuple[Tensor, Tensor]:
    """As `matching_points`, of flat points, sequences (points, channels, length) or images (points, channels, height, width).

    Raises
    ------
    ValueError
        Arrays of other shapes, without channels or positions, or of different shapes; values that are not finite.
    """
    points = _points(x, "x", SIGNALS)
    points2 = points if x2 is None else _points(x2, "x2", SIGNALS).to(points.device)
    require(0 not in points.shape[1:], f"x has points without numbers: its shape is {tuple(points.shape)}")
    require(
        points.shape[1:] == points2.shape[1:],
        f"the points of x and x2 must have the same shape, got {tuple(points.shape[1:])} and {tuple(points2.shape[1:])}",
    )
    return points, points2


def kernel_values(kernel: Any, compute: Callable, points: Tensor, points2: Tensor, x: Any, kind: str = "ntk") -> Any:
    """The matrix of a kernel as it leaves the library: of finite numbers, NumPy's where x is, else on the device of x.

    Parameters
    ----------
    kernel : the kernel, whose name a message says
    compute : (kernel, points (n, dim), points2 (n2, dim)) -> (n, n2)
    points, points2 : from `matching_points` or `matching_signals`, the same tensor where there is one set

    Raises
    ------
    ValueError
        A value that is not finite, with the largest depth or weight_std that would do.
    """
    matrix = compute(kernel, points, points2)
    finite = torch.isfinite(matrix)
    if not finite.all():
        row, column = torch.nonzero(~finite)[0].tolist()
        largest = (part[part.flatten(1).square().sum(1).argmax()] for part in (points, points2))
        few = torch.stack([points[row], points2[column], *largest])
        raise ValueError(_overflow(kernel, lambda one: compute(one, few, few), (row, column), kind))
    return matrix.to(x.device) if torch.is_tensor(x) else matrix.cpu().numpy()


def _overflow(kernel: Any, compute: Callable, entry: tuple[int, int], kind: str) -> str:
    """What to say of a kernel that is not finite; `compute` gives it on the points where that shows."""
    what = (
        f"the {kind} of {kernel!r} is not finite at row {entry[0]}, column {entry[1]}: it exceeds the largest float64"
    )

    def fits(**changed) -> bool:
        return bool(torch.isfinite(compute(replace(kernel, **changed))).all())

    scale = "scale the inputs, e.g. to unit variance"
    if not hasattr(kernel, "depth") or not fits(depth=0):
        return f"{what}; {scale}"
    least, most = 0, kernel.depth  # finite at the first, not at the second
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if fits(depth=middle) else (least, middle)
    if least == 0:
        return f"{what}; {scale}"
    low, high = 0.0, kernel.weight_std
    for _ in range(TRIALS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(weight_std=middle) else (low, middle)
    narrower = f", weight_std {math.floor(100 * low) / 100:g} or less (at depth {kernel.depth})" if low >= 0.01 else ""
    return f"{what}; take depth {least} or less (at weight_std {kernel.weight_std:.4g}){narrower}, or {scale}"


def _points(x: Any, name: str, shapes: dict[int, str] = FLAT) -> Tensor:
    if torch.is_tensor(x):
        points = x.to(torch.float64)
    else:  # copied to where PyTorch aligns memory: products of MKL depend on it in the last bit
        points = torch.tensor(np.ascontiguousarray(array(name, x)), dtype=torch.float64)
    require(points.ndim in shapes, f"{name} must be {' or '.join(shapes.values())}, got shape {tuple(points.shape)}")
    if torch.is_tensor(x):
        require(bool(torch.isfinite(points).all()), f"{name} holds values that are not finite")
    else:
        first_not_finite(name, points.numpy())
    return points
