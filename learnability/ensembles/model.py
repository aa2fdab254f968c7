"""What a trainer sees of networks: they evaluate, linearize and descend. Layers, widths and kinks are the model's own business.

An ensemble of networks of one architecture has the axis `networks` first in all its tensors: a trainer selects networks, copies
some over others, and drops those that are done. Methods that descend by gradients train all that is `Trainable`, any PyTorch
module among them. Exact gradient flow needs a `Model`, which expands to first order along a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

Index = Tensor | slice
SomeEvaluation = TypeVar("SomeEvaluation", bound="Evaluation")
SomeExpansion = TypeVar("SomeExpansion", bound="Expansion")
SomeModel = TypeVar("SomeModel", bound="Model")
SomeDescent = TypeVar("SomeDescent", bound="Descent")
SomeTrainable = TypeVar("SomeTrainable", bound="Trainable")


@runtime_checkable
class Evaluation(Protocol):
    """Outputs at given points, and what the model passed through on the way.

    Attributes
    ----------
    values : (networks, points, outputs)
    """

    values: Float[Tensor, "networks points outputs"]

    def trimmed(self: SomeEvaluation) -> SomeEvaluation:
        """The same without what a `Step` does not need."""

    def select(self: SomeEvaluation, index: Index) -> SomeEvaluation:
        """That of the networks listed in `index`."""

    def copy_from(self: SomeEvaluation, other: SomeEvaluation, index: Index) -> None:
        """Overwrite the networks listed in `index` by those of `other`, made at the same points."""


@runtime_checkable
class Expansion(Protocol[SomeModel]):
    """A model to first order in its parameters: f(parameters + change) = values + J change.

    Attributes
    ----------
    values : (networks, points, outputs)
    """

    values: Float[Tensor, "networks points outputs"]

    def tangent_kernel(
        self: SomeExpansion, other: SomeExpansion | None = None
    ) -> Float[Tensor, "networks rows columns"]:
        """J J'^T between these points and those of `other`, outputs the slow index."""

    def descend(
        self, model: SomeModel, cotangent: Float[Tensor, "networks points outputs"], out: SomeModel | None = None
    ) -> SomeModel:
        """The model at parameters - J^T c, c the cotangent; written into `out` if there is one."""

    def select(self: SomeExpansion, index: Index) -> SomeExpansion:
        """That of the networks listed in `index`."""

    def copy_from(self: SomeExpansion, other: SomeExpansion, index: Index) -> None:
        """Overwrite the networks listed in `index` by those of `other`, made at the same points."""


@dataclass
class Step(Generic[SomeEvaluation, SomeExpansion]):
    """A straight step of the parameters, -J^T c.

    Attributes
    ----------
    start : Evaluation
        Of the model at the start of the step.
    expansion : Expansion
        Whose J the step is made with.
    cotangent : (networks, points, outputs), c
    """

    start: SomeEvaluation
    expansion: SomeExpansion
    cotangent: Float[Tensor, "networks points outputs"]


@runtime_checkable
class Descent(Protocol):
    """Outputs at given points, and the way down from there."""

    @property
    def values(self) -> Float[Tensor, "networks points outputs"]:
        """Outputs."""

    def descend(self, model: Any, cotangent: Float[Tensor, "networks points outputs"], out: Any = None) -> Any:
        """The model at parameters - J^T c, c the cotangent; written into `out` if there is one."""

    def select(self: SomeDescent, index: Index) -> SomeDescent:
        """That of the networks listed in `index`."""


@runtime_checkable
class Trainable(Protocol):
    """Networks of one architecture, as trainers see them that follow gradients."""

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

    def constants(self) -> Sequence[Tensor]:
        """What a network has of its own beside its parameters, each (networks, ...)."""

    @classmethod
    def joined(cls: type[SomeTrainable], parts: Sequence[SomeTrainable]) -> SomeTrainable:
        """One model from several of the same architecture and shape."""

    def select(self: SomeTrainable, index: Index) -> SomeTrainable:
        """The networks listed in `index`: copied for a tensor of numbers or a mask, shared for a slice."""

    def to(self: SomeTrainable, device: torch.device | str) -> SomeTrainable:
        """The same networks on a device."""

    def copy_from(self: SomeTrainable, other: SomeTrainable, index: Index) -> None:
        """Overwrite the parameters of the networks listed in `index` by those of `other`."""

    def calibrated(self: SomeTrainable, x: Float[Tensor, "..."]) -> SomeTrainable:
        """The same networks, with what of them depends on the inputs x of a training set before training."""

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "networks points outputs"]:
        """Outputs at x, (points, ...) or (networks, points, ...): (networks, points, outputs)."""

    def linearize(self, x: Float[Tensor, "..."]) -> Descent:
        """The first-order expansion around the present parameters."""

    def largest_eigenvalues(self, x: Float[Tensor, "..."]) -> Float[Tensor, " networks"]:
        """Of J J^T on all outputs at the points x, in float64."""

    def largest_traces(self, x: Float[Tensor, "..."]) -> Float[Tensor, " networks"]:
        """The largest, over the points x, of the trace of J(x) J(x)^T, in float64."""


@runtime_checkable
class Model(Trainable, Protocol):
    """Networks that expand to first order along a step, for trainers that follow their flow exactly."""

    def empty_like(self: SomeModel) -> SomeModel:
        """As many networks of the same shape, their parameters not yet set."""

    def evaluate(self, x: Float[Tensor, "..."]) -> Evaluation:
        """`forward`, and what it passes through."""

    def linearize(
        self: SomeModel, x: Float[Tensor, "..."], step: Step | None = None, evaluated: Any = None
    ) -> Expansion[SomeModel]:
        """The first-order expansion around the present parameters, which are the middle of a `step` if there is one.

        evaluated : what `evaluate(x)` returned, optional
        """
