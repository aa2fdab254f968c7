"""One page about a GPU: that it computes what the CPU computes, how fast, and what bounds it.

Needs PyTorch, NumPy, SciPy, h5py, jaxtyping and threadpoolctl only. Without a GPU the CPU takes its place, as the page says.
"""

import os
import platform
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Timer
from time import monotonic, perf_counter

import numpy as np
import torch
from jaxtyping import Float

import learnability as lb
from learnability.ensembles.networks import Ensemble
from learnability.ensembles.training.fit import block_size, fit
from learnability.ensembles.training.result import TrainingResult

from .checks import CHECKS
from .measured import (
    CUBE,
    DEGREES,
    NETWORK,
    TRAIN_SIZES,
    WIDTH,
    Row,
    TrainingSets,
    matrix_rate,
    operations_per_step,
    problem,
    seconds,
)
from .operators import OperatorCount
from .page import Case, Page, Part

POINTS = 4000 if torch.cuda.is_available() else 1000
SEEDS = (1, 5, 30)  # of the whole of Figure 1 and of the width sweep: 30 are the paper's
SWEEP_WIDTHS, SWEEP_SIZES, SWEEP_DEGREES = (500, 200, 100, 50, 20, 10), (4, 8, 16, 32, 64, 128), (1, 2, 3)
SWEEP_STEPS = 2000
ENSEMBLES = (("gradient_flow", 16), ("gradient_flow", 64), ("gradient_descent", 64), ("gradient_flow", 256))
STEPS = (("gradient_flow", 16), ("gradient_flow", 64), ("gradient_flow", 256), ("gradient_descent", 64))


def write_page(folder: Path, minutes: float) -> Path:
    """Measure within the given minutes; write gpu.md in `folder`. Returns its path."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    page = Page(folder / "gpu.md", _heading(device, minutes), 60 * minutes * 0.93)

    def stop() -> None:
        page.write("**Stopped at the time limit**: the last part is not complete.")
        os._exit(0)

    limit = Timer(60 * minutes * 0.99, stop)
    limit.daemon = True
    limit.start()
    for measurement, share in PARTS:
        title, _, text = (measurement.__doc__ or "").partition(". ")
        text = text.replace("POINTS", str(POINTS))
        page.measure(title, text, partial(measurement, device=device), share)
    limit.cancel()
    return page.path


def _heading(device: str, minutes: float) -> str:
    name = torch.cuda.get_device_name() if device == "cuda" else "none, the CPU takes its place (compared with itself)"
    memory = f", {torch.cuda.mem_get_info()[1] / 2**30:.0f} GiB" if device == "cuda" else ""
    return (
        f"# Networks and kernels on a GPU\n\nGPU: {name}{memory}. CPU: {platform.machine()}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads. Python {platform.python_version()}, PyTorch {torch.__version__}, "
        f"CUDA {torch.version.cuda or 'not built in'}. Time limit {minutes:g} minutes. Networks of Figure 1: 4 hidden ReLU "
        f"layers, width {WIDTH}, hypercube of dimension {CUBE.dim}."
    )


def rates(part: Part, device: str) -> None:
    """Matrix products. Single precision, TF32 off: batched as in training (256 x 500 x 500), and one large square."""
    for networks in part.each((8, 64, 512) if device == "cuda" else (8, 64), growth=8):
        part.rows.append({"product": f"{networks} networks", "Gflop/s": matrix_rate(device, networks) / 1e9})
    size = 8192 if device == "cuda" else 1024
    a = torch.randn(size, size, device=device)
    part.rows.append({"product": f"{size} square", "Gflop/s": 2 * size**3 / seconds(lambda: a @ a, 3) / 1e9})


def checks(part: Part, device: str) -> None:
    """Checks. What must hold on any device."""
    for check in part.each(CHECKS):
        try:
            check(device)
            outcome = "passed"
        except Exception as error:
            outcome = f"**failed**: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        part.rows.append({"check": check.__name__.replace("_", " "), "outcome": outcome})


def kernels(part: Part, device: str) -> None:
    """Kernels and spectra. Largest difference to the CPU in units of the largest entry; the spectrum is that of K / 256 by \
eigendecomposition on the device against the CPU's closed form; seconds are those of the NTK of POINTS points."""
    x = np.random.default_rng(0).standard_normal((POINTS, 20))
    for activation in part.each(("relu", "erf", "gelu", "tanh")):
        network = lb.FullyConnected(4, activation, 1.4, 0.1)
        points = torch.from_numpy(CUBE.points).to(device)
        matrix, reference = network.kernel(points), torch.from_numpy(network.kernel(CUBE.points))
        spectrum = CUBE.spectrum(network)
        expected = np.sort(np.repeat(spectrum.eigenvalues, spectrum.multiplicities.astype(int)))
        eigenvalues = torch.linalg.eigvalsh(matrix / CUBE.size).cpu().numpy()
        row = {"activation": activation, "kernel": float((matrix.cpu() - reference).abs().max() / reference.max())}
        row["spectrum"] = float(np.abs(eigenvalues[-len(expected) :] - expected).max() / expected.max())
        on_device = torch.from_numpy(x).to(device)
        row["device s"] = seconds(partial(network.kernel, on_device))
        row["CPU s"] = seconds(partial(network.kernel, x))
        part.rows.append(row)


