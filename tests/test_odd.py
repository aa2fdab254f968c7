"""Networks without biases and with an odd activation do not learn a mean; whoever asks them to is told so, by name."""

import warnings

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

import learnability as lb
from learnability.command.main import main
from learnability.kernels.odd import misses_the_mean
from learnability.sklearn import NTKRegressor

ODD = lb.FullyConnected(2, "tanh")


def test_what_is_warned_of_is_what_is_not_learned():
    """On a cube, whose points come in pairs x and -x, an odd network has no learnability for a constant at any n."""
    cube = lb.Hypercube(4)
    constant = cube.parity(0)
    for network in (
        ODD,
        lb.FullyConnected(2, "tanh", bias_std=0.1),
        lb.FullyConnected(2, "relu"),
        lb.FullyConnected(0),
    ):
        learned = lb.predict(cube.spectrum(network), constant, [1, 4, 12]).learnability
        assert misses_the_mean(network, constant(*cube.evaluation())) == np.allclose(learned, 0, atol=1e-12)
        assert not misses_the_mean(network, cube.parity(1)(*cube.evaluation()))


@pytest.mark.parametrize(
    "use",
    [
        lambda network, x, y: lb.kernel_regression(network, x, y, x),
        lambda network, x, y: lb.train(network, 8, x, y, x, seeds=[0], max_steps=2),
        lambda network, x, y: NTKRegressor(network.depth, network.activation, bias_std=network.bias_std).fit(x, y),
        lambda network, x, y: lb.select(lb.Samples(x, y), {"mine": network}, lb.Samples(x, y).all(), [8]),
    ],
    ids=["kernel_regression", "train", "NTKRegressor", "select"],
)
def test_the_library_warns_by_name(use):
    x = np.random.default_rng(0).standard_normal((40, 3))
    y = x[:, 0] + 2
    with pytest.warns(
        UserWarning, match=r"network (mine|Fully.*tanh.*) is an odd function.*centre the labels, or write bias_std"
    ) as warned:
        use(ODD, x, y)
    assert {warning.filename for warning in warned} == {__file__}  # where the user's code calls the library
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*odd function")
        use(ODD, x, y - y.mean())
        use(lb.FullyConnected(2, "tanh", bias_std=0.1), x, y)
        use(ODD, x, np.where(np.arange(40) % 3 < 1, 1.0, -1.0))  # a mean of -0.3, which chance gives to 40 labels


def test_the_command_and_a_configuration_say_it_before_anything_runs(tmp_path):
    x = np.random.default_rng(0).standard_normal((40, 2))
    path = tmp_path / "data.npz"
    np.savez(path, x=x, y=x[:, 0] + np.where(x[:, 1] > -1, 1.0, 0.0) * 5)
    domain = {"kind": "data", "path": str(path), "labels": "raw"}
    nets = {"lin": {"depth": 0}, "mine": {"depth": 1, "activation": "tanh"}, "fine": {"depth": 1, "activation": "relu"}}
    study = {"figure": "learning_curves", "domain": "d", "targets": [{"all": None}], "train_sizes": [4]}
    study |= {"figure": "comparison", "figure_options": {"x": "train_size", "group": "architecture"}}
    grid = {"depth": 1, "activation": ["relu", "erf"]}
    options = {"domain": "d", "target": {"all": None}, "train_sizes": [4]}
    experiments = {
        "ranked": {"kind": "select", "options": options | {"grid": grid}},
        "estimated": {"kind": "estimators", "options": options | {"architecture": "mine"}},
    }
    config = {"domains": {"d": domain}, "architectures": nets, "experiments": experiments}
    config["studies"] = {"s": study | {"architectures": [*nets]}}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config))
    notes = CliRunner().invoke(main, ["validate", str(file)]).output
    assert "note: studies.s: networks lin, mine are odd functions" in notes and "the mean of all;" in notes
    assert "note: experiments.ranked: network net-erf is an odd function" in notes
    assert "note: experiments.estimated: network mine is" in notes and notes.count("odd function") == 3
    config["studies"]["s"] |= {"network_sizes": [2], "training": {"block": 1}}
    file.write_text(yaml.safe_dump(config))
    remark = "note: studies.s: network_sizes, training without widths: no networks are trained"
    assert remark in CliRunner().invoke(main, ["validate", str(file)]).output
    np.savez(path, x=x, y=np.where(x[:, 0] > -1, "yes", "no"))
    done = CliRunner().invoke(main, ["predict", str(path), "-n", "8", "--activation", "erf", "--bias-std", "0"])
    assert done.exit_code == 0 and "note: network FullyConnected(depth=1, activation='erf'" in done.output
    grid["dept"] = grid.pop("depth")
    file.write_text(yaml.safe_dump(config))
    refused = CliRunner().invoke(main, ["validate", str(file)]).output
    assert (
        "experiments.ranked: grid.net-erf: unknown parameter of a fully_connected 'dept'; did you mean 'depth'?"
        in refused
    )
