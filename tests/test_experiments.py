"""One tiny cell of every experiment, and its figure."""

from inspect import signature

import numpy as np
import pandas as pd
import pytest
import torch

from build_kernel import main as build_kernel
from decompose_kernel import main as decompose_kernel
from learnability.common.store import read_h5
from learnability.experiments import EXPERIMENTS, READS, experiment
from learnability.experiments.circle_fits import squared_deviations
from learnability.figures import FIGURES, drawing
from run_experiment import main as run_experiment

CUBE, RING, SPHERE = (
    {"kind": "hypercube", "dim": 4},
    {"kind": "circle", "points": 16},
    {"kind": "sphere", "dim": 4, "test_points": 60},
)
NET = {"depth": 1, "activation": "relu", "weight_std": 1.4, "bias_std": 0.1}
DATA = {"kind": "data", "name": "digits", "classes": [4, 9], "samples": 60}
IMAGES = {"kind": "data", "name": "digits", "classes": [1, 4, 9], "samples": 60}
MODELS = """
from torch import nn
def small():
    return nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3))
"""
MODULE = {"kind": "torch_module", "path": "models.py", "function": "small", "allow_code": True}

CELLS = {
    "after_kernel": {"domain": CUBE, "architecture": NET, "target": {"parity": 1}, "width": 16, "train_size": 5, "seeds": 2, "draws": 2},
    "locality": {"dim": 5, "architecture": {"kind": "sequential", "layers": [{"conv": {"kernel": 3, "padding": "circular"}}, "relu", "flatten", "dense"]}, "seeds": 2},
    "modules": {"domain": IMAGES, "architecture": MODULE, "target": {"all": None}, "train_size": 20, "training": {"adam": {"method": "adam", "learning_rate": 0.01, "target_mse": 0.01}, "classes": {"method": "adam", "loss": "cross_entropy", "max_steps": 20}}, "seeds": 2, "points": 10},
    "optimizers": {"domain": CUBE, "architecture": NET, "target": {"parity": 1}, "train_sizes": [4, 8], "width": 16, "method": "sgd", "seeds": 2},
    "beyond_the_data": {"table": "wine", "architecture": NET, "parts": [0.2], "seeds": 1, "draws": 2},
    "circle_fits": {"domain": RING, "architecture": NET, "width": 32, "frequencies": [1, 2], "amplitude": 0.7, "shown_sizes": [4], "train_sizes": [2, 4], "probe": 2, "seeds": 2},
    "covariance": {"domain": CUBE, "architecture": NET, "width": 32, "train_sizes": [6], "random_modes": 5, "kernel_seeds": 4, "network_seeds": 2, "shown": 3},
    "deep_bootstrap": {"train_sizes": [4, 16], "decades": [-1, 2], "domain": DATA, "architecture": NET, "target": {"all": None}, "seeds": 2, "times": 3},
    "estimators": {"domain": DATA, "architecture": NET, "target": {"all": None}, "train_sizes": [8, 16], "ridges": [0.0, 1.0], "seeds": 3},
    "fidelity": {"architecture": NET, "width": 32, "train_size": 4, "degrees": [1], "tolerances": [0.002], "dim": 4, "seeds": 2, "reference": 0.2},
    "gradient_norm": {"domain": SPHERE, "architecture": NET, "width": 32, "target": {"product": 1}, "train_sizes": [4], "kernel_seeds": 2, "network_seeds": 2, "points": 10},
    "kappa_fluctuation": {"domain": CUBE, "architecture": NET, "targets": [{"parity": 1}], "train_sizes": [2, 4], "draws": 3},
    "linear_regression": {"dim": 5, "train_sizes": [3, 10], "ridges": [0.0, 0.2], "noise_std": 0.5, "draws": 3, "points": 20},
    "parity_hardness": {"dim": 4, "architecture": NET, "seeds": 2},
    "corrections": {"domain": CUBE, "architecture": NET, "targets": [{"parity": 1}], "train_sizes": [2, 8], "correction": "population", "ridges": [0.1], "noise_stds": [0.5], "seeds": 4},
    "hard_samples": {"domain": DATA, "architecture": NET, "target": {"all": None}, "train_size": 20, "ridge": 0.1, "seeds": 6, "shown": 4},
    "large_data": {"domain": SPHERE, "architecture": NET, "targets": [{"harmonic": 1}, {"harmonic": 2}], "samples": 80, "train_sizes": [4, 20], "regression_sizes": [4], "seeds": 2, "probes": 3, "steps": 4},
    "large_spectrum": {"domain": DATA, "architecture": NET, "target": {"all": None}, "samples": 60, "method": "quadrature", "train_sizes": [4, 20], "probes": 3, "steps": 4},
    "hermite_ansatz": {"domain": DATA, "architecture": NET, "target": {"all": None}, "train_sizes": [8, 16], "labels": 60, "seeds": 2, "test_points": 20, "mixed": 30},
    "random_features": {"domain": CUBE, "architecture": NET, "target": {"parity": 1}, "train_sizes": [4, 8], "features": [8, 16], "ridges": [0.01], "draws": 3},
    "select": {"domain": DATA, "grid": {"depth": [1, 2], "activation": ["relu", "erf"]}, "target": {"all": None}, "train_sizes": [8, 16], "kernels": ["ntk", "nngp"], "seeds": 3, "width": 16, "network_seeds": 2},
    "shifted_test": {"architecture": NET, "pool": 60, "train_sizes": [10, 20], "draws": 3},
    "spectra": {"domain": CUBE, "architecture": NET},
}  # fmt: skip
DRAWN = {
    "deep_bootstrap": ("comparison", {"x": "time", "group": "train_size", "xscale": "log", "yscale": "log"}),
    "gradient_norm": ("comparison", {"x": "train_size", "xscale": "log"}),
    "kappa_fluctuation": (
        "comparison",
        {"x": "train_size", "measures": ["kappa", "relative variance"], "group": "target"},
    ),
    "linear_regression": (
        "comparison",
        {"x": "train_size", "group": "ridge", "measures": ["test_mse"], "yscale": "log"},
    ),
    "locality": ("comparison", {"x": "dim"}),
    "parity_hardness": ("comparison", {"x": "dim"}),
    "spectra": ("comparison", {"x": "mode", "measures": ["eigenvalue"], "yscale": "log"}),
}


