"""One cell of an experiment of its own kind."""

from job import run
from learnability.common.devices import gpus
from learnability.common.store import write_frame
from learnability.common.threads import one_thread
from learnability.experiments import experiment


def main(kind, options, labels, threads, gpu, values, eigenvalues, cell):
    """Run the cell on the kernel and spectrum files that it reads; write its table with the labels of the cell as columns."""
    import torch

    torch.set_num_threads(threads)
    files = {name: path for name, path in (("values", values), ("eigenvalues", eigenvalues)) if path}
    parameters = {"kind": kind, "options": options}
    with gpus(gpu), one_thread:
        table = experiment(kind)(**options, **({"files": files} if files else {}))
        if options.get("width"):  # `fit` trains on CUDA where there is one
            parameters["device"] = "cuda" if torch.cuda.is_available() else "cpu"
    write_frame(cell, table.assign(**labels), parameters)


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
