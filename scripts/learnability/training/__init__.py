"""Training ensembles of finite networks. Every method has the same interface and the same result type.

`METHODS` names the trainers; a new one is one file and one line here.
"""

from contextlib import contextmanager

import numpy as np
import torch

from ..errors import choose, require, whole
from ..networks import Ensemble, as_tensor
from .gradient_descent import gradient_descent
from .gradient_flow import gradient_flow
from .result import TrainingResult, ignore

METHODS = {"gradient_flow": gradient_flow, "gradient_descent": gradient_descent}
CPU_BUDGET = 128 << 20  # bytes: twice as much costs a CPU a twentieth of its speed in cache misses and page faults
CUDA_SHARE = 0.6  # of the free memory of the device


def train(
    architecture,
    width,
    x_train,
    y_train,
    x_test,
    seeds,
    method="gradient_flow",
    target_mse=1e-5,
    max_steps=10_000,
    dtype="float32",
    device=None,
    times=(),
    memory=None,
    report=ignore,
    **options,
):
    """Train one network per seed on one training set, all of them at once.

    Parameters
    ----------
    architecture : FullyConnected
    width : int
    x_train : (n, dim), y_train : (n,) or (n, outputs), x_test : (n_test, dim)
    seeds : sequence of int
        Initial weights follow from (architecture, dim, width, outputs, seed).
    method : "gradient_flow" or "gradient_descent"
    target_mse : float
        Training stops when mean((y - f)^2) on the training set falls below it.
    max_steps : int
    dtype : "float32" or "float64"
    device : str, optional
        Missing: CUDA if there is one, else the CPU.
    times : sorted floats
        Flow times for `snapshots`.
    memory : int, optional
        Bytes that the networks trained at once may take.
    report : callable
        Called as report(finished, failed): how many networks are done, and how many of these did not converge.
    options
        Of the method: `tolerance` (gradient_flow), `learning_rate`, `step_fraction` (gradient_descent).

    Returns
    -------
    TrainingResult
        predictions (networks, n_test) or (networks, n_test, outputs), like y_train.

    Raises
    ------
    ValueError
        An unknown method, dtype or option, shapes that do not match, values that are not finite.
    """
    x_train, y_train, x_test = (np.asarray(a, dtype=float) for a in (x_train, y_train, x_test))
    seeds = list(seeds) if np.iterable(seeds) else [seeds]
    require(x_train.ndim == 2, f"x_train must be a matrix (n, dim), got shape {x_train.shape}")
    require(y_train.ndim in (1, 2), f"y_train must be (n,) or (n, outputs), got shape {y_train.shape}")
    require(len(x_train) == len(y_train), f"x_train has {len(x_train)} rows, y_train {len(y_train)}")
    many = y_train.ndim == 2
    labels = y_train if many else y_train[:, None]
    result = fit(
        architecture,
        width,
        seeds,
        np.broadcast_to(x_train, (len(seeds), *x_train.shape)),
        np.broadcast_to(labels, (len(seeds), *labels.shape)),
        x_test,
        method=method,
        target_mse=target_mse,
        max_steps=max_steps,
        dtype=dtype,
        device=device,
        times=times,
        memory=memory,
        report=report,
        **options,
    )
    return result if many else result.squeezed()


