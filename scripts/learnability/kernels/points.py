"""Points as kernels take them."""

import numpy as np
import torch

from ..common.errors import require

FLAT = {2: "a matrix (points, dim)"}
SIGNALS = {**FLAT, 3: "(points, channels, length)", 4: "(points, channels, height, width)"}


def matching_points(x, x2=None):
    """Two sets of points (points, dim) as float64 tensors on the first one's device; x2 missing: the same tensor twice.

    Raises
    ------
    ValueError
        Arrays that are not two-dimensional or of different dimension, values that are not finite.
    """
    points = _points(x, "x")
    points2 = points if x2 is None else _points(x2, "x2").to(points.device)
    require(
        points.shape[1] == points2.shape[1],
        f"x and x2 must have the same dimension, got {points.shape[1]} and {points2.shape[1]}",
    )
    return points, points2


def matching_signals(x, x2=None):
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


def _points(x, name, shapes=FLAT):
    points = torch.as_tensor(x if torch.is_tensor(x) else np.asarray(x)).to(torch.float64)
    require(points.ndim in shapes, f"{name} must be {' or '.join(shapes.values())}, got shape {tuple(points.shape)}")
    require(bool(torch.isfinite(points).all()), f"{name} holds values that are not finite")
    return points
