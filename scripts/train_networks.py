"""One block of networks: the seeds first ... last at one width and training-set size, all targets."""

import logging
from time import process_time

from job import run
from learnability.common.devices import gpus
from learnability.common.progress import Progress
from learnability.common.store import write_frame
from learnability.domains import domain_from, target_from
from learnability.ensembles.training.fit import fit
from learnability.kernels import architecture_from
from learnability.measurements.networks import network_experiment


def main(domain, architecture, targets, train_size, noise_stds, width, first, last, training, threads, gpu, functions):
    """Train the block as one ensemble; write one row per network and the learned functions."""
    import torch

    torch.set_num_threads(threads)
    space, network = domain_from(domain), architecture_from(architecture)
    chosen = {name: target_from(space, target) for name, target in targets.items()}
    seeds = range(first, last + 1)
    progress = Progress(len(seeds) * len(targets) * len(noise_stds), f"width {width}, n = {train_size}")

    def trained(seeds, x, y, x_test):
        began = process_time()
        result = fit(network, width, seeds, x, y, x_test, report=progress, **training)
        logging.info("trained in %.3f s of CPU", process_time() - began)
        return result

    with gpus(gpu):
        table, learned, device = network_experiment(space, chosen, train_size, noise_stds, seeds, trained)
    parameters = {"domain": domain, "architecture": architecture, "targets": targets, "width": width}
    write_frame(functions, table, {**parameters, "training": training, "device": device}, functions=learned)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
