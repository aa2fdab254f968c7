"""Shared fixtures: where the reference numbers lie, and the architectures most tests use."""

from pathlib import Path

import pytest
import scipy.linalg  # noqa: F401  SciPy brings a BLAS of its own, which is limited only once it is loaded
import torch
from threadpoolctl import threadpool_limits

import learnability as lb

# The workers of pytest-xdist share the cores: pools of more threads than cores would wait for each other.
torch.set_num_threads(1)
threadpool_limits(1)

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data():
    return DATA


@pytest.fixture(scope="session")
def relu4():
    return lb.FullyConnected(depth=4, activation="relu", weight_std=1.4, bias_std=0.1)


@pytest.fixture(scope="session")
def cube():
    return lb.Hypercube(dim=8)
