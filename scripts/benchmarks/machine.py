"""Speed of this machine: trainers, ensembles, kernels, and what a job costs beside its mathematics."""

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch

from learnability.common.store import replacing, write_csv
from learnability.domains import domain_from, target_from
from learnability.ensembles.training.fit import fit, train
from learnability.kernels.fully_connected import FullyConnected

from . import jobs
from .compared import COMMITTED, compared, processor, times
from .costs import costs
from .measured import (
    DEGREES,
    NETWORK,
    TRAIN_SIZES,
    WIDTH,
    Row,
    markdown,
    matrix_rate,
    operations_per_step,
    problem,
    within,
)
from .measured import seconds as seconds_of

SCRIPTS = Path(__file__).parent.parent


def trainers() -> list[Row]:
    """Gradient flow against gradient descent (half the stability limit) on every cell of Figure 1."""
    rows = []
    for train_size in TRAIN_SIZES:
        networks = 8 if train_size <= 32 else 4 if train_size <= 64 else 2
        for degree in DEGREES:
            training_sets = problem([degree], train_size, range(networks))
            row: Row = {"train_size": train_size, "degree": degree, "networks": networks}
            for method in ("gradient_flow", "gradient_descent"):
                began = perf_counter()
                result = fit(NETWORK, WIDTH, *training_sets, method=method)
                row[f"{method}_seconds"] = (perf_counter() - began) / networks
                row[f"{method}_steps"] = result.steps.mean()
                row[f"{method}_converged"] = result.converged.all()
            row["ratio"] = row["gradient_descent_seconds"] / row["gradient_flow_seconds"]
            rows.append(row)
    return rows


def ensembles() -> list[Row]:
    """Networks per second against the number trained at once, and the share of the matrix-product rate."""
    rate, rows = matrix_rate(), []
    for train_size in (16, 64, 256):
        for networks in (1, 4, 16) if train_size == 256 else (1, 4, 16, 64):
            training_sets = problem([3], train_size, range(networks))
            began = perf_counter()
            result = fit(NETWORK, WIDTH, *training_sets)
            time = perf_counter() - began
            share = operations_per_step(train_size) * result.steps.sum() / time / rate
            rows.append(
                {"train_size": train_size, "networks": networks, "networks_per_second": networks / time, "share": share}
            )
    return rows


def several_outputs() -> list[Row]:
    """Seconds per network to train ten classes (digits)."""
    digits = domain_from({"kind": "data", "name": "digits"})
    classes, test = target_from(digits, {"all": None}), digits.evaluation()[0]
    rows = []
    for network in (NETWORK, FullyConnected(4, "erf", 1.0, 1.0)):
        for train_size, networks in ((32, 8), (128, 8), (512, 2)):
            x, index = digits.sample(train_size, 0)
            began = perf_counter()
            steps = train(network, WIDTH, x, classes(x, index), test, range(networks)).steps.mean()
            seconds = (perf_counter() - began) / networks
            rows.append(
                {"what": f"ten classes, {network.activation}, n = {train_size}", "seconds": seconds, "steps": steps}
            )
    return rows


def kernels() -> list[Row]:
    """Seconds for the NTK of 4 hidden layers on 4000 points, and its eigendecomposition by SciPy and torch."""
    from scipy import linalg

    x = np.random.default_rng(0).standard_normal((4000, 20))
    rows = []
    for activation in ("relu", "erf", "gelu", "tanh"):
        network = FullyConnected(4, activation, 1.4, 0.1)
        rows.append({"what": f"NTK, {activation}", "seconds": seconds_of(partial(network.kernel, x), 2)})
    matrix = NETWORK.kernel(x[:2000])
    tensor = torch.from_numpy(matrix)
    for library, work in (
        ("SciPy evd", lambda: linalg.eigh(matrix, driver="evd")),
        ("torch", lambda: torch.linalg.eigh(tensor)),
    ):
        rows.append({"what": f"eigh of 2000 x 2000, {library}", "seconds": seconds_of(work)})
    return rows


def starts() -> list[Row]:
    """What a job costs before it computes anything."""
    beside = Path(sys.executable).parent / "snakemake"
    commands: dict[str, list[str | Path]] = {
        "python starts and imports the trainers": [sys.executable, "-c", "import learnability.ensembles.training.fit"],
        "python starts and imports the theory": [sys.executable, "-c", "import learnability.theory.prediction"],
        "snakemake plans the default figures": [beside, "--dry-run", "--quiet", "all", "--forceall"],
    }
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (SCRIPTS.parent, SCRIPTS)))}

    def work(command: Sequence[str | Path]) -> Callable[[], object]:
        return lambda: subprocess.run(command, env=environment, check=True, capture_output=True)

    return [{"what": name, "seconds": seconds_of(work(c), 2)} for name, c in commands.items()]


def figures() -> list[Row]:
    """Seconds of CPU of `make figures` by part."""
    with tempfile.TemporaryDirectory() as folder:
        return jobs.by_part(jobs.logs_of_a_run(Path(folder)))


MEASUREMENTS = (starts, figures, kernels, ensembles, trainers, several_outputs, costs)


def write_summary(folder: Path, committed: Path = COMMITTED) -> Path:
    """Measure everything, a quarter of an hour at most; one CSV per table, and a page summary.md with all of them.

    Its first table compares all times with those in the folder `committed` of the same kind of processor.

    Returns
    -------
    The file of all times, folder/PROCESSOR.csv; a copy in `committed` is what later runs are compared with.
    """
    tables = {}
    for measurement in MEASUREMENTS:
        name = measurement.__name__
        print(f"measuring {name} ...", end=" ", flush=True)
        began = perf_counter()
        tables[name] = measurement()
        print(f"{perf_counter() - began:.0f} s", flush=True)
        write_csv(folder / f"{name}.csv", pd.DataFrame(tables[name]))
    name, measured = processor(), times(tables)
    write_csv(folder / f"{name}.csv", pd.DataFrame(measured))
    beside = compared(measured, committed / f"{name}.csv")
    print("\n".join(f"{row['what']}: {row['verdict']}, {row['ratio']:.2f} times" for row in beside if row["verdict"]))
    text = _headlines(tables)
    if not (committed / f"{name}.csv").exists():
        text += ["No times of this kind of processor are kept to compare with: `make benchmark SAVE=1` keeps these."]
    print("\n".join(text))
    text += [f"## All times, seconds, beside docs/benchmarks/{name}.csv\n\n{markdown(beside)}"]
    text += [f"## {name}\n\n{markdown(rows)}" for name, rows in tables.items()]
    with replacing(folder / "summary.md") as partial:
        partial.write_text("\n\n".join(text) + "\n")
    return folder / f"{name}.csv"


def _headlines(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    """The machine, and a sentence about each table that has one."""
    cells, sweep = tables["trainers"], tables["costs"]
    flow, descent = (sum(row[f"{m}_seconds"] for row in cells) for m in ("gradient_flow", "gradient_descent"))
    slowest = min(row["ratio"] for row in cells if row["train_size"] >= 32)
    return [
        f"Machine: {processor()}, {platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads; "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}.",
        f"Gradient flow is {descent / flow:.1f} times faster than gradient descent over the whole of Figure 1, "
        f"{slowest:.1f} times on the slowest cell with n >= 32.",
        f"{100 * jobs.overhead(tables['figures']):.0f} % of the core time of `make figures` is not mathematics.",
        f"What a plan expects is within a factor of 1.5 of the measured time for {within(sweep)} of {len(sweep)} ensembles.",
    ]
