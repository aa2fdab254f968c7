"""Balanced accuracy and log-loss: predicted from samples, and measured by regression and by scikit-learn."""

import re

import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics import log_loss as log_loss_of_probabilities
from sklearn.model_selection import ShuffleSplit, cross_val_score

import learnability as lb
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.measurements.metrics import balanced_accuracy, log_loss
from learnability.measurements.regression import kernel_experiment
from learnability.sklearn import NTKClassifier
from learnability.theory.classes import ClassOutputs, best_sharpness, log_losses

NETWORK = lb.FullyConnected(1, bias_std=0.1)
COLUMNS = ("balanced_accuracy_off_train", "log_loss_off_train")


def cancer(benign):
    """Breast cancer, all of it or with as few malignant ones as given."""
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    chosen = np.concatenate([np.flatnonzero(y == 1), np.flatnonzero(y == 0)[:benign]])
    return x[chosen], np.where(y[chosen] == 1, 1.0, -1.0)


def digits(numbers):
    """Images of the first digits, so many of each."""
    x, y = load_digits(return_X_y=True)
    chosen = np.concatenate([np.flatnonzero(y == digit)[:number] for digit, number in enumerate(numbers)])
    labels = np.eye(len(numbers))[y[chosen]] - 1 / len(numbers)
    return (x[chosen] - x.mean(0)) / x.std(), labels


