"""One block of networks: the seeds first ... last at one width and some training-set sizes, all targets."""

import logging
from time import process_time

import numpy as np
import pandas as pd

from job import run
from learnability.common.devices import gpus
from learnability.common.progress import Progress
from learnability.common.store import write_frame
from learnability.domains import domain_from, target_from
from learnability.ensembles.training.fit import fit
from learnability.kernels import architecture_from
from learnability.measurements.networks import network_experiment


def main(domain, architecture, targets, train_sizes, noise_stds, width, first, last, training, threads, gpu, functions):
    """Train the networks of a size as one ensemble; write one row per network and the learned functions."""
    import torch

    torch.set_num_threads(threads)
    space, network = domain_from(domain), architecture_from(architecture)
    chosen = {name: target_from(space, target) for name, target in targets.items()}
    seeds = range(first, last + 1)

    def trained(x, y, x_test, seeds):
        began, progress = process_time(), Progress(len(x), f"width {width}, n = {x.shape[1]}")
        result = fit(network, width, x, y, x_test, seeds, report=progress, **training)
        logging.info("trained in %.3f s of CPU", process_time() - began)
        return result

    with gpus(gpu):
        parts = [network_experiment(space, chosen, n, noise_stds, seeds, trained) for n in train_sizes]
    tables, learned, devices = zip(*parts)
    parameters = {"domain": domain, "architecture": architecture, "targets": targets, "width": width}
    parameters |= {"train_sizes": train_sizes, "noise_stds": noise_stds, "seeds": [first, last], "training": training}
    parameters["device"] = devices[0]
    write_frame(functions, pd.concat(tables, ignore_index=True), parameters, functions=np.concatenate(learned))


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
