"""A module at initialisation, from the function that builds it, and whether it has a tangent kernel at all."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ...common.errors import require
from ...common.seeding import digest, hash_of
from ..user_code import in_a_line

BATCH = 256  # points of which batch normalisation takes means at a time
PROBED = 3  # points that are evaluated together and alone
SAME = 1e-4  # of the largest output: what rounding of single precision leaves between two evaluations
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def initialised(factory: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A module of a seed, in evaluation mode; the random numbers of PyTorch are left as they were.

    Raises
    ------
    ValueError
        A function that fails or returns no module; a module without trainable parameters, or with lazy ones.
    """
    require(
        not isinstance(factory, nn.Module) and callable(factory),
        f"a function that builds the module is needed, for its weights follow from a seed: lambda: nn.Sequential(...); got "
        f"{type(factory).__name__}",
    )
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        try:
            module = factory()
        except Exception as error:
            raise ValueError(f"the function that builds the module fails: {in_a_line(error)}") from error
    require(
        isinstance(module, nn.Module),
        f"the function must return a torch.nn.Module, got {type(module).__name__}",
    )
    require(
        not any(is_lazy(tensor) for tensor in _tensors(module)),
        "the module has lazy layers, whose shapes are not decided; write their sizes, e.g. nn.Linear(64, 10)",
    )
    require(
        any(p.requires_grad for p in module.parameters()),
        "the module has no trainable parameter; leave requires_grad=True where it shall learn, e.g. in its last layer",
    )
    broken = [name for name, p in module.named_parameters() if not bool(torch.isfinite(p).all())]
    require(not broken, f"parameter {broken[0] if broken else ''} of the module is not finite at initialisation")
    dtypes = {p.dtype for p in module.parameters() if p.requires_grad}
    require(
        len(dtypes) == 1 and dtypes <= {torch.float32, torch.float64},
        f"the module's parameters are {', '.join(sorted(map(str, dtypes)))}; its tangent kernel needs one precision, single or "
        f"double: let the function return module.float()",
    )
    return copied(module).eval()  # a function may return one and the same module


def copied(module: nn.Module) -> nn.Module:
    """A copy; the module itself where PyTorch cannot copy it (its older weight_norm)."""
    try:
        return copy.deepcopy(module)
    except RuntimeError:
        return module


def fingerprint(module: nn.Module) -> str:
    """The digest of a module's layers, parameters, buffers, and which of them are trained."""
    named = [*module.named_parameters(), *module.named_buffers()]
    return digest([repr(module), [(name, t.requires_grad, hash_of(t.detach().cpu().numpy())) for name, t in named]])


def dtype_of(module: nn.Module) -> torch.dtype:
    """The precision of a module: that of its first trainable parameter."""
    return next(p.dtype for p in module.parameters() if p.requires_grad)


def uncalibrated(module: nn.Module) -> list[Any]:
    """Layers of batch normalisation whose statistics are those of no data."""
    layers: list[Any] = [layer for layer in module.modules() if isinstance(layer, BATCH_NORMS)]
    with_statistics = [layer for layer in layers if layer.running_mean is not None]
    return [layer for layer in with_statistics if not layer.running_mean.any() and bool((layer.running_var == 1).all())]


def calibrate(module: nn.Module, points: Float[Tensor, "points ..."]) -> None:
    """Set the statistics of batch normalisation by one pass over points."""
    require(len(points) > 1, "batch normalisation takes its statistics from at least two points; call .calibrated(x)")
    layers = uncalibrated(module)
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.train().momentum = None  # the mean over all batches
    with torch.no_grad():
        for part in points.tensor_split(-(-len(points) // BATCH)):
            evaluated(module, part)
    for layer, momentum in zip(layers, momenta):
        layer.eval().momentum = momentum


def outputs_of(value: object, points: int) -> Float[Tensor, "points outputs"]:
    """What a module returned as (points, outputs); ValueError where it is something else."""
    remedy = "let forward return one tensor (points, outputs)"
    require(isinstance(value, Tensor), f"the module returns {type(value).__name__}; {remedy}")
    assert isinstance(value, Tensor)
    require(
        value.ndim in (1, 2) and value.shape[0] == points and value.is_floating_point(),
        f"the module returns {value.dtype} of shape {tuple(value.shape)} for {points} points; {remedy}",
    )
    return value if value.ndim == 2 else value[:, None]


def evaluated(module: nn.Module, points: Float[Tensor, "points ..."]) -> Float[Tensor, "points outputs"]:
    """Outputs at points; ValueError where the module fails on them."""
    try:
        value = module(points)
    except Exception as error:
        shape = ", ".join(map(str, points.shape[1:]))
        raise ValueError(
            f"the module fails on points of shape ({shape}), some at a time: {in_a_line(error)}; let its first layer take this "
            f"shape (nn.Flatten() before a dense one, as many channels as x has), or give x in the shape that it takes"
        ) from error
    return outputs_of(value, len(points))


def require_function_of_points(module: nn.Module, points: Float[Tensor, "points ..."]) -> int:
    """The number of outputs of a module that is a function of each point by itself.

    Raises
    ------
    ValueError
        A module that fails, that is random in evaluation, whose output depends on other samples of its batch or is not finite.
    """
    points = points[:PROBED]
    with torch.no_grad():
        together, again = evaluated(module, points), evaluated(module, points)
        apart = _has_statistics(module) and _same(
            together, torch.cat([evaluated(module, point[None]) for point in points])
        )
    require(
        bool(torch.isfinite(together).all()), "the module's outputs are not finite; scale the inputs or its weights"
    )
    require(
        _same(together, again),
        "the module is random in evaluation: two passes differ; use nn.Dropout, which evaluation turns off, or draw "
        "random numbers once, when the module is built",
    )
    require(
        apart,
        "a sample's output depends on the other samples of its batch: there is no kernel of two points; let batch "
        "normalisation track its statistics (track_running_stats=True), or normalise over channels (GroupNorm)",
    )
    return together.shape[1]


def _has_statistics(module: nn.Module) -> bool:
    """Whether all batch normalisation has statistics of its own, and does not take those of each batch."""
    return all(layer.running_mean is not None for layer in module.modules() if isinstance(layer, BATCH_NORMS))


def _same(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= SAME * one.abs().max())


def _tensors(module: nn.Module) -> Iterable[Tensor]:
    yield from module.parameters()
    yield from module.buffers()
