"""What a trainer sees of networks: they evaluate, linearize and descend. Layers, widths and kinks are the model's own business.

A `Model` is an ensemble of networks of one architecture. Its tensors have the axis `networks` first: a trainer selects
networks, copies some over others, and drops those that are done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from torch import Tensor

Index = Tensor | slice


class Evaluation(Protocol):
    """Outputs at given points, and what the model passed through on the way.

    Attributes
    ----------
    values : (networks, points, outputs)
    """

    values: Tensor

    def trimmed(self) -> Self:
        """The same without what a `Step` does not need."""

    def select(self, index: Index) -> Self:
        """That of the networks listed in `index`."""

    def copy_from(self, other: Self, index: Index) -> None:
        """Overwrite the networks listed in `index` by those of `other`, made at the same points."""


class Expansion(Protocol):
    """A model to first order in its parameters: f(parameters + change) = values + J change.

    Attributes
    ----------
    values : (networks, points, outputs)
    """

    values: Tensor

    def tangent_kernel(self, other: Self | None = None) -> Tensor:
        """J J'^T between these points and those of `other`, (networks, outputs * points, outputs * points'), outputs slow."""

    def descend(self, model: "Model", cotangent: Tensor, out: "Model | None" = None) -> "Model":
        """The model at parameters - J^T c, c being (networks, points, outputs); written into `out` where it is given."""

    def select(self, index: Index) -> Self:
        """That of the networks listed in `index`."""

    def copy_from(self, other: Self, index: Index) -> None:
        """Overwrite the networks listed in `index` by those of `other`, made at the same points."""


@dataclass
class Step:
    """A straight step of the parameters, -J^T c.

    Attributes
    ----------
    start : Evaluation
        Of the model at the start of the step.
    expansion : Expansion
        Whose J the step is made with.
    cotangent : (networks, points, outputs), c
    """

    start: Evaluation
    expansion: Expansion
    cotangent: Tensor


class Model(Protocol):
    """Networks of one architecture, as trainers see them."""

    @property
    def outputs(self) -> int:
        """Number of outputs of a network."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the parameters."""

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""

    def __len__(self) -> int:
        """Number of networks."""

    def parameters(self) -> Sequence[Tensor]:
        """All parameters, each (networks, ...)."""

    def select(self, index: Index) -> Self:
        """The networks listed in `index`: copied for a tensor of numbers or a mask, shared for a slice."""

    def to(self, device: torch.device | str) -> Self:
        """The same networks on a device."""

    def empty_like(self) -> Self:
        """As many networks of the same shape, their parameters not yet set."""

    def copy_from(self, other: Self, index: Index) -> None:
        """Overwrite the networks listed in `index` by those of `other`."""

    def forward(self, x: Tensor) -> Tensor:
        """Outputs at x, (points, ...) or (networks, points, ...): (networks, points, outputs)."""

    def evaluate(self, x: Tensor) -> Evaluation:
        """`forward`, and what it passes through."""

    def linearize(self, x: Tensor, step: Step | None = None, evaluated: Evaluation | None = None) -> Expansion:
        """The first-order expansion around the present parameters, which are the middle of `step` if one is given."""
