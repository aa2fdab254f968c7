"""What kernels take: two sets of points of the same shape, finite numbers."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..common.arrays import array, first_not_finite
from ..common.errors import require

Array = TypeVar("Array", np.ndarray, Tensor)  # what is given decides what is returned
SHAPES = {1: "a matrix (points, dim)", 2: "(points, channels, length)", 3: "(points, channels, height, width)"}


def matching_points(x: Array, x2: Array | None, event_dims: Sequence[int] | None) -> tuple[Tensor, Tensor | None]:
    """Two sets of points as float64 tensors on the first one's device; None where there is no second.

    Parameters
    ----------
    event_dims : how many axes a point may have; None: any number, and points are flattened to (points, dim)

    Raises
    ------
    ValueError
        Points of a shape that is not taken, or of different shapes; values that are not finite numbers.
    """
    points = _points("x", x, event_dims)
    if x2 is None:
        return points, None
    points2 = _points("x2", x2, event_dims).to(points.device)
    left, right = points.shape[1:], points2.shape[1:]
    if event_dims is None:
        require(left == right, f"x and x2 must have the same dimension, got {left[0]} and {right[0]}")
    require(left == right, f"the points of x and x2 must have the same shape, got {tuple(left)} and {tuple(right)}")
    return points, points2


def flattened(x: Array) -> Array:
    """Points of any shape (points, ...) as vectors (points, dim), a view of them where that is possible."""
    return x.reshape(len(x), math.prod(x.shape[1:]))


def _points(name: str, x: np.ndarray | Tensor, event_dims: Sequence[int] | None) -> Float[Tensor, "points ..."]:
    if isinstance(x, Tensor):
        points = x.to(torch.float64)
    else:  # copied to where PyTorch aligns memory: products of MKL depend on it in the last bit
        points = torch.tensor(np.ascontiguousarray(array(name, x)), dtype=torch.float64)
    allowed = " or ".join(SHAPES[dims] for dims in event_dims or (1,))
    fits = points.ndim >= 2 if event_dims is None else points.ndim - 1 in event_dims
    require(
        fits, f"{name} must be {allowed}{' or of more axes' if event_dims is None else ''}, got shape {_shape(points)}"
    )
    if event_dims is not None:
        require(0 not in points.shape[1:], f"{name} has points without numbers: its shape is {_shape(points)}")
    if isinstance(x, Tensor):
        require(bool(torch.isfinite(points).all()), f"{name} holds values that are not finite")
    else:
        first_not_finite(name, points.numpy())
    return flattened(points) if event_dims is None else points


def _shape(points: Tensor) -> tuple[int, ...]:
    return tuple(points.shape)
