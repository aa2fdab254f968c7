"""The numbers of docs/research/groups.md: predicted errors on new persons, and what regression on random persons measures.

    python tests/campaigns/groups.py

Persons have offsets and inputs of their own; labels have two outputs. Training sets are fixed numbers of whole persons, 400 of
them each, and errors those on the rows of the others. Then the processor seconds of one prediction from 2,000 rows, half of them
drawn. It takes a minute or two.
"""

from collections.abc import Iterator
from itertools import chain
from time import process_time

import numpy as np

import learnability as lb
from learnability.common.groups import number_of
from learnability.regression.resampling import resample

DRAWS = 400
TABLES = {  # persons, rows of each
    "20 persons, 10 rows each": (20, 10, 10),
    "60 persons, 1 to 12 rows": (60, 1, 12),
    "150 persons, 4 rows each": (150, 4, 4),
}
KERNELS = {"ReLU, 1 layer": (lb.FullyConnected(1), (0.01, 0.1, 1.0, 10.0)), "Gaussian": (lb.Gaussian(2.0), (0.1,))}
SHARES = (0.25, 0.5, 0.75)


def persons(number: int, fewest: int, most: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs (rows, 4), labels (rows, 2) and the person of every row."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(number), rng.integers(fewest, most + 1, number))
    rows = len(group)
    x = 0.7 * (rng.standard_normal((number, 4))[group] + rng.standard_normal((rows, 4)))
    offsets = rng.standard_normal((number, 2))[group]
    y = np.column_stack([np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.3 * rng.standard_normal(rows), x[:, 3]]) + offsets
    return x, y - y.mean(0), group


def lines() -> Iterator[str]:
    """Lines of the table in Markdown: predicted, measured and their distance at every share of the persons."""
    yield "| table | kernel, ridge | a quarter drawn | half | three quarters | half, by the theory of single rows |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, sizes in TABLES.items():
        x, y, group = persons(*sizes)
        for kernel, (network, ridges) in KERNELS.items():
            matrix = network.kernel(x)
            for ridge in ridges:
                cells = [_cell(matrix, y, group, ridge, int(share * number_of(group))) for share in SHARES]
                of_rows = lb.predict_samples(matrix, y, len(y) / 2, ridge).test_mse_off_train.mean()
                yield f"| {name} | {kernel}, {ridge:g} | {' | '.join(cells)} | {of_rows:.2f} |"


def _cell(matrix: np.ndarray, y: np.ndarray, group: np.ndarray, ridge: float, drawn: int) -> str:
    size = drawn * len(y) / number_of(group)
    predicted = lb.predict_samples(matrix, y, size, ridge, groups=group).test_mse_off_train.mean()
    measured = resample(matrix, y, round(size), ridge, DRAWS, groups=group)
    off = 100 * (predicted / measured.mean - 1)
    return f"{predicted:.3f}, {measured.mean:.3f} ± {measured.standard_error:.3f} ({off:+.1f} %)"


def seconds() -> Iterator[str]:
    """A line for every size of groups, after one for single rows."""
    for size in (None, 1, 2, 10, 100):
        x, y, group = persons(2000 // (size or 1), size or 1, size or 1)
        matrix = lb.FullyConnected(1).kernel(x)
        began = process_time()
        lb.predict_samples(matrix, y[:, 0], 1000, 0.1, groups=None if size is None else group)
        yield f"{'single rows' if size is None else f'groups of {size}'}: {process_time() - began:.1f} s"


if __name__ == "__main__":
    for line in chain(lines(), seconds()):
        print(line, flush=True)
