"""Sampling by groups: rows that are selected together, errors on groups that are not (docs/research/groups.md)."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import linalg

import learnability as lb
from learnability.command.main import main
from learnability.domains import domain_from
from learnability.regression.resampling import resample
from learnability.selection.pools import Pools
from learnability.studies.example import example_config
from learnability.studies.validation import check_meaning
from learnability.theory.best_ridge import best_ridge
from learnability.theory.self_check import self_check

FIELDS = (
    "learnability", "test_mse", "test_mse_off_train", "train_mse", "kappas", "residual", "off_train_errors", "accuracy",
    "off_train_residual", "test_set_errors", "test_set_residual", "test_set_accuracy", "accuracy_off_train",
)  # fmt: skip


def persons(number=40, seed=0, sizes=(3, 8)):
    """Rows of persons with an offset of their own: x, y, group."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(number), rng.integers(*sizes, number))
    x = 0.7 * (rng.standard_normal((number, 3))[group] + rng.standard_normal((len(group), 3)))
    y = np.sin(x[:, 0]) + x[:, 1] + rng.standard_normal(number)[group] + 0.3 * rng.standard_normal(len(group))
    return x, y - y.mean(), group


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_groups_of_one_row_are_single_samples(relu4, ridge):
    rng = np.random.default_rng(0)
    x, tests = rng.standard_normal((60, 3)), rng.standard_normal((7, 3))
    for labels in (np.sign, lambda z: z**3, lambda z: np.eye(3)[np.digitize(z, (-0.5, 0.5))]):
        arguments = (relu4.kernel(x), labels(x[:, 0]), [0, 4, 30, 55, 60], ridge, 0.4, None)
        arguments += (relu4.kernel(tests, x), labels(tests[:, 0]))
        p, q = lb.predict_samples(*arguments), lb.predict_samples(*arguments, groups=[f"row {i}" for i in range(60)])
        for name in FIELDS:
            rounding = 1e-3 if "accuracy" in name else 1e-6
            assert np.allclose(getattr(q, name), getattr(p, name), rtol=rounding, atol=1e-8, equal_nan=True), name


@pytest.mark.parametrize("ridge", [0.0, 0.4])
def test_groups_that_see_nothing_of_each_other_are_enumerated(ridge):
    """Three groups of 1, 2 and 4 rows, two of which coincide: no cavity fluctuates, and the theory is exact."""
    group, rng = np.array([0, 1, 2, 1, 2, 2, 2]), np.random.default_rng(0)
    z = rng.standard_normal((7, 7))
    z[5] = z[4]
    kernel, y = z @ z.T * (group[:, None] == group), rng.standard_normal((7, 2))
    c, noise, cross = 0.3, 0.5, rng.standard_normal((1, 7)) * (group == 2)
    cross[0, 5] = cross[0, 4]
    off, own, new, tests = np.zeros((2, 7)), np.zeros((2, 7)), np.zeros((2, 7)), np.zeros((2, 1))
    for subset in product((False, True), repeat=3):
        weight, chosen = np.prod(np.where(subset, c, 1 - c)), np.array(subset)[group]
        matrix = kernel[np.ix_(chosen, chosen)] + ridge * np.eye(chosen.sum())
        inverse = linalg.pinvh(matrix) if chosen.any() else matrix
        smoother, away = np.zeros((7, 7)), np.zeros((1, 7))
        smoother[:, chosen], away[:, chosen] = kernel[:, chosen] @ inverse, cross[:, chosen] @ inverse
        miss = (y - smoother @ y).T
        new_noise = noise**2 * (1 + (smoother**2).sum(1))
        off += weight * ~chosen * (miss**2 + new_noise) / (1 - c)
        own += weight * chosen * (miss**2 + noise**2 * ((np.eye(7) - smoother) ** 2).sum(1)) / c
        new += weight * (miss**2 + new_noise)
        tests += weight * ((1 - away @ y).T ** 2 + noise**2 * (1 + (away**2).sum(1)))
    p = lb.predict_samples(kernel, y, c * 7, ridge, noise, None, cross, np.ones((1, 2)), groups=group)
    assert np.allclose(p.off_train_errors, off.T, rtol=1e-6)
    assert np.allclose(p.test_mse, new.mean(1), rtol=1e-6) and np.allclose(
        p.train_mse, own.mean(1), rtol=1e-6, atol=1e-9
    )
    assert np.allclose(p.test_set_errors, tests.T, rtol=1e-6)


def test_all_groups_leave_one_group_out(relu4):
    """At n = M the error off the training set is that of each group where all others are trained on."""
    x, y, group = persons(12)
    kernel = relu4.kernel(x)
    p = lb.predict_samples(kernel, y, len(y), 0.3, groups=group)
    for each in range(12):
        out = group == each
        coefficients = linalg.solve(kernel[np.ix_(~out, ~out)] + 0.3 * np.eye((~out).sum()), y[~out])
        assert np.allclose(p.off_train_residual[out], y[out] - kernel[np.ix_(out, ~out)] @ coefficients, rtol=1e-7)
    assert np.allclose(p.off_train_errors, p.off_train_residual**2)


