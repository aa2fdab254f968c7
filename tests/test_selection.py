import numpy as np
import pytest
from scipy import stats

import learnability as lb
from learnability.domains import domain_from
from learnability.kernels import architecture_from
from learnability.kernels.grid import expanded
from learnability.kernels.matrix import KernelMatrix
from learnability.measurements.regression import kernel_experiment
from learnability.studies.configuration import with_grids


def networks(**grid):
    return {name: architecture_from(entry) for name, entry in expanded("net", grid).items()}


def test_the_ranking_is_that_of_kernel_regression():
    """On digits, candidates ranked by predicted error are in the order of the errors that kernel regression makes."""
    digits = domain_from({"kind": "data", "name": "digits", "classes": [3, 8]})
    target = digits.all()
    candidates = networks(depth=[1, 4], activation=["relu", "erf"], weight_std=[1.0, 2.0], bias_std=[0.1, 1.0])
    found = lb.select(digits, candidates, target, [64])
    measured = {}
    for name, network in candidates.items():
        table = kernel_experiment(
            digits, {"t": target}, KernelMatrix.on(digits, network), [64], [0.0], [0.0], range(20)
        )
        measured[name] = table["test_mse_off_train"].mean()
    errors = found.table["architecture"].map(measured)
    assert stats.spearmanr(found.table["test_mse"], errors).statistic > 0.95
    assert np.abs(found.table["test_mse"] / errors - 1).max() < 0.1
    assert found.best()["margin_error"].iloc[0] > 0


def test_on_a_domain_it_is_the_theory(relu4):
    cube = lb.Hypercube(6)
    target = cube.parity(3)
    found = lb.select(
        cube, {"a": relu4, "b": lb.FullyConnected(1)}, target, [8, 32], ridges=[0.0, 0.3], kernels=["ntk", "nngp"]
    )
    assert len(found.table) == 16 and found.table["rank"].max() == 8
    row = found.table.query("architecture == 'a' and kernel == 'nngp' and ridge == 0.3 and train_size == 32").iloc[0]
    p = lb.predict(cube.spectrum(relu4, "nngp"), target, 32, 0.3, population=64)
    assert row["test_mse"] == pytest.approx(float(p.test_mse_off_train), rel=1e-12) and row["nmse"] == row["test_mse"]
    assert (found.best()["margin"] >= 0).all() and "Selection of 8 candidates" in repr(found)


def test_samples_needed_inverts_the_learning_curve(relu4):
    sphere = lb.Hypersphere(6)
    sizes = np.geomspace(4, 512, 60)
    found = lb.select(sphere, {"relu": relu4}, sphere.harmonic(1), sizes)
    needed = found.samples_needed(0.3)["samples"].iloc[0]
    predicted = lb.predict(sphere.spectrum(relu4), sphere.harmonic(1), needed).test_mse
    assert float(predicted) == pytest.approx(0.3 * _variance(sphere), rel=1e-3)
    assert np.isnan(found.samples_needed(1e-9)["samples"].iloc[0])


def _variance(sphere):
    values = sphere.harmonic(1)(*sphere.evaluation())
    return values.var()


def test_grids_in_a_configuration():
    assert expanded("mlp", {"depth": 2, "activation": "erf"}) == {"mlp": {"depth": 2, "activation": "erf"}}
    several = expanded("mlp", {"depth": [1, 2], "activation": ["relu", "erf"], "bias_std": 0.1})
    assert [*several] == ["mlp-relu-depth1", "mlp-relu-depth2", "mlp-erf-depth1", "mlp-erf-depth2"]
    assert several["mlp-erf-depth2"] == {"depth": 2, "activation": "erf", "bias_std": 0.1}
    config = {
        "architectures": {"mlp": {"depth": [1, 2]}, "a": {"depth": 3}},
        "studies": {"s": {"architectures": ["a", "mlp"]}},
    }
    assert with_grids(config)["studies"]["s"]["architectures"] == ["a", "mlp-depth1", "mlp-depth2"]
    config["architectures"]["mlp-depth1"] = {"depth": 5}
    with pytest.raises(ValueError, match="rename the grid"):
        with_grids(config)
