"""Training ensembles of finite networks, in blocks that fit into memory, by any method."""

import logging
import math
from collections.abc import Callable
from contextlib import contextmanager
from threading import Lock

import numpy as np
import torch

from ...common.arrays import finite_array
from ...common.arrays import labels as labels_from
from ...common.errors import choose, require, require_finite, whole
from ...common.threads import in_parallel, one_thread
from ...kernels.odd import warn_of_odd
from ...kernels.points import flattened
from ..families import family_of
from ..networks import as_tensor
from .methods import DTYPE, MAX_STEPS, TARGET_MSE, require_positive, trainer_from
from .result import TrainingResult, ignore

log = logging.getLogger(__name__)

CPU_BUDGET = 128 << 20  # bytes: twice as much costs a CPU a twentieth of its speed in cache misses and page faults
CUDA_SHARE = 0.6  # of the free memory of the device


def train(architecture, width, x_train, y_train, x_test, seeds, **settings):
    """Train one network per seed on one training set, all of them at once.

    Networks are in the NTK parameterization (Jacot et al. 2018, arXiv 1806.07572), their outputs are centred at initialisation,
    the loss is the mean squared error.

    Parameters
    ----------
    architecture : FullyConnected
    width : int
    x_train : (n, dim) or of more axes, y_train : (n,) or (n, outputs), x_test : (n_test, dim) or of more axes
    seeds : sequence of int
        Initial weights follow from (architecture, dim, width, outputs, seed).
    settings
        Those of `fit`: method, target_mse, max_steps, dtype, device, times, memory, report, keep_networks, and the
        method's own.

    Returns
    -------
    TrainingResult
        predictions (networks, n_test) or (networks, n_test, outputs), like y_train.

    Raises
    ------
    ValueError
        An unknown method, dtype or option, shapes that do not match, values that are not finite.
    """
    x_train, x_test = finite_array("x_train", x_train), finite_array("x_test", x_test)
    require(
        np.iterable(seeds), f"seeds must list seeds, got {seeds!r}; write range({seeds}) for that many, or [{seeds}]"
    )
    seeds = list(seeds)
    require(x_train.ndim >= 2, f"x_train must be (n, dim) or of more axes, got shape {x_train.shape}")
    y_train = labels_from("y_train", y_train, len(x_train), "x_train")
    warn_of_odd(architecture, y_train)
    labels = y_train if y_train.ndim == 2 else y_train[:, None]
    x, y = (np.broadcast_to(a, (len(seeds), *a.shape)) for a in (x_train, labels))
    result = fit(architecture, width, seeds, x, y, x_test, **settings)
    return result if y_train.ndim == 2 else result.squeezed()


@one_thread
def fit(
    architecture,
    width,
    seeds,
    x_train,
    y_train,
    x_test,
    method="gradient_flow",
    target_mse=TARGET_MSE,
    max_steps=MAX_STEPS,
    dtype=DTYPE,
    device=None,
    times=(),
    memory=None,
    report=ignore,
    keep_networks=False,
    **options,
):
    """Train one network per row, each on its own training set.

    Parameters
    ----------
    seeds : (networks,) ints; equal seeds mean equal initial weights
    x_train : (networks, n, ...), y_train : (networks, n, outputs), x_test : (n_test, ...)
    method : "gradient_flow", "gradient_descent", "sgd" or "adam"
    target_mse : float > 0
        Training stops when mean((y - f)^2) on the training set falls below it.
    max_steps : int
    dtype : "float32" or "float64"
    device : str, optional
        Missing: CUDA if there is one, else the CPU.
    times : increasing floats
        Flow times for `snapshots`; adam has none.
    memory : int, optional
        Bytes that the networks of a block may take; on a CPU as many blocks are trained at once as PyTorch has threads.
    report : callable
        Called as report(finished, failed): how many networks are done, and how many of these did not converge.
    keep_networks : bool
        Hand out the trained networks too, in the result's `networks`; they take as much memory as all their weights.
    options
        Of the method: `tolerance` (gradient_flow); `learning_rate`, `step_fraction` (gradient_descent, sgd); `batch_size`,
        `momentum` (sgd); `learning_rate`, `batch_size`, `betas` (adam).

    Returns
    -------
    TrainingResult
        Networks are trained in blocks that fit into `memory`; the result does not depend on the blocks. Where memory does
        not suffice all the same, a block is halved.

    Raises
    ------
    ValueError
        An unknown method, dtype or option, shapes that do not match, values that are not finite.
    MemoryError
        Memory does not suffice for a single network.
    """
    family = family_of(architecture)
    trainer = trainer_from(method, **options)
    require_positive(target_mse=target_mse, max_steps=max_steps)
    precision = getattr(torch, choose("dtype", dtype, ("float32", "float64")))
    device = _device(device)
    times = np.atleast_1d(np.asarray(times, dtype=float)).tolist()
    ordered = all(a < b for a, b in zip(times, times[1:])) and all(0 <= t < np.inf for t in times)
    require(ordered, f"times must be finite, >= 0 and increasing, got {times}")
    seeds, width = [whole("seed", seed) for seed in seeds], whole("width", width, 1)
    x_train, y_train, x_test = (np.asarray(a, dtype=float) for a in (x_train, y_train, x_test))
    if architecture.event_dims is None:  # its networks take flat points, as its kernel does
        x_train = x_train.reshape(*x_train.shape[:2], math.prod(x_train.shape[2:]))
        x_test = flattened(x_test)
    _check_arrays(seeds, x_train, y_train, x_test)
    size = block_size(architecture, width, x_train, y_train, x_test, precision, device, memory)
    dim, outputs = x_train.shape[-1], y_train.shape[-1]

    progress = _Progress(report)

    def trained(rows):
        ensemble = family.initial(architecture, dim, width, seeds[rows], outputs, precision, device)
        x, y, x_out = (as_tensor(a, precision, device) for a in (x_train[rows], y_train[rows], x_test))

        with _no_denormals(device):
            told = progress.of_block(rows.start)
            history = trainer.train(ensemble, x, y, x_out, target_mse, max_steps, times, told, seeds=seeds[rows])
            result = _result(ensemble, x, y, x_out, history, device)
        result.networks = ensemble.to("cpu") if keep_networks else None
        return result

    blocks = [slice(first, min(first + size, len(seeds))) for first in range(0, len(seeds), size)]
    each = in_parallel if device.type == "cpu" else map
    return TrainingResult.joined(
        [part for parts in each(lambda rows: _halved(trained, rows), blocks) for part in parts]
    )


