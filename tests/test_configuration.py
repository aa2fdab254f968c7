from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from learnability.studies import sizes
from learnability.studies.configuration import experiments_from, label_of, studies_from
from learnability.studies.cutting import seed_ranges_by_cost, seed_seconds, training_jobs
from learnability.studies.schema import load_schema
from learnability.studies.validation import check_meaning, checked
from learnability.tables.curve_sizes import curve_sizes

ROOT = Path(__file__).parent.parent
SCHEMA = load_schema(ROOT / "config" / "schema.yaml")
SHIPPED = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "schema.yaml")


def config(name="test.yaml"):
    return yaml.safe_load((ROOT / "config" / name).read_text())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_configuration_is_valid(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    check_meaning(checked(config(name), SCHEMA))


def test_defaults_are_filled_in():
    complete = checked(config("config.yaml"), SCHEMA)
    study = studies_from(complete)["boolean_functions"]
    assert study.ridges == [0.0] and study.kernel == "ntk" and study.network_seeds == 30
    assert study.training["target_mse"] == 1e-5
    assert study.training_options()["method"] == "gradient_flow"


def boolean_functions(entry):
    return studies_from(checked(entry, SCHEMA))["boolean_functions"]


def jobs(entry):
    return training_jobs(boolean_functions(entry), "relu4", 500)


def test_one_more_seed_is_one_more_job_for_each_range_of_sizes():
    entry, found = config("config.yaml"), {}
    for seeds in (30, 31, 32):
        entry["studies"]["boolean_functions"]["seeds"] = seeds
        found[seeds] = jobs(entry)
    cheap, alone = [(1, 8), (16, 64)], [(128, 128), (256, 256)]
    assert found[30] == [
        *((*sizes, 0, 29) for sizes in [*cheap, (128, 128)]),
        *((256, 256, n, n + 9) for n in (0, 10, 20)),
    ]
    for seeds in (31, 32):
        assert set(found[seeds - 1]) < set(found[seeds])
        added = set(found[seeds]) - set(found[seeds - 1])
        assert added == {(*sizes, seeds - 1, seeds - 1) for sizes in (*cheap, *alone)}


@pytest.mark.parametrize("added", [3, 12, 15, 17, 100, 200, 255])
def test_a_further_size_trains_no_sizes_but_cheap_ones_near_it(added):
    entry = config("config.yaml")
    study = entry["studies"]["boolean_functions"]
    before, study["train_sizes"] = jobs(entry), [*study["train_sizes"], added]
    made = boolean_functions(entry)
    anew = {n for job in set(jobs(entry)) - set(before) for n in made.sizes_between(*job[:2])} - {added}
    cheap = {n for n in anew if 30 * seed_seconds(made, "relu4", 500, n) <= 15}
    assert anew == cheap and all(max(n, added) < 16 or min(n, added) >= 16 for n in anew)


def test_jobs_of_a_number_of_seeds_have_one_size_each():
    entry = config("config.yaml")
    entry["training"] = {"block": 7}
    assert jobs(entry)[-3:] == [(256, 256, 21, 27), (256, 256, 28, 28), (256, 256, 29, 29)]
    assert all(smallest == largest for smallest, largest, _, _ in jobs(entry))
    entry["studies"]["boolean_functions"]["training"] = {"job_seconds": 60}
    assert jobs(entry) == jobs(config("config.yaml")), "a study's job_seconds takes the place of a common block"


def test_sizes_share_jobs_whatever_their_order_and_keep_to_the_time():
    entry = config("config.yaml")
    study = entry["studies"]["boolean_functions"]
    study["train_sizes"] = {"first": 1, "last": 256, "step": 1}
    together = jobs(entry)
    study["train_sizes"] = [*range(256, 0, -1)]
    assert jobs(entry) == together
    made = boolean_functions(entry)
    ranges = sorted({job[:2] for job in together})
    assert [n for between in ranges for n in made.sizes_between(*between)] == [*range(1, 257)]
    for smallest, largest, first, last in together:
        seconds = sum(seed_seconds(made, "relu4", 500, n) for n in made.sizes_between(smallest, largest))
        assert seconds * (last - first + 1) <= 60


def test_ten_classes_and_gradient_descent_cost_what_they_cost():
    """Measured on ten classes at n = 128: 1.0 to 2.3 s; gradient descent at n = 256: some 30 times gradient flow."""
    entry = config("config.yaml")
    study = entry["studies"]["boolean_functions"]
    flow = seed_seconds(boolean_functions(entry), "relu4", 500, 256)
    study["training"] = {"method": "gradient_descent"}
    assert 20 * flow < seed_seconds(boolean_functions(entry), "relu4", 500, 256) < 60 * flow
    entry = config("paper.yaml")
    classes = studies_from(checked(entry, SCHEMA), {"images_classes": 10})["images_classes"]
    assert 0.8 < seed_seconds(classes, "relu4", 500, 128) < 3


def test_widths_need_sizes_to_train_at():
    entry = config()
    entry["studies"]["curves"]["network_sizes"] = []
    with pytest.raises(ValueError, match="studies.curves: widths .* give network_sizes"):
        studies_from(checked(entry, SCHEMA))


@pytest.mark.parametrize("seconds", [0.001, 0.5, 3.0, 1e4])
def test_blocks_cover_every_seed_once_and_keep_to_their_time(seconds):
    for seeds in (1, 4, 30, 99, 1234):
        ranges = seed_ranges_by_cost(seeds, seconds, 60)
        assert [seed for first, last in ranges for seed in range(first, last + 1)] == [*range(seeds)]
        assert all(first == last or (last - first + 1) * seconds <= 60 for first, last in ranges)


def test_small_and_large_domains():
    entry = config()
    entry["studies"]["curves"]["train_sizes"] = [0]
    entry["studies"]["curves"]["widths"] = []
    study = studies_from(checked(entry, SCHEMA))["curves"]
    assert curve_sizes(study.measured_sizes).tolist() == [0] and study.network_sizes == []
    entry["studies"]["curves"]["widths"], entry["studies"]["curves"]["train_sizes"] = (
        [4],
        {"first": 0, "last": 4, "step": 2},
    )
    assert studies_from(checked(entry, SCHEMA))["curves"].network_sizes == [2, 4]
    entry["domains"]["cube"]["dim"] = 30
    with pytest.raises(ValueError, match="targets.majority 3: the points of a hypercube are listed up to dim 20 only"):
        check_meaning(checked(entry, SCHEMA))


def test_labels():
    assert label_of({"parity": 3}) == "parity 3" and label_of({"monomial": {"bits": [0, 2]}}) == "monomial [0, 2]"


def changed(path, value):
    entry = deepcopy(config())
    *way, last = path
    part = entry
    for key in way:
        part = part[key]
    part[last] = value
    return entry


WRONG = {
    "unknown key": (["studies", "curves", "train_size"], [3], "studies.curves: unknown key 'train_size'; did you mean 'train_sizes'"),
    "unknown section": (["domain"], {}, "top level: unknown key 'domain'; did you mean 'domains'"),
    "misspelt activation": (["architectures", "relu1", "activation"], "rleu", "architectures.relu1: unknown activation 'rleu'; did you mean 'relu'"),
    "too large": (["studies", "curves", "train_sizes"], [2, 17], "studies.curves: train_sizes: 17 is larger than domain 'cube', which has 16 points"),
    "negative ridge": (["studies", "curves", "ridges"], [-0.1], "studies.curves.ridges.0: -0.1 is not allowed"),
    "unknown domain": (["studies", "curves", "domain"], "cub", "studies.curves: unknown domain 'cub'; did you mean 'cube'"),
    "unknown architecture": (["studies", "curves", "architectures"], ["relu2"], "studies.curves: unknown architecture 'relu2'; did you mean 'relu1'"),
    "unknown target": (["studies", "curves", "targets"], [{"parrity": 1}], "studies.curves: targets.*unknown target on a hypercube 'parrity'; did you mean 'parity'"),
    "wrong target argument": (["studies", "curves", "targets"], [{"parity": 5}], "the number of bits of a parity must be a whole number from 0 to 4, got 5"),
    "unknown figure": (["studies", "curves", "figure"], "learning_curve", "did you mean 'learning_curves'"),
    "missing file": (["studies", "curves", "targets"], [{"truth_table": "nowhere.txt"}], "cannot read nowhere.txt"),
    "bad method": (["training", "method"], "lbfgs", "training.method: 'lbfgs' is not one of gradient_flow, gradient_descent, sgd, adam"),
    "bad depth": (["architectures", "relu1", "depth"], -1, "architectures.relu1: depth must be a whole number from 0 to 100000, got -1"),
    "bad dim": (["domains", "cube", "dim"], "four", "domains.cube: dim must be a whole number from 1 to 1000, got 'four'"),
    "label as target": (["studies", "curves", "targets"], ["parity 2"], "studies.curves.targets.0: 'parity 2' is text in YAML; write a key and its value, {parity: 2}"),
    "whole float": (["studies", "curves", "seeds"], 3.0, "studies.curves.seeds: 3.0 is not allowed, it is not of type 'integer'"),
    "zero tolerance": (["studies", "curves", "training"], {"tolerance": 0}, "training.tolerance: 0 must be greater than 0"),
    "bad kind": (["domains", "cube", "kind"], "cube", "unknown domain kind 'cube'.*did you mean 'hypercube'"),
    "misspelt domain parameter": (["domains", "cube", "dimm"], 4, "domains.cube: unknown parameter of a hypercube 'dimm'; did you mean 'dim'"),
    "number as text": (["studies", "curves", "ridges"], ["1e-3"], "studies.curves.ridges.0: '1e-3' is text in YAML; write 0.001"),
    "infinite noise": (["studies", "curves", "noise_stds"], [float("inf")], "studies.curves.noise_stds.0: inf is not a finite number"),
    "empty range": (["studies", "curves", "train_sizes"], {"first": 8, "last": 4}, "studies.curves.train_sizes: first 8 is larger than last 4"),
    "same target twice": (["studies", "curves", "targets"], [{"parity": 1}, {"parity": {"degree": 1}}], "two targets have the same name"),
    "figure option": (["studies", "curves", "figure_options"], {"xscal": "log"}, "unknown figure option 'xscal'; did you mean 'xscale'"),
    "name of a study": (["studies", "a/b"], {}, "studies: name 'a/b' is not allowed"),
    "number as name": (["studies", 3], {}, "the name 3 is a number in YAML; put it in quotes"),
    "experiment option": (["experiments"], {"e": {"kind": "spectra", "options": {"domain": "cube"}}}, "option 'architecture' is missing"),
    "experiment target": (["experiments"], {"e": {"kind": "kappa_fluctuation", "options": {"domain": "cube", "architecture": "relu1", "train_sizes": [2], "targets": [{"paritty": 1}]}}}, "did you mean 'parity'"),
    "no seeds": (["studies", "curves", "seeds"], 0, "studies.curves.seeds: 0 is not allowed"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_entries_are_named(case):
    path, value, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        check_meaning(checked(changed(path, value), SCHEMA))


def test_the_reference_page_is_up_to_date():
    from describe_config import reference

    assert (ROOT / "config" / "README.md").read_text() == reference(SCHEMA), "run `make docs`"


def test_missing_keys_are_named():
    entry = config()
    del entry["studies"]["curves"]["domain"]
    with pytest.raises(ValueError, match="studies.curves: key 'domain' is missing"):
        checked(entry, SCHEMA)


def study_with(**changes):
    entry = config()
    entry["studies"]["curves"].update(changes)
    return entry


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"figure": "universal", "figure_options": {}}, "figure universal does not tell apart values of ridge"),
        (
            {"figure": "learning_curves", "figure_options": {}, "ridges": [0.0]},
            "does not tell apart values of noise_std",
        ),
        ({"figure_options": {"x": "ridge", "group": "noise_std"}}, "does not tell apart values of target"),
        (
            {"figure_options": {"x": "train_size", "group": "target", "panel": "ridge", "measures": ["nmse", "r2"]}},
            "panel: ridge draws one measure in all panels",
        ),
        ({"kernel": "nngp"}, "studies.curves: kernel: nngp with widths"),
        ({"ridges": [0.1, 1.0]}, "networks are trained without a ridge; add 0.0 to ridges"),
        ({"figure": "covariance", "figure_options": {}}, "figure covariance draws an experiment, not a study"),
    ],
)
def test_what_a_figure_or_a_network_cannot_show_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        check_meaning(checked(study_with(**changes), SCHEMA))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernels": ["nngp"]}, "width: 8 with kernels .*nngp.*: trained networks follow the ntk"),
        ({"network_sizes": [4, 5]}, r"network_sizes: \[5\] are not among the train_sizes"),
        ({"grid": {"kind": "gaussian", "length": [1.0, 2.0]}}, "width: 8 with net-length1.0, which is a kernel only"),
        ({"train_sizes": [4, 99]}, "train_sizes: 99 is larger than domain 'cube'"),
    ],
)
def test_a_selection_that_cannot_be_confirmed_is_refused(changes, message):
    entry = config()
    options = {"domain": "cube", "target": {"parity": 1}, "grid": {"depth": [1, 2]}, "train_sizes": [4], "width": 8}
    entry["experiments"] = {"which": {"kind": "select", "options": {**options, **changes}}}
    entry["studies"]["curves"]["figure_options"] = {"x": "train_sice"}
    with pytest.raises(ValueError, match=message):
        check_meaning(checked(entry, SCHEMA))


