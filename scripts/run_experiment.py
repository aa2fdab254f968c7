"""One cell of an experiment of its own kind."""

from job import run
from learnability.common.devices import gpus
from learnability.common.store import write_frame
from learnability.experiments import experiment


def main(kind, options, labels, threads, gpu, cell):
    """Run the cell; write its table with the labels of the cell as columns."""
    import torch

    torch.set_num_threads(threads)
    with gpus(gpu):
        table = experiment(kind)(**options)
    write_frame(cell, table.assign(**labels), {"kind": kind, "options": options})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
