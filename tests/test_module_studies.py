"""Studies of lists of layers and PyTorch modules: their jobs, what they ask for, and what is refused."""

from pathlib import Path

import pytest

import learnability as lb
import train_networks
from learnability.common.store import read_frame
from learnability.ensembles.memory import module_bytes
from learnability.experiments import experiment
from learnability.experiments.least_size import least_size
from learnability.experiments.locality import local_parities
from learnability.studies.cutting import seed_seconds
from learnability.studies.plan import parts, plan
from learnability.studies.schema import load_config, load_schema
from learnability.studies.sizes import Sizes
from learnability.studies.validation import check_meaning, checked

CONFIG = Path(__file__).parent.parent / "config"
SCHEMA = load_schema(CONFIG / "schema.yaml")
MODELS = """
from torch import nn
def small():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.ReLU(), nn.Linear(4, 1))
"""


def configuration(path, **entries):
    layers = [{"conv": {"kernel": 3}}, "relu", "flatten", "dense"]
    study = {
        "figure": "comparison", "domain": "digits", "architectures": ["dense", "layers", "module"], "widths": [8, "own"],
        "targets": [{"all": None}], "train_sizes": [6, 12], "seeds": 2, "training": {"method": "adam", "learning_rate": 0.02, "max_steps": 40},
        "figure_options": {"x": "train_size", "group": "architecture", "select": {"width": 8}},
    }  # fmt: skip
    return {
        "domains": {"digits": {"kind": "data", "name": "digits", "classes": [3, 8], "samples": 20}},
        "architectures": {
            "dense": {"depth": 1},
            "layers": {"kind": "sequential", "layers": layers},
            "module": {
                "kind": "torch_module",
                "path": str(path / "models.py"),
                "function": "small",
                "allow_code": True,
            },
        },
        "studies": {"one": {**study, **entries}},
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


def planned(folder, **entries):
    config = checked(configuration(folder, **entries), SCHEMA)
    _, sizes = check_meaning(config)
    return plan(config, Sizes.from_json(sizes.to_json()))


def test_modules_are_trained_once_and_layers_at_every_width(folder):
    one = planned(
        folder,
        widths=[8, 16, "own"],
        figure_options={"x": "train_size", "group": "architecture", "panel": "width", "measures": ["nmse"]},
    )
    jobs = [job for job in one.jobs() if job.kind == "networks"]
    trained = {(job.identity["architecture"], job.identity["width"]) for job in jobs}
    assert trained == {("dense", "8"), ("dense", "16"), ("layers", "8"), ("layers", "16"), ("module", "own")}
    study = one.studies["one"]
    assert seed_seconds(study, "layers", 8, 12) < seed_seconds(study, "layers", 16, 12)
    assert seed_seconds(study, "module", "own", 6) < seed_seconds(study, "module", "own", 12)
    assert all(job.megabytes > 1000 for job in jobs)


def test_a_job_trains_a_module(folder, tmp_path):
    one = planned(folder)
    job = one.job("networks", study="one", architecture="module", width="own", smallest=6, largest=12, first=0, last=1)
    assert job.parameters["width"] is None and job.outputs["functions"].startswith(
        "results/networks/one/module/widthown/"
    )
    train_networks.main(job.parameters, threads=1, gpu=0, functions=str(tmp_path / "functions.h5"))
    table = read_frame(tmp_path / "functions.h5", job.parameters)
    assert len(table) == 4 and (table["steps"] <= 40).all() and set(table["train_size"]) == {6, 12}
    columns = [columns for columns, _ in parts(one.job("join", study="one"))["networks"]]
    assert all(("width" in of_job) == (of_job["architecture"] != "module") for of_job in columns)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"training": {}}, "gradient_flow follows fully connected"),
        ({"widths": [8]}, "'module', which has sizes of its own: add own"),
        ({"widths": ["own"]}, "'dense', which has networks of any width: add some"),
        ({"architectures": ["dense"]}, "no architecture is of kind torch_module; leave own out"),
        ({"widths": ["wide"]}, "widths"),
        ({"training": {"method": "adam", "loss": "hinge"}}, "loss: 'hinge'"),
    ],
)
def test_what_a_study_cannot_train_is_refused(folder, entries, message):
    with pytest.raises(ValueError, match=message):
        planned(folder, **entries)


@pytest.mark.parametrize("name", ["images", "locality", "modules/digits"])
def test_configurations_of_images_and_modules_are_right(name, monkeypatch):
    monkeypatch.chdir(CONFIG.parent)
    config = checked(load_config(CONFIG / f"{name}.yaml"), SCHEMA)
    _, sizes = check_meaning(config)
    assert [*plan(config, sizes).jobs()]