def test_names_of_a_grid_stay_in_the_results_folder():
    entry = config()
    entry["architectures"]["mine"] = {"kind": "callable", "path": ["../../a.py", "b.py"], "allow_code": True}
    with pytest.raises(ValueError, match="architectures: a grid makes 'mine-../../a.py', and names are parts of files"):
        checked(entry, SCHEMA)


def test_cells_of_one_domain_and_architecture_read_the_same_files():
    cells = {
        "vary": {"train_sizes": [[2], [4]]},
        "options": {"domain": "cube", "architecture": "relu1", "target": {"parity": 1}},
    }
    entry = config()
    entry["experiments"] = {
        "measured": {"kind": "estimators", **cells},
        "nngp": {"kind": "spectra", "options": {"domain": "cube", "architecture": "relu1", "kernel": "nngp"}},
        "power_law": {"kind": "deep_bootstrap", "options": {"train_sizes": [4], "decades": [0, 1]}},
    }
    found = experiments_from(checked(entry, SCHEMA))
    assert {found["measured"].reads(cell, "values") for cell in found["measured"].cells} == {("cube", "relu1", "ntk")}
    assert {found["measured"].reads(cell, "eigenvalues") for cell in found["measured"].cells} == {None}
    assert found["nngp"].reads("all", "eigenvalues") == ("cube", "relu1", "nngp")
    assert found["power_law"].reads("all", "values") is None
    entry["experiments"]["measured"]["options"]["files"] = {}
    with pytest.raises(ValueError, match="unknown option 'files'"):
        check_meaning(checked(entry, SCHEMA))


