"""Tangent kernels of finite networks beside neural-tangents and the recipe of PyTorch's tutorial: time and peak memory.

`python scripts/benchmarks/empirical.py` needs neural-tangents 0.6.5, jax 0.4.30 and PyTorch in one environment; they are
yardsticks, no dependency. Three convolutions of so many channels on 3 x 8 x 8 images and a readout of ten outputs; the kernel
is the trace over outputs, in single precision. Every measurement has a process of its own and all cores: seconds of the
fastest of three calls after a first one, and the memory at most in these calls beyond that of before, without files such as
shared libraries (Linux only). neural-tangents is compiled, two of its implementations. Of the tutorial
(pytorch.org/tutorials/intermediate/neural_tangent_kernels.html) it is the contraction of Jacobians.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

OUTPUTS, SHAPE = 10, (3, 8, 8)
NT = ("JACOBIAN_CONTRACTION", "STRUCTURED_DERIVATIVES")  # products with vectors take twenty times as long here
METHODS = ("learnability", "tutorial", *NT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, nargs="+", default=[16, 64, 128])
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--one", metavar="METHOD", choices=METHODS, help="measure it in this process")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(arguments.one, arguments.channels[0], arguments.points, arguments.repeats)))
        return
    print(
        "| channels | parameters | method | wall, s | processor, s | peak, MB |\n| --- | --- | --- | --- | --- | --- |"
    )
    for channels in arguments.channels:
        for method in METHODS:
            command = [sys.executable, __file__, "--one", method, "--channels", str(channels)]
            ran = subprocess.run(
                [*command, "--points", str(arguments.points), "--repeats", str(arguments.repeats)],
                capture_output=True,
                text=True,
            )
            if ran.returncode:
                print(f"| {channels} | | {method} | failed: {ran.stderr.strip().splitlines()[-1:]} | | |", flush=True)
                continue
            row = json.loads(ran.stdout.splitlines()[-1])
            cells = (
                channels,
                row["parameters"],
                method,
                f"{row['seconds']:.2f}",
                f"{row['processor']:.2f}",
                f"{row['peak']:.0f}",
            )
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


def measured(method: str, channels: int, points: int, repeats: int) -> dict[str, float]:
    """Least seconds of so many calls, and megabytes at most."""
    images = np.random.default_rng(0).standard_normal((points, *SHAPE)).astype(np.float32)
    make = {"learnability": ours, "tutorial": tutorial}.get(method, lambda *args: neural_tangents(method, *args))
    kernel, parameters = make(channels, images)
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory()["RssAnon"]
    kernel()
    times = []
    for _ in range(repeats):
        began = perf_counter(), process_time()
        matrix = kernel()
        times.append((perf_counter() - began[0], process_time() - began[1]))
        assert matrix.shape == (points, points)
    seconds, processor = (min(column) for column in zip(*times, strict=True))
    after = memory()
    peak = after["VmHWM"] - after["RssFile"] - before
    return {"parameters": parameters, "seconds": seconds, "processor": processor, "peak": peak}


def memory() -> dict[str, float]:
    """Megabytes of this process: VmHWM at most, RssAnon of its own, RssFile of files."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines if words[0].startswith(("VmHWM", "Rss"))}


def network(channels: int) -> object:
    """The network as a module of PyTorch."""
    from torch import nn

    layers: list[nn.Module] = []
    for inputs in (SHAPE[0], channels, channels):
        layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * SHAPE[1] * SHAPE[2], OUTPUTS))


def ours(channels: int, images: np.ndarray) -> tuple[Callable[[], np.ndarray], int]:
    """`learnability.TorchModule`; a new one for every call, for it remembers which method it has chosen."""
    import learnability as lb

    parameters = sum(p.numel() for p in network(channels).parameters())
    lb.TorchModule(lambda: network(channels)).kernel(images[:2])
    return lambda: lb.TorchModule(lambda: network(channels)).kernel(images), parameters


def tutorial(channels: int, images: np.ndarray) -> tuple[Callable[[], np.ndarray], int]:
    """PyTorch's tutorial: vmap of jacrev on both sets of points, contracted parameter by parameter."""
    import torch
    from torch.func import functional_call, jacrev, vmap

    module, x = network(channels), torch.from_numpy(images)
    weights = {name: parameter.detach() for name, parameter in module.named_parameters()}

    def single(parameters: dict, sample: torch.Tensor) -> torch.Tensor:
        return functional_call(module, parameters, (sample.unsqueeze(0),)).squeeze(0)

    def kernel() -> np.ndarray:
        jacobians = [vmap(jacrev(single), (None, 0))(weights, points).values() for points in (x, x)]
        first, second = ([part.flatten(2) for part in jacobian] for jacobian in jacobians)
        parts = [torch.einsum("Naf,Maf->NM", left, right) for left, right in zip(first, second, strict=True)]
        return torch.stack(parts).sum(0).numpy()

    return kernel, sum(p.numel() for p in module.parameters())


def neural_tangents(method: str, channels: int, images: np.ndarray) -> tuple[Callable[[], np.ndarray], int]:
    """`neural_tangents.empirical_ntk_fn` of the same network, compiled."""
    import jax
    import neural_tangents as nt
    from jax._src import source_info_util
    from neural_tangents import stax

    jax.interpreters.ad.source_info_util = source_info_util  # where STRUCTURED_DERIVATIVES looks for them
    jax.interpreters.ad.config = jax.config
    layers = [stax.Conv(channels, (3, 3), padding="SAME", parameterization="standard"), stax.Relu()] * 3
    start, apply, _ = stax.serial(*layers, stax.Flatten(), stax.Dense(OUTPUTS, parameterization="standard"))
    x = jax.numpy.asarray(np.moveaxis(images, 1, -1))
    _, weights = start(jax.random.PRNGKey(0), (1, *x.shape[1:]))
    of = nt.empirical_ntk_fn(apply, trace_axes=(-1,), vmap_axes=0, implementation=nt.NtkImplementation[method])
    compiled = jax.jit(lambda x, weights: of(x, None, weights))
    parameters = sum(leaf.size for leaf in jax.tree_util.tree_leaves(weights))
    return lambda: np.asarray(compiled(x, weights)), parameters


if __name__ == "__main__":
    main()
