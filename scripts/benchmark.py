"""Ratios of speed, measured in one run on this machine: `make benchmark`.

Writes results/benchmarks/{trainers,ensembles,kernels,overhead}.csv and results/benchmarks/summary.md.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch

from learnability.common.store import replacing, write_csv
from learnability.domains import Hypercube
from learnability.ensembles.training.fit import fit
from learnability.kernels.fully_connected import FullyConnected

FOLDER = Path("results/benchmarks")
WIDTH = 500
NETWORK = FullyConnected(4, "relu", 1.4, 0.1)
CUBE = Hypercube(dim=8)


def seconds(work, repeats=1):
    """Least wall time of a call, after one call to warm up when it is repeated."""
    times = []
    for _ in range(repeats + (repeats > 1)):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return min(times)


def problem(degree, train_size, seeds):
    target = CUBE.parity(degree)
    samples = [CUBE.sample(train_size, seed) for seed in range(seeds)]
    return np.stack([x for x, _ in samples]), np.stack([target(x, i) for x, i in samples])[..., None]


def trainers():
    """Gradient flow against gradient descent (half the stability limit) on every cell of Figure 1."""
    rows = []
    for train_size in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        networks = 8 if train_size <= 32 else 4 if train_size <= 64 else 2
        for degree in (0, 1, 3, 8):
            x, y = problem(degree, train_size, networks)
            row = {"train_size": train_size, "degree": degree, "networks": networks}
            for method in ("gradient_flow", "gradient_descent"):
                began = perf_counter()
                result = fit(NETWORK, WIDTH, range(networks), x, y, CUBE.points, method)
                row[f"{method}_seconds"] = (perf_counter() - began) / networks
                row[f"{method}_steps"] = result.steps.mean()
                row[f"{method}_converged"] = result.converged.all()
            row["ratio"] = row["gradient_descent_seconds"] / row["gradient_flow_seconds"]
            rows.append(row)
    return pd.DataFrame(rows)


def matrix_rate():
    """Measured rate of single-precision batched matrix products, operations per second."""
    a, b = torch.randn(8, 256, WIDTH), torch.randn(8, WIDTH, WIDTH)
    return 2 * 8 * 256 * WIDTH**2 / seconds(lambda: torch.bmm(a, b), 10)


def operations_per_step(train_size):
    """Matrix-product operations of one step of gradient flow on one network, n x n eigenproblem left out.

    Hidden products: forward and backward at the middle of the step, two updates, one forward at its end; then one
    product of inputs and one of signals per layer for the tangent kernel.
    """
    hidden = (NETWORK.depth - 1) * 2 * train_size * WIDTH**2
    return 5 * hidden + NETWORK.depth * 2 * 2 * train_size**2 * WIDTH


def ensembles():
    """Networks per second against the number trained at once, and the share of the matrix-product rate."""
    rate, rows = matrix_rate(), []
    for train_size in (16, 64, 256):
        for networks in (1, 4, 16) if train_size == 256 else (1, 4, 16, 64):
            x, y = problem(3, train_size, networks)
            began = perf_counter()
            result = fit(NETWORK, WIDTH, range(networks), x, y, CUBE.points)
            time = perf_counter() - began
            share = operations_per_step(train_size) * result.steps.sum() / time / rate
            rows.append(
                {"train_size": train_size, "networks": networks, "networks_per_second": networks / time, "share": share}
            )
    return pd.DataFrame(rows)


def kernels():
    """Seconds for the NTK of 4 hidden layers on 4000 points, and its eigendecomposition by SciPy and torch."""
    from scipy import linalg

    x = np.random.default_rng(0).standard_normal((4000, 20))
    rows = []
    for activation in ("relu", "erf", "gelu", "tanh"):
        network = FullyConnected(4, activation, 1.4, 0.1)
        rows.append({"what": f"NTK, {activation}", "seconds": seconds(lambda n=network: n.kernel(x), 2)})
    matrix = NETWORK.kernel(x[:2000])
    rows.append(
        {"what": "eigh of 2000 x 2000, SciPy evd", "seconds": seconds(lambda: linalg.eigh(matrix, driver="evd"))}
    )
    tensor = torch.from_numpy(matrix)
    rows.append({"what": "eigh of 2000 x 2000, torch", "seconds": seconds(lambda: torch.linalg.eigh(tensor))})
    return pd.DataFrame(rows)


def overhead():
    """What a job costs before it computes anything."""
    beside = Path(sys.executable).parent / "snakemake"
    commands = {
        "python starts and imports the trainers": [sys.executable, "-c", "import learnability.ensembles.training.fit"],
        "python starts and imports the theory": [sys.executable, "-c", "import learnability.theory.prediction"],
        "snakemake plans the default figures": [beside, "--dry-run", "--quiet", "all", "--forceall"],
    }
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}

    def work(command):
        return lambda: subprocess.run(command, env=environment, check=True, capture_output=True)

    return pd.DataFrame([{"what": name, "seconds": seconds(work(c), 2)} for name, c in commands.items()])


def main():
    tables = {}
    for measurement in (overhead, kernels, ensembles, trainers):
        name = measurement.__name__
        print(f"measuring {name} ...", flush=True)
        tables[name] = measurement()
        write_csv(FOLDER / f"{name}.csv", tables[name])
    compared = tables["trainers"]
    flow, descent = (compared[f"{m}_seconds"].sum() for m in ("gradient_flow", "gradient_descent"))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    text = [
        f"Machine: {platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {device}; "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}.\n",
        f"Gradient flow is {descent / flow:.1f} times faster than gradient descent over the whole of Figure 1, "
        f"{compared.loc[compared['train_size'] >= 32, 'ratio'].min():.1f} times on the slowest cell with n >= 32.\n",
    ]
    for name, table in tables.items():
        text += [f"\n## {name}\n\n", _markdown(table)]
    with replacing(FOLDER / "summary.md") as partial:
        partial.write_text("\n".join(text))
    print("".join(text[:2]))


def _markdown(table):
    def cell(value):
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    lines = [list(table), ["---"] * len(table.columns), *table.map(cell).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
