"""What training costs on this machine beside what a study's plan expects (`learnability.studies.costs`)."""

from time import perf_counter

import numpy as np
import torch

from learnability.domains import domain_from, target_from
from learnability.domains.hypercube import Hypercube
from learnability.ensembles.training.fit import train
from learnability.kernels.fully_connected import FullyConnected
from learnability.studies.costs import network_seconds

from .measured import Row

# (depth, width, n, degree of a parity), and (depth, width, n) with ten outputs
PARITIES = (
    (1, 50, 8, 1), (1, 200, 32, 2), (1, 500, 128, 1), (1, 1000, 256, 2), (1, 200, 512, 1), (1, 50, 128, 2), (2, 50, 64, 1),
    (2, 200, 16, 3), (2, 500, 32, 1), (2, 1000, 64, 2), (2, 200, 256, 1), (2, 100, 512, 1), (4, 50, 32, 1), (4, 100, 128, 2),
    (4, 200, 64, 3), (4, 500, 16, 1), (4, 500, 256, 1), (4, 1000, 32, 1), (4, 1000, 128, 2), (4, 300, 512, 1), (4, 500, 64, 2),
    (8, 50, 16, 1), (8, 100, 64, 2), (8, 200, 32, 1), (8, 500, 64, 1), (8, 500, 16, 2), (8, 1000, 16, 1), (8, 200, 256, 1),
    (8, 1000, 64, 1),
)  # fmt: skip
CLASSES = (
    (1, 500, 64), (1, 200, 256), (1, 1000, 128), (2, 200, 32), (2, 500, 128), (4, 500, 32), (4, 200, 128), (4, 500, 64),
    (4, 100, 512), (8, 200, 32), (8, 500, 64), (4, 1000, 32), (4, 500, 128), (4, 500, 512),
)  # fmt: skip
TESTED = 256  # points on which networks are evaluated


def costs() -> list[Row]:
    """Seconds per network on one core and the plan's estimate, for 43 ensembles of ReLU networks; a minute in all.

    A copy of the table is tests/data/training_seconds.csv, to which the estimate is fitted.
    """
    digits, small, large = domain_from({"kind": "data", "name": "digits"}), Hypercube(8), Hypercube(10)
    jobs = [(depth, width, n, 1, degree) for depth, width, n, degree in PARITIES]
    jobs += [(depth, width, n, 10, 0) for depth, width, n in CLASSES]
    threads, rows = torch.get_num_threads(), []
    torch.set_num_threads(1)
    x, index = small.sample(8, 0)
    train(FullyConnected(1), 8, x, small.parity(1)(x, index), x, [0])  # what a process does once
    for depth, width, n, outputs, degree in jobs:
        domain = digits if outputs > 1 else small if n < TESTED else large
        x, index = domain.sample(n, 0)
        target, test = target_from(domain, {"all": None} if outputs > 1 else {"parity": degree}), domain.evaluation()[0]
        network = FullyConnected(depth, "relu", 1.4, 0.1)
        networks = 1 if width * n * depth > 3e5 else 2 if width * n * depth > 5e4 else 6
        began = perf_counter()
        result = train(network, width, x, target(x, index), test[:TESTED], range(networks))
        seconds, estimated = (perf_counter() - began) / networks, network_seconds(depth, width, n, outputs)
        row: Row = {"depth": depth, "width": width, "train_size": n, "outputs": outputs, "degree": degree}
        row |= {"networks": networks, "seconds": seconds, "steps": float(np.mean(result.steps))}
        rows.append({**row, "estimated": estimated, "ratio": estimated / seconds})
    torch.set_num_threads(threads)
    return rows
