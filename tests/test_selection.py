import numpy as np
import pandas as pd
import pytest
from scipy import stats

import learnability as lb
from learnability.domains import domain_from
from learnability.experiments.select import run
from learnability.kernels import architecture_from
from learnability.kernels.grid import expanded
from learnability.kernels.matrix import KernelMatrix
from learnability.measurements.regression import kernel_experiment
from learnability.selection.selection import Selection
from learnability.studies.configuration import with_grids
from learnability.tables.recommendation import best_lines, recommendation, samples_lines
from learnability.theory.best_ridge import best_ridge


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


def test_kernels_without_networks_are_ranked_too():
    cube, grid = {"kind": "hypercube", "dim": 4}, {"kind": "gaussian", "length": [0.5, 2.0]}
    table = run(cube, {"parity": 1}, [4], grid, seeds=3)
    assert set(table["activation"].dropna()) == {"gaussian"} and (table["source"] == "kernel").sum() == 2


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


def test_the_samples_needed_move_with_the_data_as_their_standard_error_says():
    """The delta method against a bootstrap of the samples, whose errors and distances from the mean are drawn together."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 3))
    data = lb.Samples(x, x[:, 0] ** 2 + x[:, 1])  # labels far from their mean weigh most, in error and variance
    found = lb.select(data, networks(depth=[1, 2], activation="relu", bias_std=0.3), data.all(), [16, 64])
    for row in found.samples_needed(0.15).itertuples():
        first, last = (found.errors[row.architecture, row.kernel, row.ridge, n] for n in (16, 64))
        drawn = rng.integers(0, 400, (4000, 400))
        above, below = (np.log(errors[drawn].mean(1) / found.variances[drawn].mean(1)) for errors in (first, last))
        samples = 16 * 4 ** ((above - np.log(0.15)) / (above - below))
        assert row.standard_error == pytest.approx(samples.std(), rel=0.08)
        assert row.samples == pytest.approx(samples.mean(), rel=0.02)


def learning_curve(nmse, sizes=(2, 4, 8, 16, 32)):
    """A selection of one candidate with the given normalised errors."""
    table = pd.DataFrame({"train_size": sizes, "test_mse": nmse, "nmse": nmse})
    return Selection(table.assign(architecture="a", kernel="ntk", ridge=0.0), 0.0, {}, np.ones(3))


@pytest.mark.parametrize(
    "nmse, low, high",
    [
        ([0.3, 435.0, 2.0, 0.4, 0.1], 8, 16),  # double descent: below at the smallest size and above later
        ([0.9, 0.4, 0.6, 0.3, 0.2], 8, 16),
        ([0.9, 0.4, 0.3, 0.4, 0.6], np.nan, np.nan),  # above at the end
        ([0.4, 0.3, 0.2, 0.1, 0.05], 2, 2),  # or fewer
        ([0.688, 0.0, 0.0, 0.0, 0.0], 4, 4),  # no logarithm to interpolate
        ([0.688, 1e-30, 0.0, 0.0, 0.0], 4, 4),
        ([0.9, 0.8, np.inf, 0.3, 0.2], 16, 16),
        ([np.nan] * 5, np.nan, np.nan),  # a constant target
    ],
)
def test_the_samples_needed_are_those_from_which_on_the_error_stays_below(nmse, low, high):
    samples = learning_curve(nmse).samples_needed(0.5)["samples"].iloc[0]
    assert np.isnan(samples) if np.isnan(low) else low <= samples <= high


def test_an_interpolated_size_is_never_called_or_fewer():
    text = samples_lines(learning_curve([0.688, 0.0, 0.0, 0.0, 0.0]).samples_needed(0.5), 0.5, 2)[0]
    assert "or fewer" not in text and "4 with a (ntk)" in text


def test_a_level_is_a_normalised_error_or_an_r2():
    curve = learning_curve([0.9, 0.6, 0.3, 0.15, 0.05])
    assert curve.samples_needed(r2=0.75).equals(curve.samples_needed(0.25))
    assert (
        "R2 of 0.8, samples for a normalised error of 0.2: "
        in samples_lines(curve.samples_needed(r2=0.8), 1 - 0.8, 2)[0]
    )
    for wrong in (
        {"nmse": -1}, {"nmse": 0}, {"nmse": np.nan}, {"nmse": np.inf},
        {"r2": 1}, {"r2": np.nan}, {"r2": -np.inf}, {}, {"nmse": 0.5, "r2": 0.5},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="the normalised error to reach|the R2 to reach|not both"):
            curve.samples_needed(**wrong)


def test_a_best_error_of_zero_has_no_nan_in_its_margin():
    errors = {"a": 0.0, "b": 0.5, "c": 1e-31}
    rows = [
        {"architecture": name, "kernel": "ntk", "ridge": 0.0, "test_mse": e, "nmse": e} for name, e in errors.items()
    ]
    for others, words in (("b", "b (ntk) does not reach zero"), ("cb", "c (ntk) is as good: a tie")):
        table = pd.DataFrame(rows).set_index("architecture", drop=False).loc[["a", *others]].assign(train_size=4)
        (line,) = best_lines(Selection(table, 0.0, {}, np.ones(3)).best())
        assert line.endswith(words)


def test_what_is_repeated_counts_once(relu4):
    cube = lb.Hypercube(4)
    once = lb.select(cube, {"a": relu4}, cube.parity(1), [4, 8], [0.0, 0.1], kernels=["ntk", "nngp"])
    twice = lb.select(
        cube,
        {"a": relu4},
        cube.parity(1),
        np.array([4, 4, 8, 4]),
        [0.0, 0.1, -0.0, 0.1],
        kernels=["ntk", "nngp", "ntk"],
    )
    assert twice.table.equals(once.table)
    grid, place = {"depth": [1, 2], "activation": "relu"}, {"kind": "hypercube", "dim": 4}
    tables = [
        run(place, {"parity": 1}, sizes, grid, kernels=kernels, seeds=2)
        for sizes, kernels in (([4], ["ntk"]), ([4, 4], ["ntk"] * 2))
    ]
    first, again = (table[table["measure"] != "seconds"].reset_index(drop=True) for table in tables)
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"train_sizes": [-1, 4]}, "train_sizes must be finite and >= 0"),
        ({"train_sizes": [np.nan]}, "train_sizes must be finite and >= 0"),
        ({"train_sizes": []}, "train_sizes: at least one number is needed"),
        ({"ridges": [-0.1]}, "ridges must be finite and >= 0"),
        ({"ridges": [np.nan]}, "ridges must be finite and >= 0"),
        ({"noise_std": np.nan}, "noise_std must be finite and >= 0"),
        ({"kernels": ["ntkk"]}, "unknown kernel 'ntkk'; did you mean 'ntk'"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(relu4, arguments, message):
    cube = lb.Hypercube(4)
    with pytest.raises(ValueError, match=message):
        lb.select(cube, {"a": relu4}, cube.parity(1), **{"train_sizes": [4], **arguments})


def test_candidates_are_ranked_at_what_there_is():
    x = np.random.default_rng(0).standard_normal((30, 2))
    data = lb.Samples(x, x[:, 0])
    with pytest.raises(ValueError, match="ranked at sizes up to the 30 points"):
        lb.select(data, networks(depth=[1, 2]), data.all(), [15, 31])


def test_the_best_ridge_of_every_size():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 3))
    data = lb.Samples(x, x[:, 0] + 0.5 * rng.standard_normal(80))
    candidates = networks(depth=[1, 2], activation="relu", bias_std=0.1)
    found = lb.select(data, candidates, data.all(), [20, 40], "auto")
    assert found.parameters == ["architecture", "kernel"] and len(found.samples_needed(0.9)) == 2
    for name, network in candidates.items():
        rows = found.table[found.table["architecture"] == name].sort_values("train_size")
        best = best_ridge(network.kernel(data.points), data.labels, [20, 40])
        assert rows["ridge"].to_numpy() == pytest.approx(best, rel=1e-6)
        curve = lb.learning_curve(data, network, train_size=[20, 40], ridge="auto")
        assert curve.test_mse_off_train == pytest.approx(rows["test_mse"].to_numpy(), rel=1e-9)
        for other in (0.0, 10.0):
            worse = lb.learning_curve(data, network, train_size=[20, 40], ridge=other).test_mse_off_train
            assert (rows["test_mse"] <= worse * 1.01).all()
    with pytest.raises(ValueError, match="unknown ridges 'best'"):
        lb.select(data, candidates, data.all(), [20], "best")


def test_a_large_data_set_is_ranked_from_some_of_its_samples(monkeypatch):
    """The error of some samples is that of all within its sampling error."""
    monkeypatch.setattr("learnability.selection.pools.SEEN", 300)
    monkeypatch.setattr("learnability.selection.pools.SMALLEST", 60)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1200, 3))
    data = lb.Samples(x, np.sin(x[:, 0]) + x[:, 1] + 0.3 * rng.standard_normal(1200))
    candidates = networks(depth=[1, 2], activation="relu", bias_std=0.1)
    found = lb.select(data, candidates, data.all(), [30, 60], [0.1], fast=True)
    assert len(np.unique(found.samples)) == 300 and 0 < found.sampling_error < 0.1
    assert all(len(errors) == 300 for errors in found.errors.values())
    for name, network in candidates.items():
        whole = lb.learning_curve(data, network, train_size=[30, 60], ridge=0.1).test_mse_off_train
        rows = found.table[found.table["architecture"] == name].sort_values("train_size")
        assert np.abs(rows["test_mse"] / whole - 1).max() < 4 * found.sampling_error
    assert (found.samples_needed(found.table["nmse"].median())["standard_error"] > 0).any()
    small = lb.Samples(x[:300], x[:300, 0])
    assert lb.select(small, candidates, small.all(), [30], fast=True).samples is None


def test_pools_predict_what_all_samples_solved_for_together_do(monkeypatch):
    """Ten pools of sixty, and the same six hundred at once: less than three per cent apart, sample by sample alike."""
    monkeypatch.setattr("learnability.selection.pools.SMALLEST", 60)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 3))
    data = lb.Samples(x, np.where(np.sin(x[:, 0]) + x[:, 1] + 0.3 * rng.standard_normal(600) > 0, 1.0, -1.0))
    candidates = networks(depth=[1, 2], activation="relu", bias_std=0.1)
    fast, full = (lb.select(data, candidates, data.all(), [30, 200], [0.1, 1.0], fast=fast) for fast in (True, False))
    keys = ["architecture", "ridge", "train_size"]
    both = fast.table.merge(full.table, on=keys)
    assert (both["test_mse_x"] / both["test_mse_y"]).to_numpy() == pytest.approx(1, rel=0.03)
    assert both["accuracy_x"].to_numpy() == pytest.approx(both["accuracy_y"], abs=0.01)
    assert fast.samples is None and fast.errors.keys() == full.errors.keys()
    assert all(np.corrcoef(errors, full.errors[key])[0, 1] > 0.8 for key, errors in fast.errors.items())


def test_samples_of_a_ranking_have_the_proportions_of_all(monkeypatch):
    """No label is drawn more often than it is there, whatever the ratio of numbers: here 7 of 12 in each class."""
    monkeypatch.setattr("learnability.selection.pools.SEEN", 70)
    x = np.random.default_rng(0).standard_normal((120, 2))
    data = lb.Samples(x, np.where(np.arange(120) < 24, 1.0, -1.0))
    found = lb.select(data, networks(depth=[1, 2], activation="relu"), data.all(), [20], [0.1], fast=True)
    assert len(found.samples) == 70 and abs((found.samples < 24).sum() - 14) <= 1


def test_a_recommendation_in_words():
    table = run(
        {"kind": "data", "name": "digits", "classes": [3, 8], "samples": 90},
        {"all": None},
        [8, 32],
        {"depth": [1, 2], "activation": "relu"},
        seeds=2,
        reach=0.35,
    )
    place = domain_from({"kind": "data", "name": "digits", "classes": [3, 8], "samples": 90})
    found = lb.select(place, networks(depth=[1, 2], activation="relu"), place.all(), [8, 32])
    best, needed = found.best().iloc[1], found.samples_needed(0.35).iloc[0]
    small, large, samples = recommendation(table)
    assert large.startswith(f"n = 32: {best['architecture']} (ntk), normalised error {best['nmse']:.3g} predicted")
    assert f" is {100 * best['margin']:.2g} ± {100 * best['margin_error']:.2g} % worse" in large
    assert not large.endswith(": a tie") and best_lines(found.best().assign(margin_error=1))[1].endswith(": a tie")
    assert f"{needed['samples']:.3g} ± {needed['standard_error']:.2g} with {needed['architecture']}" in samples
    assert samples.endswith("2 of 2 candidates reach it")
    kernel = table[(table["source"] == "kernel") & (table["train_size"] == 32)]
    assert np.allclose(kernel["nmse"], kernel["mean"] / place.labels.var(), rtol=1e-12)
    assert recommendation(table[table["measure"] != "best"]) == []


def _variance(sphere):
    values = sphere.harmonic(1)(*sphere.evaluation())
    return values.var()


def test_grids_in_a_configuration():
    assert expanded("mlp", {"depth": 2, "activation": "erf"}) == {"mlp": {"depth": 2, "activation": "erf"}}
    several = expanded("mlp", {"depth": [1, 2], "activation": ["relu", "erf"], "bias_std": 0.1})
    assert [*several] == ["mlp-relu-depth1", "mlp-relu-depth2", "mlp-erf-depth1", "mlp-erf-depth2"]
    assert several["mlp-erf-depth2"] == {"depth": 2, "activation": "erf", "bias_std": 0.1}
    config = {
        "architectures": {"mlp": {"depth": [1, 2], "activation": "relu"}, "a": {"depth": 3}},
        "studies": {"s": {"architectures": ["a", "mlp"]}},
    }
    assert with_grids(config)["studies"]["s"]["architectures"] == ["a", "mlp-depth1", "mlp-depth2"]
    config["architectures"]["mlp-depth1"] = {"depth": 5}
    with pytest.raises(ValueError, match="rename the grid"):
        with_grids(config)
