"""Architectures: whatever has a kernel of infinite width, and the networks of finite width that belong to it.

`architectures` lists the kinds that a configuration may ask for; a new one is one file and one line there. They are imported
when they are asked for, because a job that only reads spectra should not wait for PyTorch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common.errors import built

if TYPE_CHECKING:
    from .kernel import Kernel


def architectures() -> "dict[str, Callable[..., Kernel]]":
    """The kinds of architecture, {name in a configuration: class, or function that makes one}."""
    from .fully_connected import FullyConnected
    from .infinite import infinite_of
    from .own import OwnKernel
    from .radial import Gaussian, Laplace, Matern
    from .residual import Residual
    from .sequential import Sequential
    from .torch_module import TorchModule

    return {
        "fully_connected": FullyConnected,
        "residual": Residual,
        "sequential": Sequential,
        "gaussian": Gaussian,
        "laplace": Laplace,
        "matern": Matern,
        "callable": OwnKernel,
        "torch_module": TorchModule,
        "infinite": infinite_of,
    }


@dataclass(frozen=True)
class Described:
    """An architecture by its configuration entry, for what may never need its kernel because files hold the values."""

    entry: Mapping[str, Any]


def architecture_from(specification: Mapping[str, Any]) -> "Kernel":
    """The architecture that a configuration entry {parameters...} describes; `kind` is fully_connected unless given."""
    return built("architecture", architectures(), specification, "fully_connected")