def test_cells_never_share_a_file():
    entry = config()
    entry["experiments"]["spectra"]["vary"] = {"max_mode": ["a/b", "a-b", {"x": 1}, {"x": 2}], "kernel": ["n", "b,n"]}
    cells = experiments_from(checked(entry, SCHEMA))["spectra"].cells
    assert len(cells) == 8 and all("/" not in name for name in cells)


def test_a_cell_keeps_its_file_whatever_the_order_of_keys():
    entry = config()
    names = set(experiments_from(checked(entry, SCHEMA))["spectra"].cells)
    vary = entry["experiments"]["spectra"]["vary"]
    entry["experiments"]["spectra"]["vary"] = dict(reversed(vary.items()))
    assert set(experiments_from(checked(entry, SCHEMA))["spectra"].cells) == names


def test_a_domain_is_built_once(monkeypatch):
    """A data set shared by studies and experiments is read once while the configuration is checked."""
    built = []
    original = sizes.domain_from
    monkeypatch.setattr(sizes, "domain_from", lambda entry: built.append(entry) or original(entry))
    check_meaning(checked(config(), SCHEMA))
    assert len(built) == len(config()["domains"])


def varied(vary, figure="comparison", kind="gradient_norm", **figure_options):
    """An experiment on the ring that varies something."""
    fixed = {"domain": "ring", "architecture": "relu1", "target": {"cosine": 1}, "width": 8, "train_sizes": [2, 4]}
    if kind == "kappa_fluctuation":
        fixed = {"domain": "ring", "architecture": "relu1", "targets": [{"cosine": 1}], "train_sizes": [2, 4]}
    options = {key: value for key, value in fixed.items() if key not in vary}
    entry = config()
    entry["experiments"] = {
        "varied": {"kind": kind, "vary": vary, "options": options, "figure": figure, "figure_options": figure_options}
    }
    return entry


