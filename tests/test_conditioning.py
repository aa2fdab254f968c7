"""Solves that are largely rounding say so, once, and the ridge that they name mends them."""

import logging
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import learnability as lb
from learnability.command.main import main
from learnability.common.conditioning import LARGEST_CONDITION, one_warning
from learnability.kernels.matrix import KernelMatrix
from learnability.measurements.regression import kernel_experiment
from learnability.regression.cross_validation import estimate
from learnability.regression.ridge import dual_coefficients, ridge_regression
from learnability.sklearn import NTKRegressor

STAMPS = (1.7e9 + 1e5 * np.arange(50))[:, None]
LABELS = np.sin(np.arange(50) / 5)
NETWORK = lb.FullyConnected(1, "erf", 1.4, 0.1)


def ill_conditioned(call):
    """The result of a call, and the `IllConditioned` that it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [w.message for w in caught if isinstance(w.message, lb.IllConditioned)]


def of_condition(condition, size=30):
    """A symmetric matrix with eigenvalues from 1 / condition to 1."""
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((size, size)))[0]
    return basis * np.geomspace(1 / condition, 1, size) @ basis.T


SOLVES = {
    "dual_coefficients": lambda matrix, y, ridge: dual_coefficients(matrix, y, ridge)[0],
    "ridge_regression": lambda matrix, y, ridge: ridge_regression(matrix, matrix, y, ridge),
    "estimate": lambda matrix, y, ridge: estimate(matrix, y, ridge).gcv,
}


@pytest.mark.parametrize("solve", SOLVES)
def test_the_ridge_of_the_warning_is_the_smallest_that_is_silent(solve):
    y = np.ones(30)
    for condition in (10.0, LARGEST_CONDITION / 10):
        assert not ill_conditioned(lambda c=condition: SOLVES[solve](of_condition(c), y, 0.0))[1]
    matrix = of_condition(20 * LARGEST_CONDITION)
    _, (warning,) = ill_conditioned(lambda: SOLVES[solve](matrix, y, 0.0))
    assert warning.condition == pytest.approx(20 * LARGEST_CONDITION, rel=0.1)
    assert f"{warning.ridge:.2g}" in str(warning) and "condition number" in str(warning)
    assert not ill_conditioned(lambda: SOLVES[solve](matrix, y, warning.ridge))[1]
    _, (again,) = ill_conditioned(lambda: SOLVES[solve](matrix, y, warning.ridge / 2))
    assert again.ridge == pytest.approx(warning.ridge, rel=0.12)


def test_the_error_of_a_solution_is_what_the_threshold_says():
    """At the threshold a solve's error is below 1e-4; it is not far below, or the threshold would be idle."""
    rng = np.random.default_rng(1)
    errors = []
    for seed in range(10):
        basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((30, 30)))[0]
        values = np.geomspace(1 / LARGEST_CONDITION, 1, 30)
        matrix, truth = basis * values @ basis.T, rng.standard_normal(30)
        solution, _ = ill_conditioned(lambda m=matrix, t=truth: np.linalg.solve(m, m @ t))
        errors.append(np.linalg.norm(solution - truth) / np.linalg.norm(truth))
    assert 1e-7 < np.median(errors) < 1e-4


def test_time_stamps_as_they_are_give_a_warning():
    calls = {
        "kernel_regression": lambda x, r: lb.kernel_regression(NETWORK, x, LABELS, x[:5] + 1, r),
        "NTKRegressor": lambda x, r: NTKRegressor(1, "erf", 1.4, 0.1, ridge=r).fit(x, LABELS),
    }
    for call in calls.values():
        _, (warning,) = ill_conditioned(lambda c=call: c(STAMPS, 0.0))
        assert not ill_conditioned(lambda c=call, r=warning.ridge: c(STAMPS, r))[1]
        standard = (STAMPS - STAMPS.mean()) / STAMPS.std()
        assert not ill_conditioned(lambda c=call, x=standard: c(x, 1e-3))[1]
    with pytest.raises(ValueError, match="not positive definite.*ridge of at least"):
        estimate(np.ones((3, 3)) - 1e-9 * np.eye(3), np.ones(3))


def test_kernels_of_exact_rank_are_not_ill_conditioned():
    """A linear kernel on more points than dimensions has a solution of least norm, to all digits."""
    x = np.random.default_rng(0).standard_normal((30, 3))
    assert not ill_conditioned(lambda: lb.kernel_regression(lb.FullyConnected(0), x, x[:, 0], x))[1]


def test_a_ridge_that_the_theory_of_samples_replaces_is_named():
    x = np.random.default_rng(0).standard_normal((20, 3))
    matrix, y = lb.FullyConnected(0).kernel(x), x[:, 0]  # of rank 3
    _, (warning,) = ill_conditioned(lambda: lb.predict_samples(matrix, y, [5, 8]))
    assert "smaller ridges are replaced" in str(warning)
    assert not ill_conditioned(lambda: lb.predict_samples(matrix, y, [5, 8], ridge=2 * warning.ridge))[1]


def test_one_warning_is_the_worst():
    def study():
        with one_warning():
            for condition in (1e13, 1e15, 1e14):
                dual_coefficients(of_condition(condition), np.ones(30))
            warnings.warn("something else", stacklevel=1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        study()
    assert [w.category for w in caught] == [UserWarning, lb.IllConditioned]
    assert caught[1].message.condition == pytest.approx(1e15, rel=0.5)


def test_a_command_says_it_once(tmp_path):
    pd.DataFrame({"a": np.repeat(STAMPS[:25, 0], 2), "y": LABELS}).to_csv(tmp_path / "stamps.csv", index=False)
    arguments = [
        "select",
        str(tmp_path / "stamps.csv"),
        "-n",
        "5",
        "-n",
        "8",
        "--depth",
        "1",
        "--depth",
        "2",
        "--ridge",
        "0",
    ]
    result = CliRunner().invoke(main, [*arguments, "--activation", "erf", "--activation", "relu"])
    assert result.exit_code == 0, result.output
    assert result.stderr.count("ill-conditioned") == 1


def test_a_job_logs_it_once(tmp_path, monkeypatch, capsys):
    """A study has hundreds of training sets per kernel."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    from job import run

    data = lb.Samples((STAMPS - STAMPS.mean()) / STAMPS.std(), LABELS)
    kernel = KernelMatrix.on(data, lb.Gaussian(3.0))

    def job():
        kernel_experiment(data, {"all": data.all()}, kernel, [20, 40], [0.0], [0.0], range(10))

    nothing = SimpleNamespace(items=lambda: ())
    told = {"log": [tmp_path / "log"], "params": nothing, "output": nothing, "input": nothing, "threads": 1}
    run(job, SimpleNamespace(**told, resources={}, rule="regression"))
    for text in ((tmp_path / "log").read_text(), capsys.readouterr().err):
        assert text.count("ill-conditioned") == 1
    assert "IllConditioned" in (tmp_path / "log").read_text()