@pytest.mark.parametrize(("ridge", "within"), [(0.1, 0.03), (1.0, 0.02)])
def test_new_persons_as_regression_on_random_persons_measures_them(ridge, within):
    """60 persons, 200 training sets of 30 of them: within 2 or 3 per cent and three standard errors; rows are far off."""
    x, y, group = persons(60, sizes=(1, 9))
    kernel, rng = lb.FullyConnected(1).kernel(x), np.random.default_rng(0)
    labels, errors = np.column_stack([y, x[:, 2]]), []
    for _ in range(200):
        chosen = np.isin(group, rng.permutation(60)[:30])
        matrix = kernel[np.ix_(chosen, chosen)] + ridge * np.eye(chosen.sum())
        rest = labels[~chosen] - kernel[np.ix_(~chosen, chosen)] @ linalg.solve(matrix, labels[chosen], assume_a="pos")
        errors.append((rest**2).mean(0))
    measured, standard_error = np.mean(errors, 0), np.std(errors, 0) / np.sqrt(200)
    p = lb.predict_samples(kernel, labels, len(y) / 2, ridge, groups=group)
    assert np.all(np.abs(p.test_mse_off_train - measured) < within * measured + 3 * standard_error)
    assert lb.predict_samples(kernel, labels, len(y) / 2, ridge).test_mse_off_train[0] < 0.9 * measured[0]


def test_a_kernel_that_is_nearly_singular_is_solved_at_the_ridge_that_it_needs():
    x, y, group = persons(40)
    with pytest.warns(lb.IllConditioned, match="smaller ridges are replaced"):
        p = lb.predict_samples(lb.Gaussian(2.0).kernel(x[:, :1]), y, [10, len(y) / 2], groups=group)
    assert np.isfinite(p.test_mse_off_train).all() and (p.newton_steps < 15).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": [0, 1, 1]}, r"groups must be \(6,\), one per sample, got shape \(3,\)"),
        ({"groups": ["a"] * 6}, "all 6 samples are of one group.*leave groups out"),
        ({"groups": [0, 0, 1, 1, 2, np.nan]}, "1 of the 6 rows have none, the first is row 5; name their group"),
        ({"groups": [0, 0, 1, 1, 2, 2], "rates": np.ones(6)}, "give one of the two"),
    ],
)
def test_groups_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        lb.predict_samples(np.eye(6), np.arange(6.0), 2, **arguments)


def test_a_learning_curve_of_new_persons(relu4):
    """Its ridge, its check and its scatter are those of whole persons, and it says how many there are in a training set."""
    x, y, group = persons(40, sizes=(5, 6))
    data, sizes = lb.Samples(x, y), [50, 100]
    curve = lb.learning_curve(data, relu4, train_size=sizes, ridge="auto", groups=[f"person {each}" for each in group])
    rows = lb.learning_curve(data, relu4, train_size=sizes, ridge=curve.ridge)
    kernel = relu4.kernel(x)
    for number, size in enumerate(sizes):
        expected = lb.predict_samples(kernel, y, size, curve.ridge[number], groups=group)
        assert curve.test_mse_off_train[number] == pytest.approx(expected.test_mse_off_train, rel=1e-9)
        others = [
            lb.predict_samples(kernel, y, size, factor * curve.ridge[number], groups=group).test_mse_off_train
            for factor in (0.5, 2)
        ]
        assert expected.test_mse_off_train < min(others)
    assert curve.to_frame()["train_groups"].tolist() == [10, 20] and curve.remarks == ()
    assert "train_groups" not in rows.to_frame()
    check = self_check(kernel, y, 100, 1.0, groups=group)
    assert check.holds and check.groups == 20
    measured = resample(kernel, y, 100, 1.0, 40, groups=group)
    assert abs(check.predicted - measured.mean) < 0.03 * measured.mean + 3 * measured.standard_error


def test_a_training_set_of_persons_scatters_more_than_one_of_rows():
    """An offset is drawn once a person. 60 persons, a quarter drawn: the truth, 100 new sets of persons, is 0.15."""
    kernel, spreads = lb.FullyConnected(1, bias_std=0.1), []
    for seed in range(8):
        x, y, group = persons(60, seed, sizes=(5, 6))
        matrix = kernel.kernel(x)
        spreads.append([resample(matrix, y, 75, 1.0, 24, groups=each).spread for each in (group, None)])
    of_persons, of_rows = np.sqrt(np.square(spreads).mean(0))
    assert 0.1 < of_persons < 0.25 and of_rows < of_persons / 1.5


def test_the_best_ridge_of_rows_is_that_of_groups_of_one_row(relu4):
    x, y, _ = persons(20)
    kernel, y = relu4.kernel(x), y + 0.1
    ones = best_ridge(kernel, y, [20, 60], groups=np.arange(len(y)))
    assert np.allclose(best_ridge(kernel, y, [20, 60]), ones, rtol=1e-6)


