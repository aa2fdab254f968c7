"""`learnability select images.npz --modules models.py`: a user's own modules ranked on the terminal."""

import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_digits

import learnability as lb
from learnability.command.main import main
from learnability.command.sizes import sizes_of
from learnability.selection.pools import Pools

MODELS = """
from torch import nn
from torch.nn import Flatten


def small_cnn():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), Flatten(), nn.Linear(144, 10))


def mlp(width=16):
    return nn.Sequential(Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def block(channels):
    return nn.Conv2d(channels, channels, 3)


def _helper():
    return None


def text():
    return "no module"


def flat():
    return nn.Linear(64, 10)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranked")
    digits = load_digits()
    np.savez(folder / "images.npz", x=digits.images[:60, None], y=digits.target[:60])
    (folder / "models.py").write_text(MODELS)
    (folder / "two.py").write_text(MODELS.split("def _helper")[0])
    (folder / "broken.py").write_text("nothing\n")
    (folder / "none.py").write_text("from torch import nn\n\n\nclass Net(nn.Module):\n    pass\n")
    return folder


def ranked(files, *arguments):
    command = ["select", str(files / "images.npz"), "-n", "16", "-n", "30", "--seeds", "2", *map(str, arguments)]
    return CliRunner().invoke(main, command)


def test_all_functions_of_a_file_are_ranked_beside_others(files):
    table = files / "ranking.csv"
    smooth = "smooth: {kind: gaussian, length: [1, 2]}"
    ran = ranked(files, "--modules", files / "two.py", "--architecture", smooth, "--activation", "erf", "--csv", table)
    assert ran.exit_code == 0, ran.output
    rows = pd.read_csv(table)
    dense = {f"net-depth{depth}" for depth in (1, 2, 4)}
    assert set(rows["architecture"]) == {"small_cnn", "mlp", "smooth-length1", "smooth-length2"} | dense
    assert "block needs channels and is left out" in ran.output and "± over seeds" in ran.output
    of_modules = rows[rows["architecture"].isin(["small_cnn", "mlp"])]
    assert (of_modules["initialisations"] == 2).all() and (of_modules["spread"] > 0).all()


def test_functions_that_are_named_are_ranked_as_in_python(files):
    table = files / "named.csv"
    assert ranked(files, "--modules", f"{files / 'models.py'}:mlp", "--ridge", 0, "--csv", table).exit_code == 0
    data = lb.domains.samples.DataSet(path=str(files / "images.npz"))
    assert data.points.shape == (60, 1, 8, 8)
    kernels = [
        lb.TorchModule(path=str(files / "models.py"), function="mlp", seed=seed, allow_code=True) for seed in (0, 1)
    ]
    expected = lb.select(data, {"mlp": kernels}, data.all(), [16, 30]).table
    found = pd.read_csv(table)
    assert found["architecture"].tolist() == ["mlp"] * 2
    assert found["nmse"].to_numpy() == pytest.approx(expected["nmse"].to_numpy(), rel=1e-12)


@pytest.mark.parametrize(
    "modules, message",
    [
        ("none.py", r"defines no function without arguments; .*none.py:Net"),
        ("models.py:smal_cnn", "did you mean 'small_cnn'"),
        ("models.py:block", "TorchModule block, seed 0.*missing 1 required positional argument: 'channels'"),
        ("models.py:text", "must return a torch.nn.Module, got str"),
        ("models.py:flat", r"TorchModule flat, seed 0.*fails on points of shape \(1, 8, 8\)"),
        ("models.py:mlp,mlp", "there are two functions mlp"),
        ("missing.py", r"--modules \S+missing.py: \S+missing.py cannot be read"),
        ("", r"--modules \S+: \S+ cannot be read \(Is a directory\); name a Python file"),
        ("broken.py", r"--modules \S+broken.py: \S+broken.py cannot be run: NameError.*\(line 1\)"),
    ],
)
def test_messages(files, modules, message):
    ran = ranked(files, "--modules", files / modules)
    assert ran.exit_code == 1 and re.search(message, ran.output.replace("\n", " ")), ran.output


def test_an_architecture_is_a_mapping(files):
    ran = ranked(files, "--architecture", "smooth: gaussian")
    assert ran.exit_code == 1 and "smooth is no mapping; write e.g. 'smooth: {kind: gaussian, length: 2}'" in ran.output
    ran = ranked(files, "--architecture", "smooth: {kind: gaussian, lenght: 2}")
    assert ran.exit_code == 1 and "--architecture smooth: unknown parameter of a gaussian 'lenght'" in ran.output


def test_modules_are_ranked_at_sizes_whose_pools_are_small(capsys):
    """Kernels of modules take long: none is on more points than pools of the largest of these sizes have."""
    data = lb.Samples(np.eye(1797), y=np.arange(1797.0))
    assert sizes_of(data, (), "", ranked=True, modules=True) == [16, 32, 64, 128]
    assert "at which the ranking of modules was tried; -n takes others" in capsys.readouterr().err
    assert sizes_of(data, (), "", ranked=True) == [64, 128, 256, 512]
    assert {len(Pools.few(data, data.label(0), 128).of(n)) for n in (16, 32, 64, 128)} == {3}
