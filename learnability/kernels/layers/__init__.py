"""Layers of networks of infinite width, for `learnability.Sequential`: one module for each family.

A layer is a frozen dataclass of its options that says what it does to covariances and tangent kernels (`Layer`); a new one is
one subclass, imported here.
"""

from .affine import Conv, Dense
from .flatten import Flatten, Shuffle, Unflatten
from .layer import Layer
from .nonlinearity import Nonlinearity
from .normalisation import LayerNorm
from .pooling import AvgPool, GlobalAvgPool
from .residual import Residual

__all__ = [
    "AvgPool",
    "Conv",
    "Dense",
    "Flatten",
    "GlobalAvgPool",
    "Layer",
    "LayerNorm",
    "Nonlinearity",
    "Residual",
    "Shuffle",
    "Unflatten",
]
