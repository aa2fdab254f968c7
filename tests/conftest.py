"""Shared fixtures: where the reference numbers lie, and the architectures most tests use.

Annotations of the packages of mathematics are checked while tests run, types and shapes: an axis of one name has one length
within a call. The others, whose arguments have few shapes, would cost a quarter of the processor time; mypy alone checks them.
"""

import shutil
from pathlib import Path

import pytest
import scipy.linalg  # noqa: F401  SciPy brings a BLAS of its own, which is limited only once it is loaded
import torch
from jaxtyping import config, install_import_hook
from threadpoolctl import threadpool_limits

MATHEMATICS = (
    "kernels",
    "spectra",
    "domains",
    "theory",
    "regression",
    "curves",
    "selection",
    "ensembles",
    "measurements",
)
OF_PYTORCH = ("empirical", "torch_module", "infinite")  # their functions are called by PyTorch's own tracing
CHECKED = [
    f"learnability.{package}.{path.stem}"
    for package in MATHEMATICS
    for path in (Path(__file__).parent.parent / "learnability" / package).iterdir()
    if path.stem not in (*OF_PYTORCH, "__init__", "__pycache__")
]
install_import_hook(CHECKED, "run_time_types.checked")  # before any import

import learnability as lb  # noqa: E402

# The workers of pytest-xdist share the cores: pools of more threads than cores would wait for each other.
torch.set_num_threads(1)
threadpool_limits(1)

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items):
    """Long tests begin first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def unchecked(request):
    """Tests marked `wrong_types` call functions with what their annotations exclude, for the library's own message."""
    marked = request.node.get_closest_marker("wrong_types") is not None
    config.update("jaxtyping_disable", marked)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def data():
    return DATA


@pytest.fixture(scope="session")
def relu4():
    return lb.FullyConnected(depth=4, activation="relu", weight_std=1.4, bias_std=0.1)


@pytest.fixture(scope="session")
def cube():
    return lb.Hypercube(dim=8)


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; tests that take it are of the group "browser", so that one worker starts it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()