class _Progress:
    """What blocks that are trained at once report, as of one ensemble."""

    def __init__(self, report: Callable[[int, int], None]) -> None:
        self._report, self._lock, self._counts = report, Lock(), {}

    def of_block(self, first: int) -> Callable[[int, int], None]:
        """What the block that begins with network `first` calls with its networks that are done, and that failed."""

        def told(finished: int, failed: int) -> None:
            with self._lock:
                self._counts[first] = finished, failed
                self._report(*map(sum, zip(*self._counts.values(), strict=True)))

        return told


def _halved(trained: Callable[[slice], TrainingResult], rows: slice) -> list[TrainingResult]:
    """trained(rows), or the same of its halves where memory does not suffice."""
    try:
        return [trained(rows)]
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            raise
        if rows.stop - rows.start == 1:
            raise MemoryError(
                f"memory does not suffice to train a single network ({str(error).splitlines()[0]}); give the job more, or "
                "take a smaller width or training set"
            ) from error
    half = (rows.stop - rows.start) // 2  # outside the handler, whose traceback keeps the block's tensors
    log.warning("memory does not suffice for %d networks at once, going on with %d", rows.stop - rows.start, half)
    torch.cuda.empty_cache()
    middle = rows.start + half
    return [*_halved(trained, slice(rows.start, middle)), *_halved(trained, slice(middle, rows.stop))]


def _out_of_memory(error):
    """Whether an error says that memory could not be had: NumPy's, CUDA's, its libraries' and the CPU allocator's differ."""
    told = any(words in str(error) for words in ("can't allocate memory", "not enough memory", "ALLOC_FAILED"))
    return told or isinstance(error, MemoryError | torch.OutOfMemoryError)


def _check_arrays(seeds, x_train, y_train, x_test):
    require(x_train.shape[1] > 0 and len(seeds) > 0, "training needs at least one sample and one seed")
    shape = f"{'a matrix ' if x_train.ndim == 3 else ''}(points, {', '.join(map(str, x_train.shape[2:]))})"
    require(x_test.shape[1:] == x_train.shape[2:], f"x_test must be {shape}, got shape {x_test.shape}")
    for name, values in (("x_train", x_train), ("y_train", y_train), ("x_test", x_test)):
        require_finite(name, values)


@contextmanager
def _no_denormals(device):
    """Flush denormal numbers to zero while networks train on a CPU, where they cost a hundred times a normal number."""
    flushing = device.type == "cpu" and torch.set_flush_denormal(True)
    try:
        yield
    finally:
        if flushing:
            torch.set_flush_denormal(False)


def _device(name):
    """The device to train on; ValueError if it does not exist."""
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise ValueError(f"device {name!r} is unknown; use 'cpu' or 'cuda'") from error
    present = device.type == "cpu" or (device.type == "cuda" and torch.cuda.is_available())
    require(present, f"device {name!r} is not available here; use 'cpu', or leave it out")
    return device


def _result(ensemble, x, y, x_test, history, device):
    learned = ensemble.forward(x) - history.start
    return TrainingResult(
        predictions=(ensemble.forward(x_test) - history.start_test).cpu().numpy(),
        train_predictions=learned.cpu().numpy(),
        train_mse=(learned - y).square().mean((1, 2)).cpu().numpy(),
        **{name: getattr(history, name).cpu().numpy() for name in FROM_HISTORY},
        device=str(device),
    )


FROM_HISTORY = ("converged", "steps", "learning_rate", "time", "snapshots")


def _free(device):
    """Bytes of a GPU that new tensors may take: those of nobody, and those that PyTorch keeps from tensors of before."""
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


def block_size(architecture, width, x_train, y_train, x_test, precision, device, memory=None):
    """How many networks to train at once within `memory` bytes (missing: what the device can spare), at least 1."""
    if memory is None:
        memory = CPU_BUDGET if torch.device(device).type == "cpu" else int(CUDA_SHARE * _free(device))
    n, dim, outputs = x_train.shape[-2], x_train.shape[-1], y_train.shape[-1]
    needed = family_of(architecture).bytes_in_training(architecture, width, dim, outputs, n, len(x_test), precision)
    return max(1, memory // needed)
