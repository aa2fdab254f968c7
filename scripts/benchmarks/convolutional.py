"""Kernels of convolutional networks beside neural-tangents: the same three ReLU convolutions on 8 x 8 images, in one run.

`python scripts/benchmarks/convolutional.py` needs neural-tangents 0.6.5, jax 0.4.30 and PyTorch in one environment; it is a
yardstick, no dependency. It prints wall seconds (least of the repeats), processor seconds, which other programs on the machine
disturb less, and the largest difference of the kernels in units of the largest entry. Both use all cores, whatever
OMP_NUM_THREADS says: XLA heeds no such bound.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

import learnability as lb  # noqa: E402

STDS = {"weight_std": 2**0.5, "bias_std": 0.1}
DTYPES = ("float64", "float32")
CASES = {"flatten": (1000, (1000, 100)), "global_avg_pool": (100, (100, 25))}  # points, batch sizes of neural-tangents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=DTYPES, help="of neural-tangents")
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    print(f"{torch.get_num_threads()} threads")
    for end in arguments.cases:
        points, batches = CASES[end]
        images = np.random.default_rng(0).standard_normal((points, 3, 8, 8))
        print(f"\n{end}, {points} points\n{'':48}  wall s   cpu s  difference", flush=True)
        layers = [{"conv": {"kernel": 3, **STDS}}, "relu"] * 3 + [end, "dense"]
        expected = None
        for dtype in DTYPES:
            network = lb.Sequential(layers, dtype=dtype)
            value = report(f"learnability, {dtype}", lambda: network.kernel(images), arguments.repeats, expected)  # noqa: B023
            expected = value if expected is None else expected
        for dtype in arguments.dtypes:
            for batch in batches:
                kernel = yardstick(end, images.astype(dtype), batch)
                report(f"neural-tangents, {dtype}, batches of {batch}", kernel, arguments.repeats, expected)


def yardstick(end: str, images: np.ndarray, batch: int) -> Callable[[], np.ndarray]:
    """The same kernel by neural-tangents, compiled, in batches of so many points."""
    import jax
    import neural_tangents as nt
    from neural_tangents import stax

    jax.config.update("jax_enable_x64", images.dtype == np.float64)
    layers = [stax.Conv(1, (3, 3), padding="SAME", W_std=STDS["weight_std"], b_std=STDS["bias_std"]), stax.Relu()] * 3
    last = {"flatten": stax.Flatten, "global_avg_pool": stax.GlobalAvgPool}[end]
    _, _, kernel = stax.serial(*layers, last(), stax.Dense(1, W_std=1.0, b_std=None))
    of_batch = jax.jit(lambda x, x2: kernel(x, x2, "ntk"))
    whole = of_batch if batch == len(images) else nt.batch(of_batch, batch_size=batch)
    x = jax.numpy.asarray(np.moveaxis(images, 1, -1))
    return lambda: np.asarray(whole(x, None))


def report(name: str, kernel: Callable[[], np.ndarray], repeats: int, expected: np.ndarray | None = None) -> np.ndarray:
    """Print what a kernel takes, after one call that compiles it."""
    value = kernel()
    times = []
    for _ in range(repeats):
        began = perf_counter(), process_time()
        kernel()
        times.append((perf_counter() - began[0], process_time() - began[1]))
    wall, cpu = (min(column) for column in zip(*times, strict=True))
    error = "" if expected is None else f"{np.abs(value - expected).max() / np.abs(expected).max():12.1e}"
    print(f"{name:48}{wall:8.2f}{cpu:8.2f}{error}", flush=True)
    return value


if __name__ == "__main__":
    main()
