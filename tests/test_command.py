"""The command gives the numbers of the workflow and the library, and messages instead of tracebacks."""

import shlex

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import learnability as lb
from learnability.command.main import main
from learnability.common.store import write_frame

CUBE = ["--domain", "{kind: hypercube, dim: 5}", "--target", "{parity: 2}"]


def ran(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def prices(tmp_path):
    x = np.random.default_rng(0).standard_normal((40, 3))
    path = tmp_path / "prices of 2026 é.csv"
    pd.DataFrame({"area": x[:, 0], "age": x[:, 1], "price": x[:, 0] * 3 + 10}).to_csv(path, index=False)
    return path


def test_predict_is_the_library_to_the_last_bit(tmp_path):
    csv, figure = tmp_path / "out.csv", tmp_path / "out.pdf"
    done = ran("predict", *CUBE, "-n", 4, "-n", 16, "--ridge", 0.1, "--depth", 2, "--csv", csv, "--figure", figure)
    assert done.exit_code == 0 and figure.read_bytes().startswith(b"%PDF")
    cube, network = lb.Hypercube(5), lb.FullyConnected(2, bias_std=0.1)
    expected = lb.predict(cube.spectrum(network), cube.parity(2), [4, 16], 0.1, population=32)
    assert pd.read_csv(csv)["test_mse"].tolist() == expected.test_mse.tolist()


def test_predict_and_select_on_a_table(prices, tmp_path):
    done = ran("predict", prices, "--label", "price", "-n", 8)
    assert done.exit_code == 0 and "eigensystem" not in done.output
    csv = tmp_path / "ranking.csv"
    done = ran("select", prices, "-n", 8, "-n", 16, "--depth", 1, "--depth", 2, "--reach", 0.5, "--csv", csv)
    assert done.exit_code == 0 and "6 candidates, all of weight_std 1.414, bias_std 0.1, ranked" in done.output
    assert "samples for a normalised error of 0.5:" in done.output and "n = 16: net-" in done.output
    ranking = pd.read_csv(csv)
    assert len(ranking) == 12 and (ranking.groupby("train_size")["test_mse"].diff().dropna() >= 0).all()


def test_predict_and_select_agree_and_draw_the_error_off_the_training_set(prices, tmp_path):
    """The options that a reader does not give are the same in both, but for the ridge, and so are the numbers."""
    ranked, told = tmp_path / "ranking.csv", tmp_path / "predicted.csv"
    network = ["-n", 8, "--depth", 2, "--activation", "erf"]
    assert ran("select", prices, *network, "--csv", ranked).exit_code == 0
    done = ran("predict", prices, *network, "--ridge", "auto", "--csv", told, "--figure", tmp_path / "a.svg")
    assert done.exit_code == 0 and "test error off the training set" in (tmp_path / "a.svg").read_text()
    rows = pd.read_csv(told).query("source == 'theory'")
    assert rows["nmse"].tolist() == pd.read_csv(ranked)["nmse"].tolist()


def test_what_is_given_twice_counts_once(prices):
    once = ["-n", 8, "-n", 16, "--depth", 1, "--ridge", 0.1, "--kernel", "nngp", "--activation", "relu"]
    twice = [*once, "-n", 8, "--depth", 1, "--ridge", 0.1, "--kernel", "nngp", "--activation", "relu"]
    first, again = (ran("select", prices, *arguments) for arguments in (once, twice))
    assert first.exit_code == again.exit_code == 0
    assert again.stdout.splitlines()[1:] == first.stdout.splitlines()[1:]
    once = ["predict", prices, "-n", 8, "--ridge", 0.1, "--noise-std", 0.2]
    assert ran(*once).output == ran(*once, "-n", 8, "--ridge", 0.1, "--noise-std", 0.2).output


def test_the_samples_for_an_r2_are_those_for_its_error(prices):
    command = ["select", prices, "-n", 8, "-n", 16, "-n", 32, "--depth", 1]
    error, r2 = (ran(*command, option, value) for option, value in (("--reach", 0.25), ("--r2", 0.75)))
    assert error.stdout.splitlines()[1:] == r2.stdout.splitlines()[1:]
    assert "R2 of 0.75, samples for a normalised error of 0.25: " in r2.output
    assert "this normalised error, 1 - R2" in " ".join(ran("select", "--help").output.split())
    for wrong in (["--reach", -1], ["--reach", "nan"], ["--r2", 1], ["--r2", "nan"], ["--r2", 0.5, "--reach", 0.5]):
        done = ran(*command, *wrong)
        assert done.exit_code == 1 and "samples for" not in done.output and "Traceback" not in done.output


@pytest.mark.parametrize(
    "text, message", [("", "cannot be read as CSV"), ("a,b\n", "no rows"), ("a,b\n1,3\n2,3\n", "one value only")]
)
def test_tables_with_nothing_to_learn(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    done = ran("predict", tmp_path / "t.csv", "-n", 1)
    assert done.exit_code == 1 and f"{tmp_path / 't.csv'}: " in done.output and message in done.output
    (tmp_path / "t.csv").write_text("a,b\n1,3\n2,4\n")
    assert (
        "unknown column 'c'" in (text := ran("predict", tmp_path / "t.csv", "--label", "c", "-n", 1).output)
        and "t.csv" in text
    )
    assert "has 2 rows, and a training set must leave some" in ran("select", tmp_path / "t.csv", "-n", 2).output


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["predict", "-n", "4"], "give either a data file or --domain"),
        (["predict", "missing.csv", "-n", "4"], "missing.csv: no such file"),
        (
            ["predict", *CUBE, "-n", "99"],
            "-n 99: {kind: hypercube, dim: 5} has 32 points, and a training set must leave some",
        ),
        (["predict", "--domain", "hypercube", "--target", "{parity: 1}", "-n", "4"], "is no YAML mapping; write e.g."),
        (["predict", "--domain", "{kind: hypercube, dim: 5}", "-n", "4"], "--target is missing"),
        (["predict", *CUBE, "--label", "price", "-n", "4"], "--label: for data files only"),
        (["predict", *CUBE, "-n", "4", "--activation", "rellu"], "did you mean 'relu'?"),
        (["predict", *CUBE, "-n", "4", "--figure", "a.bmp"], "unknown figure format 'bmp'"),
    ],
)
def test_messages(arguments, message):
    done = ran(*arguments)
    assert done.exit_code == 1 and message in done.output and "Traceback" not in done.output


