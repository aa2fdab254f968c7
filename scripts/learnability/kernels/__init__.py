"""Architectures: whatever has a kernel of infinite width, and the networks of finite width that belong to it.

`ARCHITECTURES` names the kinds that a configuration may ask for; a new one is one file and one line here.
"""

from ..common.errors import built
from .fully_connected import FullyConnected

__all__ = ["ARCHITECTURES", "FullyConnected", "architecture_from"]

ARCHITECTURES = {"fully_connected": FullyConnected}


def architecture_from(specification):
    """The architecture that a configuration entry {parameters...} describes; `kind` is fully_connected unless given."""
    return built("architecture", ARCHITECTURES, specification, "fully_connected")