def test_candidates_are_ranked_by_their_errors_on_new_persons(monkeypatch):
    """Fast in pools of whole persons, the same for all; standard errors are those of persons, not of rows."""
    monkeypatch.setattr("learnability.selection.pools.SMALLEST", 200)
    x, y, group = persons(80, sizes=(7, 8))
    shuffled = np.random.default_rng(0).permutation(len(y))
    data = lb.Samples(x[shuffled], y[shuffled], groups=group[shuffled])
    labels, networks = data.all(), {"relu": lb.FullyConnected(1), "erf": lb.FullyConnected(2, "erf", bias_std=0.1)}
    pools = Pools.few(data, labels, 60).of(60)
    assert len(pools) == 2 and sorted(np.concatenate(pools).tolist()) == list(range(len(y)))
    assert not set(data.groups[pools[0]]) & set(data.groups[pools[1]])
    fast, full = (lb.select(data, networks, labels, [60], [1.0], fast=fast) for fast in (True, False))
    assert fast.table["nmse"].to_numpy() == pytest.approx(full.table["nmse"].to_numpy(), rel=0.04)
    assert fast.table["architecture"].tolist() == full.table["architecture"].tolist()
    rows = lb.select(lb.Samples(data.points, data.labels), networks, labels, [60], [1.0])
    assert (full.table["nmse"].to_numpy() > 1.05 * rows.table["nmse"].to_numpy()).all()
    single, none = (replace(full, groups=groups).best()["margin_error"] for groups in (np.arange(len(y)), None))
    assert single.to_numpy() == pytest.approx(none.to_numpy(), rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train_size": 200}, "train_size 200: errors on new groups are predicted for up to .* not beyond the data"),
        ({"train_size": 20, "theory": "finite_population"}, "finite_population draws single samples"),
        ({"train_size": 20, "groups": [1, 2]}, r"groups must be \(\d+,\), one per sample"),
    ],
)
def test_curves_of_groups_that_cannot_be(arguments, message, relu4):
    x, y, group = persons(20)
    with pytest.raises(ValueError, match=message):
        lb.learning_curve(lb.Samples(x, y), relu4, **{"groups": group, **arguments})
    with pytest.raises(ValueError, match="groups are of data sets"):
        lb.learning_curve(lb.Hypercube(4), relu4, lb.Hypercube(4).parity(1), 4, groups=group)


def test_too_few_groups_are_said(relu4):
    x, y, group = persons(20)
    with pytest.warns(UserWarning, match="3 groups are too few to check a prediction for new ones"):
        lb.learning_curve(lb.Samples(x, y), relu4, train_size=20, ridge=1.0, groups=group % 3)


def test_studies_refuse_groups(tmp_path):
    x, y, group = persons(20)
    pd.DataFrame(x).assign(person=group, y=y).to_csv(tmp_path / "persons.csv", index=False)
    config = example_config()
    config["domains"]["cube"] = {"kind": "data", "path": str(tmp_path / "persons.csv"), "groups": "person"}
    with pytest.raises(
        ValueError, match="domains.*cube.*groups: training sets of studies and experiments are drawn by single"
    ):
        check_meaning(config)


def test_the_command_on_a_table_of_persons(tmp_path):
    """Both answers are those of Python; sizes are told as groups, too."""
    x, y, group = persons(20, sizes=(6, 7))
    path = str(tmp_path / "persons.csv")
    pd.DataFrame(x, columns=["a", "b", "c"]).assign(person=[f"p{each}" for each in group], y=y).to_csv(
        path, index=False
    )
    shown = CliRunner().invoke(
        main, ["predict", path, "--groups", "person", "--ridge", "1", "--csv", f"{tmp_path}/out.csv"]
    )
    assert shown.exit_code == 0 and "20 groups by 'person', of 6 rows each" in shown.output
    assert "training-set sizes 12, 30, 60: 2, 5, 10 of the 20 groups, up to half of them" in shown.output
    data = domain_from({"kind": "data", "path": path, "groups": "person"})
    network = lb.FullyConnected(1, bias_std=0.1)
    expected = lb.predict_samples(network.kernel(data.points), data.labels[:, 0], [12, 30, 60], 1.0, groups=group)
    rows = pd.read_csv(tmp_path / "out.csv")
    assert np.allclose(rows["test_mse_off_train"], expected.test_mse_off_train, rtol=1e-6)
    assert rows["train_groups"].tolist() == [2, 5, 10]
    options = ["--groups", "person", "--depth", "1", "-n", "60", "--ridge", "1", "--csv", f"{tmp_path}/ranking.csv"]
    best = CliRunner().invoke(main, ["select", path, *options])
    assert best.exit_code == 0
    ranking = pd.read_csv(tmp_path / "ranking.csv").set_index("architecture")
    assert ranking["test_mse"]["net-relu"] == pytest.approx(expected.test_mse_off_train[2], rel=1e-6)
    assert f"on new groups, with this network: learnability predict {path} --groups person" in best.output
    for command in ("predict", "select"):
        beyond = CliRunner().invoke(main, [command, path, "--groups", "person", "-n", "240"])
        assert beyond.exit_code == 1 and "not beyond the rows" in beyond.output
