"""One block of networks: the seeds first ... last at one width and some training-set sizes, all targets."""

import logging
from collections.abc import Mapping
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from job import run
from learnability.common.devices import gpus
from learnability.common.progress import Progress
from learnability.common.store import write_frame
from learnability.domains import domain_from, target_from
from learnability.ensembles.training.fit import fit
from learnability.ensembles.training.result import TrainingResult
from learnability.kernels import architecture_from
from learnability.measurements.networks import network_experiment


def main(parameters: Mapping[str, Any], threads: int, gpu: int, functions: str) -> None:
    """Train the networks of a size as one ensemble; write one row per network and the learned functions."""
    import torch

    torch.set_num_threads(threads)
    domain, architecture = domain_from(parameters["domain"]), architecture_from(parameters["architecture"])
    targets = {name: target_from(domain, target) for name, target in parameters["targets"].items()}
    width, (first, last) = parameters["width"], parameters["seeds"]
    seeds = range(first, last + 1)

    def trained(x: NDArray, y: NDArray, x_test: NDArray, seeds: range) -> TrainingResult:
        began, progress = process_time(), Progress(len(x), f"width {width or 'own'}, n = {x.shape[1]}")
        result = fit(architecture, width, x, y, x_test, seeds, report=progress, **parameters["training"])
        logging.info("trained in %.3f s of CPU", process_time() - began)
        return result

    with gpus(gpu):
        parts = [
            network_experiment(domain, targets, n, parameters["noise_stds"], seeds, trained)
            for n in parameters["train_sizes"]
        ]
    tables, learned, devices = zip(*parts)
    table, made_from = pd.concat(tables, ignore_index=True), {**parameters, "device": devices[0]}
    write_frame(functions, table, made_from, functions=np.concatenate(learned))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
