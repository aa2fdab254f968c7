"""Training ensembles of finite networks, in blocks that fit into memory, by any method."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from ...common.arrays import finite_array
from ...common.arrays import labels as labels_from
from ...common.errors import choose, require, require_finite, whole
from ...common.threads import in_parallel, one_thread
from ...kernels.odd import warn_of_odd
from ...kernels.points import flattened
from ..families import family_of, has_width, require_method
from ..model import Trainable
from ..networks import as_tensor
from .methods import DTYPE, MAX_STEPS, TARGET_MSE, require_positive, trainer_from
from .result import History, Report, TrainingResult, ignore

log = logging.getLogger(__name__)

CPU_BUDGET = 128 << 20  # bytes: twice as much costs a CPU a twentieth of its speed in cache misses and page faults
CUDA_SHARE = 0.6  # of the free memory of the device


def train(
    architecture: Any,
    width: int | None,
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    seeds: Iterable[int] | ArrayLike,
    **settings: Any,
) -> TrainingResult:
    """Train one network per seed on one training set, all of them at once.

    Fully connected networks and lists of layers are in the NTK parameterization (Jacot et al. 2018, arXiv 1806.07572). Outputs
    are centred at initialisation and the loss is the mean squared error, unless the settings say otherwise.

    Parameters
    ----------
    architecture : FullyConnected, Residual, Sequential or TorchModule
    width : int or None
        Of the hidden layers, of convolutions their channels; None for a TorchModule, which has sizes of its own.
    x_train : (n, dim) or of more axes, y_train : (n,) or (n, outputs), x_test : (n_test, dim) or of more axes
    seeds : sequence of int
        Initial weights follow from (architecture, shape of a point, width, outputs, seed). The network of a TorchModule of a
        seed is the one whose kernel is that of TorchModule(..., seed=seed); it is trained in evaluation mode.
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
        An unknown method, dtype or option, shapes that do not match, values that are not finite; method gradient_flow for other
        networks than fully connected and residual ones.

    Examples
    --------
    >>> import numpy as np
    >>> import learnability as lb
    >>> cube = lb.Hypercube(dim=8)
    >>> x, index = cube.sample(32, seed=0)
    >>> y = cube.parity(1)(x, index)
    >>> result = lb.train(lb.FullyConnected(depth=1), 512, x, y, cube.points, seeds=range(4))
    >>> result.predictions.shape
    (4, 256)
    >>> bool(np.corrcoef(result.predictions.mean(0), cube.parity(1)(cube.points))[0, 1] > 0.9)
    True

    Convolutions, whose kernel of infinite width is `layers.kernel`:

    >>> layers = lb.Sequential([{"conv": {"kernel": 3}}, "relu", "flatten", "dense"])
    >>> images = np.random.default_rng(0).standard_normal((40, 1, 8, 8))
    >>> labels = np.sign(images.mean((1, 2, 3)))
    >>> settings = {"seeds": range(2), "method": "gradient_descent"}
    >>> lb.train(layers, 32, images[:20], labels[:20], images[20:], **settings).predictions.shape
    (2, 20)
    """
    _require_order("train", "(n, dim)", x_train)
    x_train, x_test = finite_array("x_train", x_train), finite_array("x_test", x_test)
    numbers = _seeds(seeds)
    require(x_train.ndim >= 2, f"x_train must be (n, dim) or of more axes, got shape {x_train.shape}")
    y_train = labels_from("y_train", y_train, len(x_train), "x_train")
    warn_of_odd(architecture, y_train)
    labels = y_train if y_train.ndim == 2 else y_train[:, None]
    x, y = (np.broadcast_to(a, (len(numbers), *a.shape)) for a in (x_train, labels))
    result = fit(architecture, width, x, y, x_test, numbers, **settings)
    return result if y_train.ndim == 2 else result.squeezed()


@one_thread
def fit(
    architecture: Any,
    width: int | None,
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    seeds: Iterable[int] | ArrayLike,
    *,
    method: str = "gradient_flow",
    target_mse: float = TARGET_MSE,
    max_steps: int = MAX_STEPS,
    dtype: str = DTYPE,
    device: torch.device | str | None = None,
    times: Sequence[float] | ArrayLike = (),
    memory: int | None = None,
    report: Report = ignore,
    keep_networks: bool = False,
    **options: Any,
) -> TrainingResult:
    """Train one network per row, each on its own training set.

    Parameters
    ----------
    architecture, width : as in `train`
    x_train : (networks, n, ...), y_train : (networks, n, outputs), x_test : (n_test, ...)
    seeds : (networks,) ints; equal seeds mean equal initial weights
    method : "gradient_flow", "gradient_descent", "sgd" or "adam"
        Gradient flow is followed exactly, by fully connected and residual networks only.
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
        `momentum` (sgd); `learning_rate`, `batch_size`, `betas` (adam); of all but gradient_flow `loss`, `target_loss` and
        `centred`, see `learnability.ensembles.training.methods.ByGradients`.

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
    _require_order("fit", "(networks, n, dim)", x_train)
    family = family_of(architecture)
    trainer = trainer_from(method, **options)
    require_method(architecture, method)
    require_positive(target_mse=target_mse, max_steps=max_steps)
    precision = getattr(torch, choose("dtype", dtype, ("float32", "float64")))
    where = _device(device)
    moments: list[float] = np.atleast_1d(np.asarray(times, dtype=float)).tolist()
    ordered = all(a < b for a, b in zip(moments, moments[1:])) and all(0 <= t < np.inf for t in moments)
    require(ordered, f"times must be finite, >= 0 and increasing, got {moments}")
    numbers = _seeds(seeds)
    if has_width(architecture):
        width = whole("width", width, 1)
    else:
        require(width is None, f"{architecture!r} has sizes of its own: width must be None, got {width!r}")
    inputs, labels, points = (np.asarray(a, dtype=float) for a in (x_train, y_train, x_test))
    if architecture.event_dims is None:  # its networks take flat points, as its kernel does
        inputs = inputs.reshape(*inputs.shape[:2], math.prod(inputs.shape[2:]))
        points = flattened(points)
    _check_arrays(numbers, inputs, labels, points)
    size = block_size(architecture, width, inputs, labels, points, precision, where, memory)
    shape, outputs = inputs.shape[2:], labels.shape[-1]
    inputs, points = (a.reshape(*a.shape[: a.ndim - len(shape)], math.prod(shape)) for a in (inputs, points))
    progress = _Progress(report)

    def trained(rows: slice) -> TrainingResult:
        x, y, x_out = (as_tensor(a, precision, where) for a in (inputs[rows], labels[rows], points))
        initial = family.initial(architecture, shape, width, numbers[rows], outputs, precision, where)
        ensemble: Trainable = initial.calibrated(x)
        problem = (ensemble, x, y, x_out, target_mse, max_steps, moments, progress.of_block(rows.start))
        with _no_denormals(where):
            history = trainer.train(*problem, seeds=numbers[rows])
            result = _result(ensemble, x, y, x_out, history, where)
        result.networks = ensemble.to("cpu") if keep_networks else None
        return result

    blocks = [slice(first, min(first + size, len(numbers))) for first in range(0, len(numbers), size)]
    each = in_parallel if where.type == "cpu" else map
    parts = each(lambda rows: _halved(trained, rows), blocks)
    return TrainingResult.joined([result for results in parts for result in results])