def test_shuffled_pixels_leave_dense_networks_as_they_are():
    """A kernel that sees all pixels alike does not notice; convolutions do, and their networks shuffle as their kernels."""
    import numpy as np
    import torch

    x = np.random.default_rng(0).standard_normal((6, 2, 4, 4))
    dense = ["flatten", "dense", "relu", "dense"]
    assert np.allclose(lb.Sequential(["shuffle", *dense]).kernel(x), lb.Sequential(dense).kernel(x))
    local = [{"conv": {"kernel": 3}}, "relu", "flatten", "dense"]
    shuffled = lb.Sequential([{"shuffle": {"seed": 3}}, *local])
    arranged = shuffled.arranged(torch.from_numpy(x)).numpy()
    assert sorted(arranged[0, 1].ravel()) == sorted(x[0, 1].ravel()) and not np.array_equal(arranged, x)
    assert np.allclose(shuffled.kernel(x), lb.Sequential(local).kernel(arranged))
    assert not np.allclose(shuffled.kernel(x), lb.Sequential(local).kernel(x))
    both = [network.module((2, 4, 4), 5) for network in (shuffled, lb.Sequential(local))]
    for theirs, mine in zip(both[0].parameters(), both[1].parameters(), strict=True):
        theirs.data = mine.data
    assert torch.allclose(both[0](torch.from_numpy(x).float()), both[1](torch.from_numpy(arranged).float()))
    with pytest.raises(ValueError, match="put it first"):
        lb.Sequential([{"conv": {"kernel": 1}}, "shuffle", "flatten", "dense"]).kernel(x)


def test_convolutions_need_few_samples_of_a_local_target():
    """At d = 8, windows as large as the target's parities beat dense networks, and pooling beats both."""
    conv = {"conv": {"kernel": 3, "padding": "circular", "bias_std": 0.5}}
    needed = {}
    for name, end in (("flatten", "flatten"), ("pooled", "global_avg_pool")):
        rows = experiment("locality")(8, {"kind": "sequential", "layers": [conv, "relu", end, "dense"]}, seeds=2)
        needed[name] = rows.set_index("source")["mean"]
    dense = experiment("locality")(8, {"depth": 2, "bias_std": 0.5}, seeds=2).set_index("source")["mean"]
    assert needed["pooled"]["kernel"] < needed["flatten"]["kernel"] / 3 < dense["kernel"] / 9
    assert needed["flatten"]["theory"] == pytest.approx(needed["flatten"]["kernel"], rel=0.3)
    with pytest.raises(ValueError, match="bits: 8"):
        experiment("locality")(8, {"depth": 1}, bits=8)


def test_local_parities_have_variance_one_and_do_not_see_where_the_ring_begins():
    points = lb.Hypercube(6).points
    f = local_parities(points, 3)
    assert (f**2).mean() == pytest.approx(1)
    assert (local_parities(points[:, [1, 2, 3, 4, 5, 0]], 3) == f).all()


def test_the_least_size_is_found_by_bisection():
    assert least_size(lambda n: float(n < 77), 0.5, 300) == 77 and least_size(lambda n: 1.0, 0.5, 300) == 300


def test_why_the_prediction_fails_for_two_modules_of_the_study(monkeypatch):
    """docs/trained-networks.md: attention's kernel is almost a constant, the linear module has as many parameters as samples."""
    import numpy as np

    import learnability as lb
    from learnability.domains.samples import DataSet

    monkeypatch.chdir(CONFIG.parent)
    digits = DataSet(name="digits", samples=400)
    labels = np.asarray(digits.all().values)
    attention, linear = (
        lb.TorchModule(path="config/modules/digits.py", function=name, allow_code=True).kernel(digits.points)
        for name in ("attention", "linear")
    )
    assert np.linalg.eigvalsh(attention)[-1] / np.trace(attention) == pytest.approx(0.92, abs=0.01)
    ridges = np.array([1e-3, 1e-2, 1e-1])
    errors = lb.predict_samples(attention, labels, 64, ridges * np.trace(attention) / 400).test_mse_off_train.mean(-1)
    assert (errors > labels.var(0).mean()).all()
    with_ridge = lb.predict_samples(linear, labels, 64, 1e-2 * np.trace(linear) / 400).test_mse_off_train.mean()
    assert with_ridge == pytest.approx(0.093, abs=0.001)


def test_a_cell_asks_for_the_memory_of_the_modules_that_it_trains(folder):
    """A convolution of 20,000 channels passes 64 times as many numbers on as a dense layer of that width."""
    options = {"domain": "digits", "target": {"all": None}, "train_size": 8}
    layers = {"kind": "after_kernel", "options": {**options, "architecture": "layers"}}
    experiments = {
        "module": {
            "kind": "modules",
            "options": {**options, "architecture": "module", "training": {"adam": {"method": "adam"}}},
        },
        "narrow": {**layers, "options": {**layers["options"], "width": 8}},
        "wide": {**layers, "options": {**layers["options"], "width": 20_000}},
        "dense": {**layers, "options": {**layers["options"], "architecture": "dense", "width": 20_000}},
        "kernels": {
            "kind": "hard_samples",
            "options": {**options, "architecture": "layers"},
        },
    }
    config = checked({**configuration(folder), "experiments": experiments}, SCHEMA)
    _, sizes = check_meaning(config)
    jobs = plan(config, Sizes.from_json(sizes.to_json())).job
    asked = {name: jobs("cell", experiment=name, cell="all").memory_mb(1) for name in experiments}
    assert asked["kernels"] < asked["module"] == asked["narrow"] == asked["dense"] < asked["wide"]
    needed = module_bytes(sizes.modules["wide"]["all"], 8, 20, 1) / 1e6
    assert 300 < needed < asked["wide"] - asked["kernels"] < 2 * needed + 200
