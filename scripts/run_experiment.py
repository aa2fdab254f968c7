"""One cell of an experiment of its own kind."""

from collections.abc import Mapping
from typing import Any

from job import run
from learnability.common.devices import gpus
from learnability.common.store import write_frame
from learnability.common.threads import one_thread
from learnability.experiments import experiment


def main(
    parameters: Mapping[str, Any], threads: int, gpu: int, values: str | None, eigenvalues: str | None, cell: str
) -> None:
    """Run the cell on the kernel and spectrum files that it reads; write its table with the labels of the cell as columns."""
    import torch

    torch.set_num_threads(threads)
    files = {name: path for name, path in (("values", values), ("eigenvalues", eigenvalues)) if path}
    options, trained = parameters["options"], {}
    with gpus(gpu), one_thread:
        table = experiment(parameters["kind"])(**options, **({"files": files} if files else {}))
        if options.get("width"):  # `fit` trains on CUDA where there is one
            trained["device"] = "cuda" if torch.cuda.is_available() else "cpu"
    write_frame(cell, table.assign(**parameters["labels"]), {**parameters, **trained})


if "snakemake" in globals():
    run(main, snakemake)  # noqa: F821