def figure_1(part: Part, device: str) -> None:
    """The whole of Figure 1. Gradient flow, all targets and seeds of a size at once; `off theory` is the largest difference \
of a target's mean learnability to the theory, beside the standard error of that mean."""
    spectrum = CUBE.spectrum(NETWORK)
    for seeds in part.each(SEEDS, growth=6):
        for train_size in _cells(part, seeds, TRAIN_SIZES):
            row, result = _trained(device, WIDTH, train_size, DEGREES, seeds, 10_000)
            targets = [CUBE.parity(degree) for degree in DEGREES]
            truth = np.stack([target(CUBE.points, None) for target in targets])
            measured = (result.predictions[..., 0].reshape(seeds, len(DEGREES), -1) * truth).mean(2)
            expected = np.array([lb.predict(spectrum, target, train_size).learnability for target in targets])
            worst = np.abs(measured.mean(0) - expected).argmax()
            row["off theory"] = float((measured.mean(0) - expected)[worst])
            row["standard error"] = float(measured[:, worst].std(ddof=1) / np.sqrt(seeds)) if seeds > 1 else np.nan
            part.rows.append(row)
        _total(part, seeds)


def width_sweep(part: Part, device: str) -> None:
    """The paper's width sweep. Gradient flow, at most 2000 steps, parities of 1, 2 and 3 bits."""
    for seeds in part.each(SEEDS, growth=6):
        sizes = [(width, train_size) for width in reversed(SWEEP_WIDTHS) for train_size in SWEEP_SIZES]
        for width, train_size in _cells(part, seeds, sizes):
            part.rows.append(_trained(device, width, train_size, SWEEP_DEGREES, seeds, SWEEP_STEPS)[0])
        _total(part, seeds)


def _cells(part: Part, seeds: int, cells: Sequence[Case]) -> Iterator[Case]:
    """The cells of a study one by one, into a new table; the first time only those for which there is time."""
    part.rows, took = [], 0.0
    for number, cell in enumerate(cells):
        began = monotonic()
        if seeds == SEEDS[0] and not part.has_time_for(2 * took):
            part.left_out(cells[number:])
            return
        yield cell
        took = monotonic() - began


def _trained(
    device: str, width: int, train_size: int, degrees: Sequence[int], seeds: int, max_steps: int
) -> tuple[Row, TrainingResult]:
    """A row about one ensemble, and what it learned."""
    _reset_peak(device)
    began = perf_counter()
    sets = problem(degrees, train_size, range(seeds))
    result = fit(NETWORK, width, *sets, max_steps=max_steps, device=device)
    time = perf_counter() - began
    row = {"width": width, "n": train_size, "networks": len(sets[0]), "converged": int(result.converged.sum())}
    return {**row, "steps": float(result.steps.mean()), "seconds": time, "peak GiB": _peak(device)}, result


def _total(part: Part, seeds: int) -> None:
    """How many networks were trained in what time."""
    networks, time = (sum(row[name] for row in part.rows) for name in ("networks", "seconds"))
    part.remarks.append(f"{seeds} of {SEEDS[-1]} seeds: {networks} networks in {time:.1f} s.")


def ensembles(part: Part, device: str) -> None:
    """Ensemble size. k = 3; share of the measured rate of batched matrix products (gradient flow); memory at its peak, and \
the estimate by which ensembles are cut into blocks."""
    rate = matrix_rate(device, 64)
    sizes = (1, 4, 16, 64, 256, 1024) if device == "cuda" else (1, 4, 16)
    cases = [(method, n, number) for number in sizes for method, n in ENSEMBLES]
    for method, train_size, networks in part.each(cases, growth=4):
        sets = problem([3], train_size, range(networks))
        _reset_peak(device)
        began = perf_counter()
        result = fit(NETWORK, WIDTH, *sets, method=method, device=device)
        time = perf_counter() - began
        share = operations_per_step(train_size) * result.steps.sum() / time / rate
        estimate = (1 << 34) // block_size(NETWORK, WIDTH, *sets[:3], torch.float32, device, 1 << 34)
        part.rows.append(
            {
                "method": method,
                "n": train_size,
                "networks": networks,
                "networks per second": networks / time,
                "share": share if method == "gradient_flow" else "",
                "peak GiB": _peak(device),
                "estimated GiB": networks * estimate / 2**30,
            }
        )


