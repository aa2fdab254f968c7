"""How long jobs take, for cutting a study into jobs and asking for time. Estimates never decide what is computed."""

import math

RATE = 4e10  # operations per second of one core in the trainer's matrix products (docs/performance.md)
STREAMED = 8e-9  # seconds per weight to read and write it, its gradient and the optimizer's means
EXACT_RATE = 1e10  # in the factorizations of float64 matrices
START = 0.012  # seconds to draw a network's weights and evaluate it
BLOCKS = (300, 100, 30, 10, 5, 1)  # seeds per job
TOGETHER = 30  # seeds of all training-set sizes that share a job are trained in the time that a job may take


def network_seconds(depth, width, train_size):
    """Seconds to train one network by gradient flow on one core of a recent processor, within a factor of three."""
    products = 10 * max(depth - 1, 0) * train_size * width**2 + 4 * (depth + 1) * train_size**2 * width
    eigenproblem = 25 * train_size**3
    return START + (4 + train_size / 20) * (products + eigenproblem) / RATE


def mini_batch_seconds(depth, width, train_size, batch_size):
    """The same for SGD and Adam, which take some 8 n steps at half of the stable rate; a step also streams all weights."""
    weights = depth * width**2
    return START + (100 + 8 * train_size) * weights * (6 * min(batch_size, train_size) / RATE + STREAMED)


def decomposition_seconds(points):
    """Seconds for the eigenvalues and eigenvectors of a symmetric float64 matrix on one core, within a factor of three."""
    return 10 * points**3 / EXACT_RATE


def regression_seconds(train_size, points, ridges):
    """Seconds for kernel regression on one training set, evaluated on all points, with several ridges."""
    return START + ridges * (train_size**3 + 4 * train_size * points) / EXACT_RATE


def size_ranges_by_cost(seed_seconds, job_seconds):
    """Ranges (smallest, largest) of training-set sizes that share a job: cheap neighbours, whatever the number of seeds.

    seed_seconds : dict of size to seconds per seed, sizes ascending
    """
    ranges, filled = [], math.inf
    for n, seconds in seed_seconds.items():
        filled += seconds
        if filled * TOGETHER <= job_seconds:
            ranges[-1] = (ranges[-1][0], n)
        else:
            ranges.append((n, n))
            filled = seconds
    return ranges


def seed_ranges(seeds, block):
    """Ranges (first, last) of whole blocks, then of single seeds: one more seed is one more job."""
    whole = seeds // block * block
    ranges = [(first, first + block - 1) for first in range(0, whole, block)]
    return ranges + [(seed, seed) for seed in range(whole, seeds)]


def seed_ranges_by_cost(seeds, seconds_per_seed, job_seconds):
    """Ranges of at most `job_seconds` each where a single seed allows it, of the sizes in BLOCKS, the largest first.

    A further seed is a job of its own, until the last ones fill a block of the next size.
    """
    ranges, first = [], 0
    for block in BLOCKS:
        while first + block <= seeds and (block == 1 or block * seconds_per_seed <= job_seconds):
            ranges.append((first, first + block - 1))
            first += block
    return ranges
