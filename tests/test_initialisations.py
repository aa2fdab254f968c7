"""A network has one kernel per initialisation: what is predicted from each is averaged, and the spread is told."""

import numpy as np
import pytest
from torch import nn

import learnability as lb
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.domains.samples import DataSet
from learnability.experiments.select import check, run
from learnability.figures import drawing
from learnability.kernels import architecture_from
from learnability.kernels.grid import initialisations, members
from learnability.measurements.regression import kernel_experiment
from learnability.studies.configuration import experiments_from, studies_from
from learnability.studies.plan import parts, plan
from learnability.studies.schema import load_config, load_schema
from learnability.studies.validation import check_meaning, checked
from learnability.tables.joined import joined
from learnability.tables.theory import theory_table

MODELS = """
from torch import nn


def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def convolutional():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
"""
CONFIG = """
domains:
  digits: {{kind: data, name: digits, samples: 40}}
architectures:
  net: {{kind: torch_module, path: {path}, function: [dense, convolutional], allow_code: true, seeds: 2}}
  limit: {{kind: infinite, path: {path}, function: convolutional, allow_code: true}}
studies:
  one:
    {{figure: comparison, domain: digits, architectures: [net, limit], targets: [{{all: null}}], train_sizes: [8, 16],
     figure_options: {{x: train_size, group: architecture, measures: [nmse]}}, seeds: 2}}
experiments:
  ranked:
    {{kind: select, options: {{domain: digits, target: {{all: null}}, architectures: [net, limit], train_sizes: [8, 16], seeds: 2}}}}
"""


@pytest.fixture(scope="module")
def digits():
    return DataSet(name="digits", samples=40)


@pytest.fixture(scope="module")
def configured(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("modules")
    (folder / "models.py").write_text(MODELS)
    (folder / "config.yaml").write_text(CONFIG.format(path=folder / "models.py"))
    root = request.config.rootpath
    config = checked(load_config(folder / "config.yaml"), load_schema(root / "config" / "schema.yaml"))
    return config, check_meaning(config)[1]


def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def test_an_entry_with_seeds_stands_for_kernels():
    entry = {"kind": "torch_module", "path": "models.py", "function": "cnn", "seeds": 2}
    kernels = initialisations("cnn", entry)
    assert [*kernels] == ["cnn-seed0", "cnn-seed1"]
    assert kernels["cnn-seed1"] == {"kind": "torch_module", "path": "models.py", "function": "cnn", "seed": 1}
    assert [len(group) for group in members("net", {**entry, "function": ["a", "b"]}).values()] == [2, 2]
    assert initialisations("net", {"depth": 1, "seeds": 2}) == {"net": {"depth": 1, "seeds": 2}}  # refused elsewhere


@pytest.mark.parametrize(
    "entry, message",
    [({"seeds": 0}, "cnn: seeds must be a whole number >= 1"), ({"seeds": 2, "seed": 1}, "seed and seeds")],
)
def test_seeds_are_checked(entry, message):
    with pytest.raises(ValueError, match=message):
        initialisations("cnn", {"kind": "torch_module", **entry})


def test_a_study_has_a_job_for_each_and_a_table_of_their_means(configured, digits):
    config, sizes = configured
    study = studies_from(config)["one"]
    assert study.learners == ["net-dense", "net-convolutional", "limit"] and len(study.architectures) == 5
    join = plan(config, sizes).job("join", study="one")
    assert [columns["architecture"] for columns, _ in parts(join)["theory"]] == ["net-dense"] * 2 + [
        "net-convolutional"
    ] * 2 + ["limit"]
    targets = {"all": digits.all()}
    tables, single = [], {}
    for kind in ("theory", "regression"):
        for columns, made_from in parts(join)[kind]:
            learner = KernelOnDomain(digits, architecture_from(made_from["architecture"]))
            if kind == "theory":
                table = theory_table(learner, targets, [8, 16], [0.0], [0.0])
                single.setdefault(columns["architecture"], []).append(table["test_mse_off_train"].to_numpy())
            else:
                table = kernel_experiment(digits, targets, learner.blocks, [8, 16], [0.0], [0.0], range(2))
            tables.append((table, columns))
    table = joined(tables)
    theory = table[table["source"] == "theory"].set_index("architecture")
    for name, errors in single.items():
        assert theory.loc[name, "test_mse_off_train"].to_numpy() == pytest.approx(np.mean(errors, 0), rel=1e-12)
    spread = theory.loc["net-dense", "test_mse_off_train_spread"].to_numpy()
    assert spread == pytest.approx(np.std(single["net-dense"], 0, ddof=1), rel=1e-12) and (spread > 0).all()
    assert theory.loc["limit", "test_mse_off_train_spread"].isna().all()
    measured = table[table["source"] == "kernel"]
    assert len(measured) == 3 * 2 * 2 and not measured.duplicated(["architecture", "train_size", "seed"]).any()
    figure = drawing("comparison")(table, **study.figure_options)
    assert len(figure.axes[0].collections) >= 2  # a band for each network with several
    assert "spread over initialisations" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_one_initialisation_beside_its_network_is_refused(configured):
    config, _ = configured
    study = {**config["studies"]["one"], "architectures": ["net-dense", "net-dense-seed1"]}
    with pytest.raises(ValueError, match="listed beside the network"):
        studies_from({**config, "studies": {"one": study}})


def test_a_list_of_kernels_is_one_candidate(digits):
    kernels = [lb.TorchModule(dense, seed) for seed in range(3)]
    target, sizes = digits.all(), [8, 16]
    mean = lb.select(digits, {"net": kernels, "limit": lb.FullyConnected(1)}, target, sizes)
    each = lb.select(digits, {str(kernel.seed): kernel for kernel in kernels}, target, sizes)
    rows = mean.table[mean.table["architecture"] == "net"].set_index("train_size")
    singles = each.table.groupby("train_size")["nmse"]
    assert rows["nmse"].to_numpy() == pytest.approx(singles.mean().to_numpy(), rel=1e-12)
    assert rows["spread"].to_numpy() == pytest.approx(singles.std().to_numpy(), rel=1e-9)
    assert mean.table.loc[mean.table["architecture"] == "limit", "spread"].isna().all()
    assert (mean.best()["margin_error"] > 0).all()
    automatic = lb.select(digits, {"net": kernels}, target, sizes, ridges="auto").table
    assert (automatic["nmse"] <= rows["nmse"].loc[automatic["train_size"]].to_numpy() + 1e-12).all()
    with pytest.raises(ValueError, match="net: the list of its initialisations is empty"):
        lb.select(digits, {"net": []}, target, sizes)


def test_an_experiment_ranks_architectures_by_name(configured):
    config, sizes = configured
    (options, _), *_ = experiments_from(config)["ranked"].cells.values()
    assert [*options["architectures"]] == ["limit", "net-convolutional", "net-dense"]
    job = plan(config, sizes).job("cell", experiment="ranked", cell="all")
    assert len(job.inputs["data"]) == 1  # the file of modules, once
    table = run(**options)
    measured = table[(table["source"] == "kernel") & (table["measure"] == "test_mse_off_train")]
    assert len(measured) == 6 and (measured["theory"] / measured["mean"] - 1).abs().max() < 0.5
    assert measured.groupby("candidate")["theory_spread"].count().to_dict() == {
        "limit": 0,
        "net-convolutional": 2,
        "net-dense": 2,
    }
    assert drawing("select")(table)


def test_an_experiment_without_candidates_is_refused():
    with pytest.raises(ValueError, match="nothing to rank"):
        check(train_sizes=[8])
