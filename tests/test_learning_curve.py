"""One entry for every theory: which one it takes, and that all ways to a number give the same number."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import learnability
import learnability as lb
from learnability.command.main import main
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.tables.theory import study_table

LIBRARY = Path(learnability.__file__).parent
NETWORK = {"depth": 1, "activation": "relu", "weight_std": 2**0.5, "bias_std": 0.1}


def table_of(rows):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, 4))
    return x, np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * rng.standard_normal(rows)


@pytest.mark.parametrize(
    ("domain", "train_size", "name"),
    [
        (lb.Hypercube(dim=8), 32, "finite_population"),
        (lb.Circle(points=10), 3, "finite_population"),
        (lb.Hypercube(dim=30), 32, "eigenlearning"),
        (lb.Hypersphere(dim=5), 32, "eigenlearning"),
        (lb.Samples(*table_of(50)), 20, "per_sample"),
    ],
    ids=str,
)
def test_the_theory_fits_the_domain(domain, train_size, name):
    target = domain.all() if name == "per_sample" else getattr(domain, domain.targets[0])(1)
    curve = lb.learning_curve(domain, lb.FullyConnected(1), target, train_size=[train_size])
    assert curve.theory.tolist() == [name]
    assert curve.to_frame()["theory"].tolist() == [name]


def test_names_and_objects_are_the_same_theory():
    cube, network = lb.Hypercube(dim=6), lb.FullyConnected(2, "relu", 1.4, 0.1)
    for name, system in (
        ("eigenlearning", lb.Eigenlearning()),
        ("finite_population", lb.FinitePopulation(64)),
        ("fourth_moments", lb.FourthMoments(cube)),
    ):
        named, given = (
            lb.learning_curve(cube, network, cube.parity(1), [4, 16], 0.1, theory=theory) for theory in (name, system)
        )
        direct = lb.predict(cube.spectrum(network), cube.parity(1), [4, 16], 0.1, theory=system)
        assert np.array_equal(named.test_mse, given.test_mse) and np.allclose(
            named.test_mse, direct.test_mse, rtol=1e-12
        )
        assert set(given.theory) == {name}
    features = lb.learning_curve(cube, network, cube.parity(1), [4], 0.1, theory=lb.RandomFeatures(20))
    assert features.theory.tolist() == ["random_features"]


def test_a_domain_refuses_what_it_does_not_allow():
    cube, network = lb.Hypercube(dim=4), lb.FullyConnected(1)
    with pytest.raises(ValueError, match="write finite_population"):
        lb.learning_curve(cube, network, cube.parity(1), [4], theory="per_sample")
    with pytest.raises(ValueError, match="write per_sample"):
        lb.learning_curve(lb.Samples(*table_of(20)), network, train_size=[4], theory="fourth_moments")
    with pytest.raises(ValueError, match="did you mean 'eigenlearning'"):
        lb.learning_curve(cube, network, cube.parity(1), [4], theory="eigenlearnin")
    with pytest.raises(ValueError, match="target is missing"):
        lb.learning_curve(cube, network, train_size=[4])
    with pytest.raises(ValueError, match="give one of theory, population"):
        lb.predict(cube.spectrum(network), cube.parity(1), 4, theory=lb.Eigenlearning(), population=16)


def test_of_many_samples_some_are_seen_and_errors_are_those_of_the_whole():
    """With half of the samples the error off the training set is that of all, up to the scatter of a mean over samples."""
    x, y = table_of(400)
    data, network = lb.Samples(x, y), lb.FullyConnected(1)
    whole, half = (
        lb.learning_curve(data, network, train_size=[60], ridge=0.1, theory=lb.PerSample(most)) for most in (400, 200)
    )
    assert len(half.samples) == 200 and half.population[0] == 400
    scatter = whole.sample_errors[0].std() / np.sqrt(200)
    assert abs(half.test_mse_off_train - whole.test_mse_off_train)[0] < 3 * scatter
    mixed = half.test_mse_off_train * (1 - 60 / 400) + half.train_mse * 60 / 400
    assert half.test_mse == pytest.approx(mixed, rel=1e-9)


@pytest.mark.parametrize("rows", [300, 5000])
def test_python_command_selection_and_study_give_one_number(rows, tmp_path, monkeypatch):
    """A selection from many samples sees a choice of its own: tests/test_selection.py."""
    monkeypatch.setattr("learnability.curves.choice.PerSample", lambda: lb.PerSample(300))
    x, y = table_of(rows)
    path = tmp_path / "table.csv"
    pd.DataFrame({**{f"x{i}": x[:, i] for i in range(4)}, "y": y}).to_csv(path, index=False)
    from learnability.domains import domain_from

    domain = domain_from({"kind": "data", "path": str(path), "label": "y"})
    network = lb.FullyConnected(**NETWORK)
    expected = lb.learning_curve(domain, network, train_size=[50], ridge=0.1)
    selection = lb.select(domain, {"net": network}, domain.all(), [50], [0.1])
    study = study_table(KernelOnDomain(domain, network), {"y": domain.all()}, [50], [50], [0.1], [0.0])
    study = study[study["source"] == "theory"]
    csv = tmp_path / "out.csv"
    arguments = ["predict", str(path), "--label", "y", "-n", "50", "--ridge", "0.1", "--csv", str(csv)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    said = pd.read_csv(csv)
    for name, number in (
        ("selection", selection.table["test_mse"].item()),
        ("study", study["test_mse_off_train"].item()),
        ("command", said["test_mse_off_train"].item()),
    ):
        assert number == pytest.approx(expected.test_mse_off_train.item(), rel=1e-9), name
    assert expected.theory.tolist() == study["theory"].tolist() == said["theory"].tolist() == ["per_sample"]


def test_beyond_the_data_the_curve_is_the_extrapolation():
    data, network = lb.Samples(*table_of(60)), lb.FullyConnected(1)
    sizes, ridges = np.array([30, 60, 120, 240]), np.array([[0.1], [1.0]])
    with pytest.warns(UserWarning, match="beyond the data|measures"):
        curve = lb.learning_curve(data, network, train_size=sizes, ridge=ridges)
    matrix, labels = network.kernel(data.points), data.labels
    for row, ridge in enumerate(ridges[:, 0]):
        expected = lb.extrapolate(matrix, labels, [120, 240], ridge)
        assert np.array_equal(curve.test_mse_off_train[row, 2:], expected.table["test_mse"])
        assert np.array_equal(curve.test_mse_low[row, 2:], expected.table["low"])
        assert np.array_equal(curve.test_mse_high[row, 2:], expected.table["high"])
        assert curve.extrapolations[ridge].samples_needed(fall=0.9) == expected.samples_needed(fall=0.9)
        assert all(any(remark in said for said in curve.remarks) for remark in expected.remarks)
    assert curve.theory.tolist() == [["per_sample"] * 2 + ["extrapolation"] * 2] * 2
    assert np.isnan(curve.test_mse_low[:, :2]).all() and {"test_mse_low", "test_mse_high"} < set(curve.to_frame())
    within = lb.learning_curve(data, network, train_size=sizes[:2], ridge=ridges)
    assert np.array_equal(within.test_mse_off_train, curve.test_mse_off_train[:, :2])
    assert "test_mse_low" not in within.to_frame()


def test_of_many_samples_some_are_extrapolated(monkeypatch):
    monkeypatch.setattr("learnability.curves.beyond.EXTRAPOLATED", 40)
    data = lb.Samples(*table_of(60))
    with pytest.warns(UserWarning, match="extrapolated from 40 of 60 samples"):
        curve = lb.learning_curve(data, lb.FullyConnected(1), train_size=[120], ridge=0.1)
    assert curve.test_mse_low[0] < curve.test_mse_off_train[0] < curve.test_mse_high[0]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (60, {"train_size": 961}, "beyond what 60 samples can tell; ask for at most 960"),
        (19, {"train_size": 38}, "extrapolated from at least 20; ask for fewer or give more"),
        (60, {"train_size": 120, "noise_std": 0.1}, "noise_std must be 0 beyond the 60 samples"),
    ],
)
def test_what_cannot_be_said_beyond_the_data_is_refused(rows, options, message):
    with pytest.raises(ValueError, match=message):
        lb.learning_curve(lb.Samples(*table_of(rows)), lb.FullyConnected(1), **options)


def test_a_prediction_checks_itself():
    """One column, a smooth kernel and no ridge: regression contradicts the theory, and a ridge mends it."""
    x = np.random.default_rng(0).standard_normal((100, 1))
    data = lb.Samples(x, np.sin(3 * x[:, 0]) + 0.1 * np.cos(40 * x[:, 0]))
    with pytest.warns(UserWarning, match="trust the measured value, or use a ridge of"):
        curve = lb.learning_curve(data, lb.Gaussian(1.0), train_size=[20, 50])
    assert len(curve.remarks) == 1 and "with 50 samples" in curve.remarks[0] and curve.remarks[0] in repr(curve)
    assert lb.learning_curve(lb.Samples(*table_of(200)), lb.FullyConnected(1), train_size=50, ridge=0.1).remarks == ()


def test_nothing_else_decides_the_theory():
    """Outside theory/ and curves/, no one predicts from samples by itself or from a spectrum without naming the equations."""
    for path in LIBRARY.rglob("*.py"):
        if path.relative_to(LIBRARY).parts[0] in ("theory", "curves"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "predict_samples", path
                named = any(keyword.arg == "theory" for keyword in node.keywords)
                assert node.func.id != "predict" or named, f"{path}: predict without theory="
