"""Accuracy is that of classes, and of points off the training set where errors beside it are."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import learnability as lb
from learnability.command.main import main
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.measurements.metrics import accuracy
from learnability.measurements.regression import kernel_experiment
from learnability.tables.theory import study_table

NETWORK = lb.FullyConnected(1, bias_std=0.3)


def tables(domain, targets, sizes, seeds=200):
    learner = KernelOnDomain(domain, NETWORK)
    theory = study_table(learner, targets, sizes, sizes, [0.1], [0.0])
    measured = kernel_experiment(domain, targets, learner.blocks, sizes, [0.1], [0.0], range(seeds))
    return theory[theory["source"] == "theory"], measured


def test_a_regression_with_two_outputs_has_no_accuracy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 3)), rng.standard_normal((40, 2))
    domain = lb.Samples(x, y)
    for table in tables(domain, {"all": domain.all()}, [10], 2):
        assert table["accuracy"].isna().all() and table["accuracy_off_train"].isna().all()
    assert np.isnan(accuracy(y, y))
    classes = np.eye(3)[[0, 1, 2, 0]] - 1 / 3
    assert accuracy(classes, classes + 0.1) == 1 and accuracy(classes, -classes) == 0


@pytest.mark.parametrize(
    "make", [lambda: lb.Hypercube(4), lambda: lb.Samples(lb.Hypercube(4).points)], ids=["cube", "data"]
)
def test_two_outputs_of_signs_are_predicted(make):
    """Two parities learned together: no class is the larger one, and no job ends for it."""
    domain, points = make(), lb.Hypercube(4).points
    targets = {"both": domain.target(np.stack([points[:, 0], points[:, 1] * points[:, 2]], 1))}
    theory, measured = tables(domain, targets, [4, 8], 3)
    assert len(theory) == 2 and theory["accuracy"].isna().all() and measured["accuracy"].isna().all()
    assert np.isfinite(theory["test_mse"]).all()


@pytest.mark.parametrize(
    "make", [lambda: lb.Hypercube(5), lambda: lb.Samples(lb.Hypercube(5).points)], ids=["cube", "data"]
)
def test_accuracy_off_the_training_set_is_measured(make):
    domain, points = make(), lb.Hypercube(5).points
    theory, measured = tables(domain, {"f": domain.target(np.sign(points[:, :3].sum(1)))}, [8, 16])
    for size in (8, 16):
        predicted = theory[theory["train_size"] == size].iloc[0]
        sampled = measured[measured["train_size"] == size]
        for name in ("accuracy", "accuracy_off_train"):
            assert predicted[name] == pytest.approx(sampled[name].mean(), abs=0.06)
        assert sampled["accuracy"].mean() > sampled["accuracy_off_train"].mean() + 0.01


def test_what_is_printed_is_the_accuracy_off_the_training_set(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3))
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=np.where(x[:, 0] > 0, "yes", "no"))
    table.to_csv(tmp_path / "t.csv", index=False)
    result = CliRunner().invoke(
        main, ["predict", str(tmp_path / "t.csv"), "-n", "20", "--csv", str(tmp_path / "out.csv")]
    )
    assert result.exit_code == 0, result.output
    header, row = result.stdout.splitlines()[:2]
    assert "accuracy_off_train" in header and " accuracy" not in header.replace("accuracy_off_train", "")
    written = pd.read_csv(tmp_path / "out.csv")
    written = written[written["source"] == "theory"].iloc[0]
    shown = dict(zip(header.split(), row.split()[3:], strict=True))  # after "n = 20"
    assert shown["accuracy_off_train"] == f"{written['accuracy_off_train']:.4g}"
    assert written["accuracy"] > written["accuracy_off_train"]
