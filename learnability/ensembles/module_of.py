"""The PyTorch module of an architecture and a seed, and what it takes."""

from collections.abc import Sequence
from threading import Lock

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..common.errors import require
from ..kernels.empirical.initialisation import evaluated
from ..kernels.empirical.tangent import passing_bytes
from ..kernels.sequential import Sequential
from ..kernels.torch_module import TorchModule
from .memory import ModuleSize

_drawing = Lock()  # PyTorch's random numbers, from which modules take their weights, are those of the process


def made(
    architecture: Sequential | TorchModule, shape: Sequence[int], width: int | None, seed: int, outputs: int
) -> nn.Module:
    """The module of a seed, in evaluation mode.

    Raises
    ------
    ValueError
        A width for a module that has its own sizes, none for a list of layers.
    """
    if isinstance(architecture, Sequential):
        require(width is not None, f"{architecture!r} needs a width, the channels of its layers; write e.g. width=64")
        assert width is not None
        return architecture.module(shape, width, outputs, seed=int(seed)).eval()
    require(width is None, f"{architecture!r} has sizes of its own; width must be None, got {width}")
    with _drawing:
        return architecture.module(int(seed))


def module_size(
    architecture: Sequential | TorchModule,
    shape: Sequence[int],
    width: int | None,
    outputs: int,
    precision: torch.dtype = torch.float32,
) -> ModuleSize:
    """What decides the memory and time that a network takes.

    Raises
    ------
    ValueError
        As `ModuleEnsemble.initial`.
    """
    module = made(architecture, shape, width, 0, outputs).to(precision)
    point = torch.zeros(1, *shape, dtype=precision)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        number = evaluated(module, point).shape[1]
    require_outputs(architecture, number, outputs)
    parameters = sum(parameter.nbytes for parameter in module.parameters() if parameter.requires_grad)
    return ModuleSize(parameters, passing_bytes(module, point), counter.get_total_flops() // 2)


def require_outputs(architecture: Sequential | TorchModule, number: int, outputs: int) -> None:
    """ValueError if a network has another number of outputs than the labels have."""
    require(
        number == outputs,
        f"{architecture!r} has {number} outputs and the labels {outputs}; let the module return (points, {outputs})",
    )