def eigenproblems(part: Part, device: str) -> None:
    """Batched eigenproblems. Milliseconds per symmetric float64 matrix n x n; those on the CPU include the way there and \
back, with one thread per core each on matrices of its own."""
    batch = 256 if device == "cuda" else 16
    for size in part.each((16, 32, 64, 128, 256), growth=8):
        half = torch.randn(batch, size, size, dtype=torch.float64)
        matrices = (half @ half.mT / size).to(device)
        ways = {
            "device": lambda m=matrices: torch.linalg.eigh(m),
            "device, float32": lambda m=matrices: torch.linalg.eigh(m.float()),
            "CPU": lambda m=matrices: [part.to(device) for part in torch.linalg.eigh(m.cpu())],
            "CPU, threads": lambda m=matrices: _eigh_in_threads(m),
            "device, Cholesky only": lambda m=matrices: torch.linalg.cholesky(m + torch.eye(len(m[0]), device=device)),
        }
        times = {name: 1000 * seconds(way, 2) / batch for name, way in ways.items()}
        part.rows.append({"n": size, "matrices": batch, **times})


def _eigh_in_threads(matrices: Float[torch.Tensor, "matrices n n"]) -> list[torch.Tensor]:
    threads = min(os.cpu_count() or 1, len(matrices))
    with ThreadPoolExecutor(threads) as pool:
        pairs = list(pool.map(torch.linalg.eigh, matrices.cpu().chunk(threads)))
    return [torch.cat(parts).to(matrices.device) for parts in zip(*pairs, strict=True)]


def steps(part: Part, device: str) -> None:
    """One step. Tensor operations (a GPU launches a kernel for each) and waits of the host, per step, and the time of a step; \
gradient flow and descent, k = 3; then the time to draw a network's initial weights."""
    for method, train_size in part.each(STEPS, growth=3):
        sets = problem([3], train_size, range(2))

        def train(m: str = method, s: TrainingSets = sets) -> TrainingResult:
            return fit(NETWORK, WIDTH, *s, method=m, max_steps=20, device=device)

        with OperatorCount() as count:
            number = int(train().steps.max())
        row = {"method": method, "n": train_size, "operations": count.launched.total() / number}
        row |= {"waits": count.waits.total() / number, "milliseconds": 1000 * seconds(train, 2) / number}
        part.rows.append(row)
    time = seconds(lambda: Ensemble.initial(NETWORK, CUBE.dim, WIDTH, range(32), device=device), 2)
    part.remarks.append(f"Initial weights of a network: {1000 * time / 32:.2g} ms.")


def trainers(part: Part, device: str) -> None:
    """Both trainers on every cell of Figure 1. Steps, and root mean square difference of the learned functions to the CPU's, \
also as a share of their distance from kernel regression; k = 0 / 1 / 3 / 8, one seed; seconds of the four together."""
    cases = [(n, method) for n in TRAIN_SIZES for method in ("gradient_flow", "gradient_descent")]
    last: dict[str, float] = {}
    for train_size, method in part.each(cases):
        if not part.has_time_for(6 * last.get(method, 0.0)):
            part.left_out([(train_size, method)])
            continue
        began = perf_counter()
        part.rows.append(_compared(device, train_size, method))
        last[method] = perf_counter() - began


def _compared(device: str, train_size: int, method: str) -> Row:
    sets, results, times = problem(DEGREES, train_size, [0]), [], []
    for where in (device, "cpu"):
        began = perf_counter()
        results.append(fit(NETWORK, WIDTH, *sets, method=method, device=where))
        times.append(perf_counter() - began)
    learned, reference = (result.predictions[..., 0].astype(float) for result in results)
    x, y, *_ = sets
    limit = np.stack([lb.kernel_regression(NETWORK, *pair, CUBE.points)[:, 0] for pair in zip(x, y, strict=True)])
    difference, distance = (np.sqrt(((reference - other) ** 2).mean(1)) for other in (learned, limit))
    return {
        "n": train_size,
        "method": method,
        "steps": " / ".join(f"{s}" for s in results[0].steps),
        "on the CPU": " / ".join(f"{s}" for s in results[1].steps),
        "difference": " / ".join(f"{d:.2g}" for d in difference),
        "share": " / ".join(f"{s:.2g}" for s in difference / distance),
        "device s": times[0],
        "CPU s": times[1],
    }


def _reset_peak(device: str) -> None:
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def _peak(device: str) -> float | str:
    """The most memory that tensors took on the GPU, GiB; nothing on a CPU."""
    return torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else ""


# each with the share of the time left that it may take
PARTS = (
    (rates, 0.05),
    (checks, 0.1),
    (kernels, 0.1),
    (figure_1, 0.3),
    (width_sweep, 0.3),
    (ensembles, 0.3),
    (eigenproblems, 0.2),
    (steps, 0.2),
    (trainers, 0.95),
)