def _require_order(function: str, shape: str, x_train: ArrayLike) -> None:
    """ValueError if seeds stand where the points belong."""
    require(
        np.ndim(x_train) != 1,
        f"x_train must be {shape}, got a list of {np.size(x_train)} numbers; seeds come last: "
        f"{function}(architecture, width, x_train, y_train, x_test, seeds, method=...)",
    )


def _seeds(seeds: Any) -> list[int]:
    """Seeds as a list of whole numbers; ValueError for anything else."""
    require(
        np.iterable(seeds), f"seeds must list seeds, got {seeds!r}; write range({seeds}) for that many, or [{seeds}]"
    )
    return [whole("seed", seed) for seed in seeds]


class _Progress:
    """What blocks that are trained at once report, as of one ensemble."""

    def __init__(self, report: Report) -> None:
        self._report, self._lock = report, Lock()
        self._counts: dict[int, tuple[int, int]] = {}

    def of_block(self, first: int) -> Report:
        """What the block that begins with network `first` calls with its networks that are done, and that failed."""

        def block_report(finished: int, failed: int) -> None:
            with self._lock:
                self._counts[first] = finished, failed
                self._report(*map(sum, zip(*self._counts.values(), strict=True)))

        return block_report


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


def _out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory could not be had: NumPy's, CUDA's, its libraries' and the CPU allocator's differ."""
    says_so = any(words in str(error) for words in ("can't allocate memory", "not enough memory", "ALLOC_FAILED"))
    return says_so or isinstance(error, MemoryError | torch.OutOfMemoryError)


def _check_arrays(
    seeds: Sequence[int],
    x_train: Float[np.ndarray, "..."],
    y_train: Float[np.ndarray, "..."],
    x_test: Float[np.ndarray, "..."],
) -> None:
    require(x_train.shape[1] > 0 and len(seeds) > 0, "training needs at least one sample and one seed")
    shape = f"{'a matrix ' if x_train.ndim == 3 else ''}(points, {', '.join(map(str, x_train.shape[2:]))})"
    require(x_test.shape[1:] == x_train.shape[2:], f"x_test must be {shape}, got shape {x_test.shape}")
    for name, values in (("x_train", x_train), ("y_train", y_train), ("x_test", x_test)):
        require_finite(name, values)


@contextmanager
def _no_denormals(device: torch.device) -> Iterator[None]:
    """Flush denormal numbers to zero while networks train on a CPU, where they cost a hundred times a normal number."""
    flushing = device.type == "cpu" and torch.set_flush_denormal(True)
    try:
        yield
    finally:
        if flushing:
            torch.set_flush_denormal(False)


def _device(name: torch.device | str | None) -> torch.device:
    """The device to train on; ValueError if it does not exist."""
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise ValueError(f"device {name!r} is unknown; use 'cpu' or 'cuda'") from error
    present = device.type == "cpu" or (device.type == "cuda" and torch.cuda.is_available())
    require(present, f"device {name!r} is not available on this machine; use 'cpu', or leave it out")
    return device


def _result(
    ensemble: Trainable,
    x: Float[Tensor, "..."],
    y: Float[Tensor, "networks samples outputs"],
    x_test: Float[Tensor, "..."],
    history: History,
    device: torch.device,
) -> TrainingResult:
    learned = ensemble.forward(x) - history.start
    return TrainingResult(
        predictions=(ensemble.forward(x_test) - history.start_test).cpu().numpy(),
        train_predictions=learned.cpu().numpy(),
        train_mse=(learned - y).square().mean((1, 2)).cpu().numpy(),
        **{name: getattr(history, name).cpu().numpy() for name in FROM_HISTORY},
        device=str(device),
    )


FROM_HISTORY = ("converged", "steps", "learning_rate", "time", "snapshots")


def _free(device: torch.device | str) -> int:
    """Bytes of a GPU that new tensors may take: those of nobody, and those that PyTorch keeps from tensors of before."""
    reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + reserved


def block_size(
    architecture: Any,
    width: int | None,
    x_train: Float[np.ndarray | Tensor, "networks samples ..."],
    y_train: Float[np.ndarray | Tensor, "networks samples outputs"],
    x_test: Float[np.ndarray | Tensor, "points ..."],
    precision: torch.dtype,
    device: torch.device | str,
    memory: int | None = None,
) -> int:
    """How many networks to train at once within `memory` bytes (missing: what the device can spare), at least 1."""
    if memory is None:
        memory = CPU_BUDGET if torch.device(device).type == "cpu" else int(CUDA_SHARE * _free(device))
    n, outputs, shape = y_train.shape[-2], y_train.shape[-1], tuple(x_test.shape[1:])
    needed = family_of(architecture).bytes_in_training(architecture, width, shape, outputs, n, len(x_test), precision)
    return max(1, memory // needed)