@pytest.fixture
def noisy(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3))
    path = tmp_path / "noisy.csv"
    y = np.sin(x[:, 0]) + x[:, 1] + 0.1 * rng.standard_normal(60)
    pd.DataFrame({**{f"x{i}": x[:, i] for i in range(3)}, "y": y}).to_csv(path, index=False)
    return path


def test_predict_goes_beyond_the_rows(noisy, tmp_path):
    csv, figure = tmp_path / "out.csv", tmp_path / "out.svg"
    done = ran("predict", noisy, "-n", 30, "-n", 240, "--ridge", 0.1, "--csv", csv, "--figure", figure)
    assert done.exit_code == 0, done.output
    assert "test_mse_high" in done.output and "ridge 0.1: of today's error, 0.9 with " in done.output
    rows = pd.read_csv(csv)
    assert rows["train_size"].tolist() == [30, 240] and figure.exists()
    inside, beyond = (row for _, row in rows.iterrows())
    assert np.isnan(inside["test_mse_low"])
    assert beyond["test_mse_low"] < beyond["test_mse_off_train"] < beyond["test_mse_high"]
    alone = tmp_path / "alone.csv"
    assert ran("predict", noisy, "-n", 30, "-n", 240, "--ridge", 0.1, "--csv", alone).exit_code == 0
    assert alone.read_text() == csv.read_text()


def test_of_some_rows_no_share_of_the_error_of_all_is_told(noisy, monkeypatch):
    for module in ("curves.beyond", "command.problem"):
        monkeypatch.setattr(f"learnability.{module}.EXTRAPOLATED", 40)
    done = ran("predict", noisy, "-n", 240, "--ridge", 0.1)
    assert done.exit_code == 0 and "extrapolated from 40 of 60 samples" in done.output
    assert "of today's error" not in done.output


def test_a_prediction_says_where_it_does_not_hold(tmp_path):
    x = np.random.default_rng(0).standard_normal(100)
    path = tmp_path / "smooth.csv"
    pd.DataFrame({"x": x, "y": np.sin(3 * x) + 0.1 * np.cos(40 * x)}).to_csv(path, index=False)
    for command in (["predict"], ["select", "--ridge", 0]):
        done = ran(*command, path, "-n", 50, "--depth", 1, "--activation", "erf")
        assert done.exit_code == 0 and "trust the measured value" in done.output, done.output