@pytest.mark.parametrize("kind", CELLS)
def test_a_tiny_cell_and_its_figure(kind, tmp_path, monkeypatch):
    (tmp_path / "models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    table = experiment(kind)(**CELLS[kind])
    assert len(table)
    if kind != "fidelity":
        compared = table[~table["source"].isin(["theory", "paper"])]
        assert compared["mean"].notna().all() and {"source", "measure", "mean"} <= set(table)
    labels = {"architecture": "net", "width": CELLS[kind].get("width")} if kind in ("fidelity", "modules") else {}
    figure, options = DRAWN.get(kind, (kind, {"probe": "cos 2t"} if kind == "circle_fits" else {}))
    axes = drawing(figure)(table.assign(**labels), **options).axes
    assert any(axis.lines or axis.collections or axis.images for axis in axes)


@pytest.mark.parametrize("kind", READS)
def test_a_cell_that_reads_files_finds_the_same_numbers(kind, tmp_path, monkeypatch):
    options, values, eigenvalues = CELLS[kind], tmp_path / "kernel.h5", tmp_path / "spectrum.h5"
    (kernel,) = set(READS[kind].values())
    parameters = {"domain": options["domain"], "architecture": options["architecture"], "kernel": kernel}
    build_kernel(parameters, values)
    decompose_kernel(parameters, values, eigenvalues)
    expected = experiment(kind)(**options)

    def refuse(*_):
        raise AssertionError("the cell made it anew")

    from learnability.domains import Circle, Hypercube, Hypersphere, Samples

    for domain in (Circle, Hypercube, Hypersphere, Samples):
        monkeypatch.setattr(domain, "spectrum", refuse)
        monkeypatch.setattr(domain, "kernel_values", refuse)
    files = {name: {"values": values, "eigenvalues": eigenvalues}[name] for name in READS[kind]}
    pd.testing.assert_frame_equal(experiment(kind)(**options, files=files), expected, check_exact=True)
    monkeypatch.undo()
    other = {**options, "architecture": {**NET, "bias_std": 0.3}}
    with pytest.raises(ValueError, match="was made from architecture"):
        experiment(kind)(**other, files=files)


def test_a_cell_with_networks_says_where_they_were_trained(tmp_path):
    found = {}
    for kind in ("gradient_norm", "spectra"):
        parameters = {"kind": kind, "options": CELLS[kind], "labels": {"net": "a"}}
        files = {"values": None, "eigenvalues": None, "cell": str(tmp_path / f"{kind}.h5")}
        run_experiment(parameters, threads=1, gpu=0, **files)
        found[kind] = read_h5(tmp_path / f"{kind}.h5")[1].get("device")
    assert found == {"gradient_norm": "cuda" if torch.cuda.is_available() else "cpu", "spectra": None}


def test_kinds_read_files_if_they_take_them():
    assert {kind for kind in EXPERIMENTS if "files" in signature(experiment(kind)).parameters} == set(READS)


def test_every_kind_is_tried():
    assert set(CELLS) == set(EXPERIMENTS)
    assert set(FIGURES) >= {figure for figure, _ in DRAWN.values()}


def test_variances_count_the_draws_that_there_are():
    """Networks that did not converge are nan; of a single one there is no variance."""
    draws = np.array([1.0, np.nan, 3.0, 2.0])
    assert squared_deviations(draws).mean() == pytest.approx(np.var([1.0, 3.0, 2.0], ddof=1))
    assert len(squared_deviations(np.array([1.0, np.nan]))) == 0
