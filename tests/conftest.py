"""Shared fixtures: where the reference numbers lie, and the architectures most tests use."""

from pathlib import Path

import pytest
import torch

import learnability as lb

torch.set_num_threads(1)  # the workers of pytest-xdist share the cores; two OpenMP pools would spin against each other

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