VARIED = [
    ({"target": [{"cosine": 1}, {"sine": 2}]}, ["cosine 1", "sine 2"]),
    ({"train_sizes": [[2], [2, 4]]}, ["2", "2, 4"]),
    ({"targets": [[{"cosine": 1}], [{"sine": 2}, {"cosine": 2}]]}, ["cosine 1", "sine 2, cosine 2"]),
    ({"training": [None, {"method": "sgd", "max_steps": 5}]}, ["none", "max_steps 5, method sgd"]),
    ({"width": [8, 16]}, [8, 16]),
]


@pytest.mark.parametrize(("vary", "labels"), VARIED)
def test_what_is_varied_has_a_column_of_plain_values(vary, labels, tmp_path):
    """Whatever is varied, each cell's label is one text or number, which its table holds in every row."""
    from learnability.common.store import read_frame, write_frame

    ((key, _),) = vary.items()
    cells = experiments_from(checked(varied(vary), SCHEMA))["varied"].cells
    assert [cell[key] for _, cell in cells.values()] == labels
    for number, (_, cell) in enumerate(cells.values()):
        write_frame(tmp_path / "cell.h5", pd.DataFrame({"mean": [1.0, 2.0, 3.0]}).assign(**cell), {})
        assert read_frame(tmp_path / "cell.h5")[key].tolist() == [labels[number]] * 3


