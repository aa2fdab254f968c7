"""Residual connections: the sum of two signals with independent weights, whose covariances and tangent kernels add."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ...common.errors import require
from .covariances import Covariances
from .finite import Sum
from .layer import PRE_ACTIVATIONS, Layer, Signal, modules, place, prepare_all, propagate_all, signals
from .reading import layers_from


@dataclass(frozen=True)
class Residual(Layer):
    """branch(z) + shortcut(z).

    Parameters
    ----------
    branch, shortcut : sequences of layers, as `learnability.Sequential` takes them
        A shortcut without layers, the default, is the identity.

    Raises
    ------
    ValueError
        Neither has weights of its own. `after` raises it where the two differ in shape, or end with features: the sum of
        activations has no kernel in closed form.
    """

    branch: tuple
    shortcut: tuple = ()

    name = "residual"

    def __post_init__(self) -> None:
        for name in ("branch", "shortcut"):
            with place(name):
                object.__setattr__(self, name, layers_from(getattr(self, name)))
        require(
            any(layer.fresh for layer in (*self.branch, *self.shortcut)),
            "branch and shortcut have no weights of their own, so that they are not independent; end the branch with a conv or "
            "dense layer",
        )

    @property
    def pools(self) -> bool:
        return any(layer.pools for layer in (*self.branch, *self.shortcut))

    @property
    def odd(self) -> bool:
        return all(layer.odd for layer in (*self.branch, *self.shortcut))

    @property
    def fresh(self) -> bool:
        return all(any(layer.fresh for layer in part) for part in (self.branch, self.shortcut))

    def after(self, signal: Signal) -> Signal:
        ends = {}
        for name in ("branch", "shortcut"):
            with place(name):
                ends[name] = signals(getattr(self, name), signal)[-1]
        branch, shortcut = ends["branch"], ends["shortcut"]
        require(
            branch.positions == shortcut.positions,
            f"the branch ends with {branch.place} and the shortcut with {shortcut.place}; give both the same strides, padding "
            "and pooling, e.g. shortcut: [{conv: {kernel: 1, strides: 2}}]",
        )
        for name, end in ends.items():
            require(
                end.stage == PRE_ACTIVATIONS,
                f"the {name} ends with {end.stage} and only pre-activations can be added; end it with a conv or dense layer, "
                "or move the activation before residual into the branch",
            )
        return branch

    def prepare(self, own: Covariances) -> tuple[tuple, Covariances]:
        shortcut_statistics, shortcut = prepare_all(self.shortcut, own.clone())
        branch_statistics, branch = prepare_all(self.branch, own)
        return (branch_statistics, shortcut_statistics), branch.plus(shortcut)

    def propagate(self, state: Covariances, left: tuple, right: tuple) -> Covariances:
        shortcut = propagate_all(self.shortcut, state.clone(), left[1], right[1])
        return propagate_all(self.branch, state, left[0], right[0]).plus(shortcut)

    def module(self, signal: Signal, width: int) -> tuple[nn.Module, int]:
        (branch, end), (shortcut, _) = (modules(part, signal, width) for part in (self.branch, self.shortcut))
        return Sum(branch, shortcut), end.units
