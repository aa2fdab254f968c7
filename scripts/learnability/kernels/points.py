"""Points as kernels take them."""

import numpy as np
import torch

from ..common.errors import require


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


def _points(x, name):
    if torch.is_tensor(x):
        points = x.to(torch.float64)
    else:  # copied to where PyTorch aligns memory: products of MKL depend on it in the last bit
        points = torch.tensor(np.asarray(x), dtype=torch.float64)
    require(points.ndim == 2, f"{name} must be a matrix (points, dim), got shape {tuple(points.shape)}")
    require(bool(torch.isfinite(points).all()), f"{name} holds values that are not finite")
    return points
