"""A test set of its own: read as the training table was, and predicted by the theory of samples."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

import learnability as lb
from learnability.command.main import main
from learnability.domains.samples import DataSet
from learnability.regression.resampling import resample


@pytest.fixture
def messy():
    """A hundred rows of numbers with gaps, texts, dates and booleans, with a class as label."""
    rng = np.random.default_rng(0)
    age = rng.normal(40, 10, 120).round(1)
    table = pd.DataFrame({
        "id": np.arange(120),
        "age": np.where(rng.random(120) < 0.1, np.nan, age),
        "city": rng.choice(["Rome", "Oslo", "Kyiv"], 120),
        "visit": pd.to_datetime("2024-03-01") + pd.to_timedelta(rng.integers(0, 90, 120), "D"),
        "member": rng.random(120) < 0.5,
        "answer": np.where(age + rng.normal(0, 5, 120) > 40, "yes", "no"),
    })  # fmt: skip
    table.loc[0, "visit"] = pd.to_datetime("2024-03-01")
    return table


def written(folder, name, table):
    table.to_csv(folder / name, index=False)
    return str(folder / name)


@pytest.mark.parametrize("label", ["answer", "age"])
def test_the_training_table_as_a_test_set_is_itself(tmp_path, messy, label):
    path = written(tmp_path, "train.csv", messy)
    data = DataSet(path=path, label=label, encode="one_hot", missing="median")
    points, labels = data.test_set(path)
    assert np.allclose(points, data.points, rtol=1e-12, atol=1e-12) and np.allclose(labels, data.labels, rtol=1e-12)


def test_nothing_of_the_test_set_decides_how_it_is_read(tmp_path, messy):
    """Some rows in another order of columns, later dates first: the same numbers as among the training rows."""
    some = messy.iloc[60:80].sort_values("visit", ascending=False)
    data = DataSet(path=written(tmp_path, "train.csv", messy), label="answer", encode="one_hot", missing="mean")
    points, labels = data.test_set(written(tmp_path, "some.csv", some[[*messy][::-1]].drop(columns="id")))
    assert np.allclose(points, data.points[some.index], rtol=1e-12, atol=1e-12)
    assert np.array_equal(labels, data.labels[some.index])


def test_many_texts_become_the_same_numbers(tmp_path):
    rng = np.random.default_rng(0)
    names = ["".join(rng.choice([*"abcdefgh"], 6)) + " street" for _ in range(150)]
    table = pd.DataFrame({"street": rng.choice(names, 300), "size": rng.random(300), "price": rng.random(300)})
    path = written(tmp_path, "streets.csv", table)
    data = DataSet(path=path, encode="one_hot")
    points, _ = data.test_set(written(tmp_path, "some.csv", table.iloc[10:30]))
    assert np.allclose(points, data.points[10:30], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns=["city", "answer"]), "lacks 'city', 'answer'; a test set needs the columns"),
        (lambda t: t.assign(height=1), "has 'height', which the training table lacks; remove them"),
        (lambda t: t.assign(city=["Rome", "Paris", *t["city"][2:]]), "column 'city' holds 'Paris' in line 3, which the"),
        (lambda t: t.assign(age="old"), "column 'age' holds texts, such as 'old', and numbers in the training table"),
        (lambda t: t.assign(answer=["maybe", *t["answer"][1:]]), r"1 labels are of no class .*\(no, yes\), such as 'maybe'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_training_table_is_named(tmp_path, messy, change, message):
    data = DataSet(path=written(tmp_path, "train.csv", messy), label="answer", encode="one_hot", missing="median")
    with pytest.raises(ValueError, match=f"other.csv: .*{message}"):
        data.test_set(written(tmp_path, "other.csv", change(messy.iloc[:20])))


def test_gaps_of_a_test_set_need_the_same_word_as_others(tmp_path, messy):
    data = DataSet(path=written(tmp_path, "train.csv", messy.dropna()), label="answer", encode="one_hot")
    with pytest.raises(ValueError, match="column 'age' has missing values"):
        data.test_set(written(tmp_path, "other.csv", messy))


def test_arrays_of_the_same_shape_are_a_test_set(tmp_path):
    x, y = load_digits(return_X_y=True)
    images = x.reshape(-1, 1, 8, 8)
    for name, rows in (("train", slice(0, 300)), ("other", slice(300, 350))):
        np.savez(tmp_path / f"{name}.npz", x=images[rows], y=y[rows])
    data = DataSet(path=str(tmp_path / "train.npz"))
    points, labels = data.test_set(str(tmp_path / "other.npz"))
    centre = images[:300].mean(0)
    assert np.allclose(points, (images[300:350] - centre) / (images[:300] - centre).std())
    assert np.array_equal(labels, np.eye(10)[y[300:350]] - 0.1)
    np.savez(tmp_path / "flat.npz", x=x[:20], y=y[:20])
    with pytest.raises(ValueError, match=r"flat.npz: x has samples of shape \(64,\)"):
        data.test_set(str(tmp_path / "flat.npz"))


@pytest.fixture(scope="module")
def shifted():
    """Digits 3 against 8: a pool of 200, and 157 others with noisy pixels and other proportions."""
    x, y = load_digits(return_X_y=True)
    x, y = x[np.isin(y, [3, 8])], y[np.isin(y, [3, 8])]
    order = np.random.default_rng(0).permutation(len(x))
    x, y = (x[order] - x[order[:200]].mean(0)) / x[order[:200]].std(), np.where(y[order] == 3, 1.0, -1.0)
    noise = 0.5 * np.random.default_rng(1).standard_normal((len(x) - 200, 64))
    kept = np.flatnonzero((y[200:] > 0) | (np.arange(len(y) - 200) % 3 == 0))
    return lb.Samples(x[:200], y[:200]), ((x[200:] + noise)[kept], y[200:][kept])


def test_the_error_on_shifted_digits_is_that_of_regression(shifted):
    data, (x, y) = shifted
    network = lb.FullyConnected(3, bias_std=0.1)
    curve = lb.learning_curve(data, network, train_size=[60, 100], ridge=1.0, test_set=(x, y))
    matrix, across = network.kernel(data.points), network.kernel(x, data.points)
    same = lb.predict_samples(matrix, data.labels, [60, 100], 1.0, test_kernel=across, test_y=y[:, None])
    assert np.allclose(curve.test_set_mse, same.test_set_mse[:, 0], rtol=1e-12) and curve.remarks == ()
    measured = [resample(matrix, data.labels, n, 1.0, 200, tests=(across, y)) for n in (60, 100)]
    assert curve.test_set_mse == pytest.approx([m.mean for m in measured], rel=0.02)
    assert (curve.test_set_mse > 1.2 * curve.test_mse_off_train).all()
    assert curve.test_mse_std == pytest.approx([m.spread for m in measured], rel=0.5)
    frame = curve.to_frame()
    assert frame["test_set_r2"].to_numpy() == pytest.approx(1 - curve.test_set_mse / y.var())
    assert frame["test_set_accuracy"].between(0.9, 1).all()


def test_candidates_are_ranked_on_the_test_set(shifted):
    data, tests = shifted
    networks = {f"relu {depth}": lb.FullyConnected(depth, bias_std=0.1) for depth in (1, 3)}
    selection = lb.select(data, networks, data.all(), [40, 80], [1.0], test_set=tests)
    for name, network in networks.items():
        curve = lb.learning_curve(data, network, train_size=[40, 80], ridge=1.0, test_set=tests)
        rows = selection.table[selection.table["architecture"] == name].sort_values("train_size")
        assert np.array_equal(rows["test_mse"], curve.test_set_mse)
        assert rows["nmse"].to_numpy() == pytest.approx(1 - curve.test_set_r2)
    best = selection.best()
    assert (best["margin_error"] > 0).all() and (best["test_mse_std"] > 0).all()
    assert selection.on_test_set and len(selection.variances) == len(tests[0])


@pytest.mark.wrong_types
def test_a_test_set_is_a_pair(shifted):
    data, (x, _) = shifted
    with pytest.raises(ValueError, match="must be a pair of points and labels"):
        lb.learning_curve(data, lb.FullyConnected(1), train_size=40, test_set=x)


def test_what_a_test_set_cannot_be_used_for(shifted):
    data, (x, y) = shifted
    network = lb.FullyConnected(1)
    for options, message in [
        ({"train_size": [40, 400]}, "leave out n = 400 by extrapolation"),
        ({"train_size": 40, "theory": "finite_population"}, "leave out n = 40 by finite_population"),
    ]:
        with pytest.raises(ValueError, match=message):
            lb.learning_curve(data, network, test_set=(x, y), **options)
    for pair, message in [
        ((x[:, :5], y), r"must be of shape \(tests, 64\)"),
        ((x, np.column_stack([y, y])), "have 2 outputs"),
    ]:
        with pytest.raises(ValueError, match=message):
            lb.learning_curve(data, network, train_size=40, test_set=pair)
    cube = lb.Hypercube(6)
    with pytest.raises(ValueError, match="test_set is for data sets"):
        lb.learning_curve(cube, network, cube.parity(1), train_size=8, test_set=cube.sample(3, seed=0))


def test_the_command_takes_a_test_set(tmp_path, messy):
    train, other = (written(tmp_path, name, messy.iloc[rows]) for name, rows in
                    (("train.csv", slice(0, 80)), ("other.csv", slice(80, 120))))  # fmt: skip
    table = ["--label", "answer", "--encode", "one_hot", "--missing", "median", "--test", other, "-n", 20]
    rows = tmp_path / "rows.json"

    def ran(*arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    done = ran("predict", train, *table, "--ridge", 1, "--json", rows)
    assert done.exit_code == 0, done.output
    assert "test_set_accuracy" in done.stdout and "40 rows, read as the training table" in done.output
    (row,) = json.loads(rows.read_text())
    assert row["train_size"] == 20 and 0.5 < row["test_set_accuracy"] < 1 and row["kappa"] is None
    done = ran("select", train, *table, "--depth", 1, "--activation", "relu", "--activation", "erf", "--json", rows)
    assert done.exit_code == 0 and "those on the 40 rows of the test set" in done.output, done.output
    assert len(json.loads(rows.read_text())) == 2
    done = ran("predict", "--domain", "{kind: hypercube, dim: 4}", "--target", "{parity: 1}", "--test", other, "-n", 4)
    assert done.exit_code == 1 and "another file with the columns of FILE" in done.output