def test_a_number_that_is_missing_in_a_cell_is_a_gap():
    cells = experiments_from(checked(varied({"width": [None, 8]}), SCHEMA))["varied"].cells
    assert np.isnan([labels["width"] for _, labels in cells.values()]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (varied({"target": [{"cosine": 1}, {"sine": 2}]}, x="train_size"), "does not tell apart values of target"),
        (varied({"width": [8, 16]}, x="train_size"), "does not tell apart values of width"),
        (
            varied({"targets": [[{"cosine": 1}], [{"sine": 2}]]}, kind="kappa_fluctuation", x="train_size"),
            "does not tell apart values of target",
        ),
        (varied({"width": [8, 8]}, x="train_size", group="width"), "varied.vary.width"),
        (varied({"target": ["cosine"]}, x="train_size"), "target 'cosine' is no mapping"),
        (
            varied({}, figure="select"),
            "figure select does not draw an experiment of kind gradient_norm",
        ),
        (varied({"train_sizes": [[2, 2]]}, x="train_size"), "train_sizes: 2 is repeated"),
        (varied({"train_sizes": [4]}, x="train_size"), r"train_sizes: 4 is no list; write \[4\]"),
    ],
)
def test_an_experiment_whose_figure_would_mix_its_cells_is_refused(entry, message):
    with pytest.raises(ValueError, match=message):
        check_meaning(checked(entry, SCHEMA))


def test_targets_that_are_told_apart_are_drawn_one_by_one():
    entry = varied({"target": [{"cosine": 1}, {"sine": 2}]}, x="train_size", group="target")
    assert check_meaning(checked(entry, SCHEMA))[0] == []


@pytest.mark.parametrize("kernels", [{"kernels": ["ntk", "ntk"]}, {"train_sizes": [4, 4]}, {"grid": {"depth": [1, 1]}}])
def test_a_selection_says_nothing_twice(kernels):
    entry = config()
    options = {"domain": "cube", "target": {"parity": 1}, "grid": {"depth": [1, 2]}, "train_sizes": [4]}
    entry["experiments"] = {"which": {"kind": "select", "options": {**options, **kernels}}}
    with pytest.raises(ValueError, match="is repeated; write it once"):
        check_meaning(checked(entry, SCHEMA))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": "train_sice", "group": "target", "panel": "ridge"}, "unknown figure_options.x 'train_sice'"),
        (
            {"x": "train_size", "group": "target", "panel": "ridge", "measures": ["test_msee"]},
            "did you mean 'test_mse'",
        ),
        ({"x": "train_size", "group": "target", "panel": "ridge", "select": {"noise_std": 0.3}}, "no noise_std 0.3"),
        (
            {"x": "train_size", "group": "target", "panel": "ridge", "select": {"noise": 0.2}},
            "figure_options.select 'noise'",
        ),
    ],
)
def test_a_comparison_of_what_is_not_in_the_table_is_refused(options, message):
    entry = study_with(figure_options={"measures": ["test_mse"], **options})
    with pytest.raises(ValueError, match=message):
        check_meaning(checked(entry, SCHEMA))


def test_networks_that_are_not_trained_have_no_width_to_draw():
    options = {"x": "width", "group": "target", "panel": "ridge", "measures": ["nmse"]}
    entry = study_with(widths=[], figure_options={**options, "select": {"noise_std": 0.2, "train_size": 4}})
    with pytest.raises(ValueError, match="figure_options.x: width without widths"):
        check_meaning(checked(entry, SCHEMA))