def test_classes_have_an_accuracy_and_are_ranked_by_it(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 3))
    path, csv = tmp_path / "classes.csv", tmp_path / "out.csv"
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]})
    table.assign(kind=np.where(x[:, 0] + 0.3 * x[:, 1] > 0, "yes", "no")).to_csv(path, index=False)
    command = ["select", path, "-n", 10, "-n", 30, "--depth", 1, "--activation", "relu", "--activation", "erf"]
    by_error, by_accuracy = ran(*command), ran(*command, "--by", "accuracy", "--csv", csv)
    assert by_error.exit_code == by_accuracy.exit_code == 0, by_accuracy.output
    assert "accuracy at n =" in by_error.output and "nmse at n =" in by_error.output
    assert "accuracy at n =" in by_accuracy.output and "more often" in by_accuracy.output
    assert "balanced at n = log-loss at n =" in by_error.output and "(balanced 0." in by_error.output
    json = tmp_path / "out.json"
    by_log_loss = ran(*command, "--by", "log_loss", "--json", json)
    assert "log_loss at n =" in by_log_loss.output and "% worse" in by_log_loss.output
    rows = pd.read_json(json)
    assert (rows.groupby("train_size")["log_loss"].diff().dropna() >= 0).all() and rows[
        "balanced_accuracy"
    ].notna().all()
    assert (pd.read_csv(csv).groupby("train_size")["accuracy"].diff().dropna() <= 0).all()
    told = ran("predict", path, "-n", 30).output
    assert all(name in told for name in ("accuracy_off_train", "balanced_accuracy_off_train", "log_loss_off_train"))
    done = ran("select", path, "-n", 10, "--label", "a", "--drop", "kind", "--by", "accuracy")
    assert done.exit_code == 1 and "labels are classes" in done.output


def test_the_best_ridge_is_the_default_of_a_ranking(noisy):
    command = ["select", noisy, "-n", 15, "-n", 30, "--depth", 1]
    default, automatic, none = (ran(*command, *ridge) for ridge in ([], ["--ridge", "auto"], ["--ridge", 0]))
    assert "best ridge at n =" in default.output and "best ridge" not in none.output
    assert default.stdout.splitlines()[1:] == automatic.stdout.splitlines()[1:]
    assert ran(*command, "--ridge", "auto", "--ridge", 1).exit_code == 2
    assert "ridge" not in ran("select", *CUBE, "-n", 4).stdout
    done = ran("select", *CUBE, "-n", 4, "--ridge", "auto")
    assert done.exit_code == 1 and "found on data sets" in done.output
    beyond = ran("predict", noisy, "-n", 60, "-n", 61, "--ridge", "auto").stdout.splitlines()
    assert beyond[1].split(", ")[1].split()[:3] == beyond[2].split(", ")[1].split()[:3]  # ridge = that of all rows


def test_how_far_beyond_the_rows(noisy):
    done = ran("predict", noisy, "-n", 481)
    assert done.exit_code == 1 and "up to 8 times as large, -n 480" in done.output
    done = ran("select", noisy, "-n", 61)
    assert done.exit_code == 1 and "candidates are ranked at what there is" in done.output


def test_validate_lists_all_errors_at_once(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("domains:\n  cube: {kind: hypercube, dim: 8\narchitectures: {}\n")
    assert f"{path}, line 3, column" in ran("validate", path).output
    path.write_text(
        "domains: {cube: {kind: hypercub, dim: 8}, ring: {kind: circle, points: -1}}\narchitectures: {a: {depht: 1}}\n"
    )
    found = ran("validate", path).output
    assert "domains.cube: unknown domain kind 'hypercub'" in found and "domains.ring: points" in found
    assert ran("validate", "config/test.yaml").output == "config/test.yaml: no errors\n"


def test_show(tmp_path):
    path = tmp_path / "rows.h5"
    write_frame(path, pd.DataFrame({"n": [1, 2], "error": [0.5, 0.25]}), {"made": "by hand"}, extra=np.zeros((2, 3)))
    text = ran("show", path).output
    assert 'made: "by hand"' in text and "extra: (2, 3) float64" in text and "table: 2 rows, 2 columns" in text
    path.write_bytes(b"nothing")
    assert "cannot read" in ran("show", path).output


def test_a_ranking_ends_with_the_command_that_goes_beyond_its_rows(tmp_path):
    """It runs as it is printed, takes the best ridge of all rows beyond them, and says how many more would help."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 2))
    table = pd.DataFrame(x, columns=["a", "b"]).assign(kind=np.where(x[:, 1] > 0, "up", "down"), y=x[:, 0] * x[:, 1])
    table.to_csv(tmp_path / "my table.csv", index=False)
    options = ["--encode", "one_hot", "--drop", "b", "--label", "y", "-n", "15", "--depth", "1", "--activation", "erf"]
    ranked = CliRunner().invoke(main, ["select", str(tmp_path / "my table.csv"), *options])
    assert ranked.exit_code == 0, ranked.output
    _, command = ranked.stdout.splitlines()[-1].split(": ", 1)
    program, *words = shlex.split(command)
    assert program == "learnability" and "--drop" in words and words[-2:] == ["--ridge", "auto"]
    written = tmp_path / "told.csv"
    told = CliRunner().invoke(main, [*words, "--csv", str(written)])
    assert told.exit_code == 0, told.output
    rows = pd.read_csv(written)
    beyond = rows[rows["train_size"] > 60]
    assert beyond["train_size"].tolist() == [120, 240, 480]
    assert (beyond["ridge"] == rows.set_index("train_size")["ridge"][60]).all()
