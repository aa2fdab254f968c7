"""Which architectures have finite networks, and the models that are made of them; a new family is one line here."""

from typing import Any

from ..common.errors import require
from ..kernels.fully_connected import FullyConnected
from .networks import Ensemble

FAMILIES = {FullyConnected: Ensemble}


def trains(architecture: Any) -> bool:
    """Whether an architecture has finite networks."""
    return isinstance(architecture, tuple(FAMILIES))


def family_of(architecture: Any) -> type[Ensemble]:
    """The class of models of an architecture; ValueError if it is a kernel only."""
    require(trains(architecture), f"{architecture!r} is a kernel only: it has no networks to train")
    return next(model for kind, model in FAMILIES.items() if isinstance(architecture, kind))