def fit(
    architecture,
    width,
    seeds,
    x_train,
    y_train,
    x_test,
    method="gradient_flow",
    target_mse=1e-5,
    max_steps=10_000,
    dtype="float32",
    device=None,
    times=(),
    memory=None,
    report=ignore,
    **options,
):
    """Train one network per row, each on its own training set: `train` with batched data.

    Parameters
    ----------
    seeds : (networks,) ints; equal seeds mean equal initial weights
    x_train : (networks, n, dim), y_train : (networks, n, outputs), x_test : (n_test, dim)

    Returns
    -------
    TrainingResult
        Networks are trained in blocks that fit into `memory`; the result does not depend on the blocks.
    """
    trainer = METHODS[choose("training method", method, METHODS)]
    precision = getattr(torch, choose("dtype", dtype, ("float32", "float64")))
    device = _device(device)
    allowed = set(trainer.__code__.co_varnames[: trainer.__code__.co_argcount]) - RESERVED
    for name, value in {**options, "max_steps": max_steps}.items():
        choose(f"option of {method}", name, {*allowed, "max_steps"})
        require(np.isfinite(value) and value > 0, f"{name} must be finite and > 0, got {value!r}")
    require(target_mse >= 0, f"target_mse must be >= 0, got {target_mse!r}")
    times = np.atleast_1d(np.asarray(times, dtype=float)).tolist()
    ordered = all(a < b for a, b in zip(times, times[1:])) and all(0 <= t < np.inf for t in times)
    require(ordered, f"times must be finite, >= 0 and increasing, got {times}")
    seeds, width = [whole("seed", seed) for seed in seeds], whole("width", width)
    x_train, y_train, x_test = (np.asarray(a, dtype=float) for a in (x_train, y_train, x_test))
    require(x_train.shape[1] > 0 and len(seeds) > 0, "training needs at least one sample and one seed")
    same = x_test.ndim == 2 and x_test.shape[1] == x_train.shape[2]
    require(same, f"x_test must be a matrix (points, {x_train.shape[2]}), got shape {x_test.shape}")
    for name, values in (("x_train", x_train), ("y_train", y_train), ("x_test", x_test)):
        require(bool(np.isfinite(values).all()), f"{name} holds values that are not finite")
    size = block_size(architecture, width, x_train, y_train, x_test, precision, device, memory)
    parts, failures = [], 0
    with _no_denormals(device):
        for first in range(0, len(seeds), size):
            rows = slice(first, first + size)
            ensemble = Ensemble.initial(
                architecture, x_train.shape[-1], width, seeds[rows], y_train.shape[-1], precision, device
            )
            x, y, x_out = (as_tensor(a, precision, device) for a in (x_train[rows], y_train[rows], x_test))
            history = trainer(
                ensemble,
                x,
                y,
                x_out,
                target_mse,
                max_steps,
                times,
                report=lambda finished, failed, first=first, before=failures: report(first + finished, before + failed),
                **options,
            )
            parts.append(_result(ensemble, x, y, x_out, history))
            failures += int((~parts[-1].converged).sum())
    return TrainingResult.joined(parts)


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


RESERVED = {"ensemble", "x", "y", "x_test", "target_mse", "max_steps", "times", "report"}


def _result(ensemble, x, y, x_test, history):
    learned = ensemble.forward(x) - history["start"]
    train_mse = (learned - y).square().mean((1, 2))
    return TrainingResult(
        predictions=(ensemble.forward(x_test) - history["start_test"]).cpu().numpy(),
        train_predictions=learned.cpu().numpy(),
        train_mse=train_mse.cpu().numpy(),
        converged=history["converged"].cpu().numpy(),
        steps=history["steps"].cpu().numpy(),
        learning_rate=history["learning_rate"].cpu().numpy(),
        time=history["time"].cpu().numpy(),
        snapshots=history["snapshots"].cpu().numpy(),
    )


def block_size(architecture, width, x_train, y_train, x_test, precision, device, memory=None):
    """How many networks to train at once within `memory` bytes (missing: what the device can spare), at least 1."""
    if memory is None:
        memory = (
            CPU_BUDGET if torch.device(device).type == "cpu" else int(CUDA_SHARE * torch.cuda.mem_get_info(device)[0])
        )
    n, dim, outputs = x_train.shape[-2], x_train.shape[-1], y_train.shape[-1]
    depth = architecture.depth
    parameters = dim * width + max(depth - 1, 0) * width**2 + width * outputs
    activations = n * width * (depth * (8 + 2 * outputs) + 14 + outputs) + len(x_test) * width * 2
    products = 2 * depth * n**2
    per_network = (4 * parameters + activations + products) * precision.itemsize + 6 * 8 * (n * outputs) ** 2
    return max(1, memory // per_network)
