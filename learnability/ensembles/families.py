"""Which architectures have finite networks, and the models that are made of them; a new family is one line here."""

from typing import Any

from ..common.errors import require
from ..kernels.fully_connected import FullyConnected
from ..kernels.sequential import Sequential
from ..kernels.torch_module import TorchModule
from .modules import ModuleEnsemble
from .networks import Ensemble

FAMILIES: dict[type, type[Ensemble] | type[ModuleEnsemble]] = {
    FullyConnected: Ensemble,
    Sequential: ModuleEnsemble,
    TorchModule: ModuleEnsemble,
}
EXACT = "gradient_flow"  # the method that needs more of networks than gradients


def trains(architecture: Any) -> bool:
    """Whether an architecture has finite networks."""
    return isinstance(architecture, tuple(FAMILIES))


def has_width(architecture: Any) -> bool:
    """Whether the networks of an architecture have a width that is not decided by the architecture."""
    return not isinstance(architecture, TorchModule)


def family_of(architecture: Any) -> type[Ensemble] | type[ModuleEnsemble]:
    """The class of models of an architecture; ValueError if it is a kernel only."""
    require(trains(architecture), f"{architecture!r} is a kernel only: it has no networks to train")
    return next(model for kind, model in FAMILIES.items() if isinstance(architecture, kind))


def require_method(architecture: Any, method: str) -> None:
    """ValueError if networks of an architecture cannot be trained by a method."""
    require(
        method != EXACT or family_of(architecture) is Ensemble,
        f"method {EXACT} follows fully connected and residual networks only, and {architecture!r} is another module; write "
        f"method: gradient_descent (the same at small steps), sgd or adam",
    )