PROBLEMS = {
    "two classes": lambda: cancer(212),
    "two unequal classes": lambda: cancer(40),
    "ten classes": lambda: digits([40] * 10),
    "five unequal classes": lambda: digits([120, 80, 40, 25, 15]),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_is_predicted_is_what_regression_measures(problem):
    """Balanced accuracy within a point, log-loss within 8 %, each with three standard errors of 30 training sets."""
    domain = lb.Samples(*PROBLEMS[problem]())
    n, ridge = domain.size // 3, 3.0
    curve = lb.learning_curve(domain, NETWORK, train_size=n, ridge=ridge)
    learner = KernelOnDomain(domain, NETWORK)
    table = kernel_experiment(domain, {"all": domain.all()}, learner.blocks, [n], [ridge], [0.0], range(30))
    for name, relative, absolute in zip(COLUMNS, (0.0, 0.08), (0.01, 0.0), strict=True):
        measured, error = table[name].mean(), table[name].sem()
        assert abs(float(getattr(curve, name)) - measured) < relative * measured + absolute + 3 * error, name
    if "unequal" in problem:
        assert curve.balanced_accuracy_off_train < curve.accuracy_off_train - 0.02


def test_what_is_measured_is_what_scikit_learn_scores():
    rng = np.random.default_rng(0)
    for classes in (2, 4):
        codes = rng.integers(classes, size=200)
        labels = np.where(codes == 0, 1.0, -1.0)[:, None] if classes == 2 else np.eye(classes)[codes] - 1 / classes
        learned = labels + 0.8 * rng.standard_normal(labels.shape)
        everywhere = np.ones(200, bool)
        chosen = (learned[:, 0] < 0).astype(int) if classes == 2 else learned.argmax(1)
        found = balanced_accuracy(labels[None], learned[None], everywhere)
        assert found[0] == pytest.approx(balanced_accuracy_score(codes, chosen))
        sharpness = best_sharpness(learned[:, :, None], codes, np.ones((200, 1)))
        logits = sharpness * (learned @ [[0.5, -0.5]] if classes == 2 else learned)
        probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        least = log_loss(labels[None], learned[None], everywhere)[0]
        assert least == pytest.approx(log_loss_of_probabilities(codes, probabilities))
        for other in (0.8 * sharpness, 1.25 * sharpness):
            assert log_losses(learned[:, :, None], codes, other).mean() > least
    assert np.isnan(log_loss(learned[None], learned[None], everywhere)[0])  # numbers are no classes


@pytest.mark.parametrize("two", [True, False], ids=["two classes", "ten classes"])
def test_it_is_the_log_loss_of_scikit_learns_temperature_scaling(two):
    """Half of what is left calibrates, the other half is scored; 5 % for the halves, and three standard errors."""
    x, labels = cancer(212) if two else digits([40] * 10)
    names = (
        (labels > 0).astype(int) if two else labels.argmax(1)
    )  # scikit-learn 1.9 takes -1 for the last of the classes
    n, rng, losses = len(x) // 3, np.random.default_rng(0), []
    for _ in range(12):
        train, calibrate, score = np.split(rng.permutation(len(x)), [n, 2 * n])
        model = FrozenEstimator(NTKClassifier(ridge=3.0).fit(x[train], names[train]))
        scaled = CalibratedClassifierCV(model, method="temperature").fit(x[calibrate], names[calibrate])
        losses.append(log_loss_of_probabilities(names[score], scaled.predict_proba(x[score]), labels=scaled.classes_))
    predicted = float(lb.learning_curve(lb.Samples(x, labels), NETWORK, train_size=n, ridge=3.0).log_loss_off_train)
    assert abs(np.mean(losses) - predicted) < 0.05 * predicted + 3 * np.std(losses) / np.sqrt(12)


def test_scikit_learns_balanced_accuracy_is_that_of_the_theory():
    x, labels = cancer(40)
    splits = ShuffleSplit(30, train_size=100, random_state=0)
    shares = cross_val_score(NTKClassifier(ridge=3.0), x, labels, cv=splits, scoring="balanced_accuracy")
    predicted = lb.learning_curve(lb.Samples(x, labels), NETWORK, train_size=100, ridge=3.0)
    assert shares.mean() == pytest.approx(float(predicted.balanced_accuracy_off_train), abs=0.02)


def test_the_log_loss_of_gaussian_outputs():
    """One output: SciPy's integral; two outputs that are opposite: the same."""
    outputs = ClassOutputs(np.array([[0.7]]), np.array([[[0.5]]]), np.array([1]))
    integral = integrate.quad(lambda f: np.logaddexp(0, 3 * f) * stats.norm.pdf(f, 0.7, np.sqrt(0.5)), -9, 9)[0]
    assert outputs.log_loss(3.0) == pytest.approx(integral, rel=1e-6)
    opposite = np.array([[1.0, -1.0], [-1.0, 1.0]])
    pair = ClassOutputs(np.array([[0.35, -0.35]]), 0.125 * opposite[None], np.array([1]))
    assert pair.log_loss(3.0) == pytest.approx(integral, rel=0.02)


def test_a_test_set_of_the_same_distribution_has_the_scores_of_the_data():
    x, labels = cancer(212)
    order = np.random.default_rng(0).permutation(len(x))
    data, rest = order[:300], order[300:]
    domain = lb.Samples(x[data], labels[data])
    curve = lb.learning_curve(domain, NETWORK, train_size=[100], ridge=3.0, test_set=(x[rest], labels[rest]))
    for name, allowed in (("balanced_accuracy", 0.02), ("log_loss", 0.03)):
        off_train, on_test_set = (getattr(curve, each)[0] for each in (f"{name}_off_train", f"test_set_{name}"))
        assert on_test_set == pytest.approx(off_train, abs=allowed)
    assert {"test_set_balanced_accuracy", "test_set_log_loss"} <= {*curve.to_frame()}


def test_candidates_are_ranked_by_them():
    domain = lb.Samples(*cancer(40))
    networks = {"shallow": NETWORK, "deep": lb.FullyConnected(4, bias_std=0.1), "smooth": lb.Gaussian(3.0)}
    for by, rising in (("balanced_accuracy", False), ("log_loss", True)):
        selection = lb.select(domain, networks, domain.all(), [60], [1.0], by=by)
        values = selection.table[by].to_numpy()
        assert (np.diff(values) >= 0).all() if rising else (np.diff(values) <= 0).all()
        assert selection.best()[by][0] == values[0] and selection.best()["margin"][0] >= 0
    numbers = lb.Samples(domain.points, domain.points[:, 0])
    with pytest.raises(ValueError, match="by log_loss: it is predicted where labels are classes"):
        lb.select(numbers, networks, numbers.all(), [60], by="log_loss")


def test_a_log_loss_that_does_not_hold_is_said_with_the_measured_one():
    """Few samples without a ridge: the log-loss is a fifth too low, where the error itself holds."""
    domain = lb.Samples(*digits([50] * 10))
    with pytest.warns(UserWarning, match="a log-loss of .* measures .* trust the measured value"):
        curve = lb.learning_curve(domain, NETWORK, train_size=30)
    (remark,) = curve.remarks
    predicted, measured = (float(re.search(f"{word} ([\\d.]+\\d)", remark)[1]) for word in ("log-loss of", "measures"))
    assert predicted == pytest.approx(float(curve.log_loss_off_train), rel=0.01)
    assert predicted == pytest.approx(0.76 * measured, rel=0.1)
    assert lb.learning_curve(domain, NETWORK, train_size=150, ridge=3.0).remarks == ()


@pytest.mark.parametrize("outputs", [1, 3])
def test_nothing_is_said_of_classes_where_no_point_is_left(outputs):
    """Training sets of all points leave none."""
    labels = np.where(np.eye(6, outputs) > 0, 1.0, -1.0)[None]
    for measure in (balanced_accuracy, log_loss):
        assert np.isnan(measure(labels, labels, np.zeros(6, dtype=bool))).all()
