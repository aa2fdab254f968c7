"""Jobs ask for the memory and time that their domains need, whatever these were made from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from learnability.domains import data
from learnability.studies import requests
from learnability.studies.configuration import Experiment, studies_from
from learnability.studies.costs import network_seconds
from learnability.studies.cutting import seed_seconds
from learnability.studies.job import Job
from learnability.studies.plan import plan
from learnability.studies.schema import load_config, load_schema
from learnability.studies.sizes import Sizes, measured
from learnability.studies.validation import check_meaning, checked

ROOT = Path(__file__).parent.parent
SCHEMA = load_schema(ROOT / "config" / "schema.yaml")
STUDY = {"figure": "learning_curves", "architectures": ["net"], "targets": [{"all": None}], "train_sizes": [4, 16]}


def prepared(domain, **study):
    """A study on a domain, the domain's size, and all sizes."""
    config = {
        "domains": {"own": domain},
        "architectures": {"net": {"depth": 2, "activation": "relu"}},
        "studies": {"one": {**STUDY, "domain": "own", **study}},
    }
    config = checked(config, SCHEMA)
    _, sizes = check_meaning(config)
    return studies_from(config, sizes.outputs)["one"], sizes.domains["own"], sizes


@pytest.fixture
def table(tmp_path):
    """A table of 20,000 rows, ten classes, of which a study takes 100."""
    x = np.random.default_rng(0).standard_normal((20_000, 20))
    pd.DataFrame(x).assign(y=np.arange(len(x)) % 10).to_csv(tmp_path / "table.csv", index=False)
    return {"kind": "data", "path": str(tmp_path / "table.csv"), "samples": 100}


def test_a_large_file_of_which_few_samples_are_taken_is_asked_for_as_a_whole(table):
    study, size, _ = prepared(table)
    assert (size.points, size.dim, size.matrix, size.alike) == (100, 20, 100, False)
    whole = 20_000 * 21 * 8
    assert 2 * whole < size.loading and size.held < size.loading
    for asked in (requests.kernel_mb(size), requests.theory_mb(study, size), requests.regression_mb(study, size)):
        assert asked >= requests.BASE_MB + 2 * whole / 1e6


def test_the_outputs_of_a_file_of_ten_classes_are_counted(table):
    study, size, sizes = prepared(table, widths=[50])
    assert study.outputs == 10 and sizes.outputs == {"one": 10}
    two, size_of_two, _ = prepared({**table, "classes": [3, 7]}, widths=[50])
    assert two.outputs == 1 and size_of_two.points == size.points
    job = ("net", 50, [64], 2)
    assert requests.networks_seconds(study, *job) > 3 * requests.networks_seconds(two, *job)
    assert requests.networks_mb(study, size, *job) > requests.networks_mb(two, size_of_two, *job)
    slow, _, _ = prepared(table, widths=[50], training={"method": "gradient_descent"})
    assert seed_seconds(slow, "net", 50, 64) > 3 * seed_seconds(two, "net", 50, 16)


def test_points_of_a_large_cube_are_counted_where_functions_are_measured_and_not_where_a_profile_does():
    parities = {"targets": [{"parity": 2}], "widths": [50]}
    (small, size8, _), (large, size14, _) = (prepared({"kind": "hypercube", "dim": d}, **parities) for d in (8, 14))
    assert (size8.points, size8.matrix) == (256, 256) and (size14.points, size14.matrix) == (1 << 14, 0)
    assert requests.spectrum_seconds(size14) == 0
    blocks = 8 * (1 << 14) * 16 / 1e6
    assert requests.regression_mb(large, size14) > requests.BASE_MB + requests.GRID_MB + 3 * blocks
    job = ("net", 50, [4, 16], 30)
    values = 4 * 60 * ((1 << 14) - 256) / 1e6
    assert requests.networks_mb(large, size14, *job) - requests.networks_mb(small, size8, *job) > 4 * values
    assert requests.regressions_seconds(large, size14) > 1.5 * requests.regressions_seconds(small, size8)


def test_known_images_ask_for_what_their_reader_takes(monkeypatch):
    """Measured: 38.5 MB at 3,000 rows of 784 pixels and a label, two float64 copies and a little."""
    monkeypatch.setattr(data, "_named", lambda name, folder: (np.eye(50, 784, dtype=np.uint8), np.arange(50) % 10))
    _, size = measured({"kind": "data", "name": "mnist", "samples": 20})
    assert size.loading == 2 * 8 * 70_000 * 785 and size.held < 1e6 and requests.kernel_mb(size) > 1300


def test_sizes_reach_jobs_as_text(table):
    *_, sizes = prepared(table)
    assert Sizes.from_json(sizes.to_json()) == sizes


def test_a_cell_asks_for_what_its_size_needs():
    """Memory grows with the domain's matrix and with the networks."""
    domains = {"cube": {"kind": "hypercube", "dim": 4}, "digits": {"kind": "data", "name": "digits"}}
    sizes = Sizes({name: measured(entry)[1] for name, entry in domains.items()}, {})

    def megabytes(kind="covariance", **options):
        names = {"domain": options["domain"]} if "domain" in options else {}
        return requests.cell_mb(Experiment("one", kind, kind, {"all": (options, {})}, {"all": names}), "all", sizes)

    net = {"depth": 4}
    small = megabytes(domain="cube", architecture=net, train_sizes=[16])
    held = sizes.domains["digits"].held / 1e6
    assert megabytes(domain="digits") - small == pytest.approx(4 * 8 * 1797**2 / 1e6 + held, abs=2)
    assert megabytes("large_spectrum", domain="digits", memory_mb=500) - megabytes(domain="digits") == 500
    assert megabytes(dim=12) - small == pytest.approx(4 * 8 * 4096**2 / 1e6, abs=2)
    wide = [megabytes(architecture=net, width=width, train_sizes=[16]) for width in (None, 10, 3000)]
    assert wide[0] < wide[1] < wide[2] and wide[2] - small > 5 * 4 * 3 * 3000**2 / 1e6


def test_each_retry_asks_for_twice_as_much_and_larger_jobs_for_more(monkeypatch):
    monkeypatch.chdir(ROOT)
    config = checked(load_config("config/paper.yaml"), SCHEMA)
    _, sizes = check_meaning(config)
    jobs = plan(config, sizes).job
    kernel = {"architecture": "relu4", "suffix": ""}
    block = {"study": "images_classes", "architecture": "relu4", "width": 500, "smallest": 8, "largest": 8}
    large = {**block, "study": "learning_curves_hypercube", "smallest": 64, "largest": 64}
    seeds = {"first": 0, "last": 4}
    pairs = {
        "kernel": (jobs("kernel", domain="digits", **kernel), jobs("kernel", domain="circle10", **kernel)),
        "theory": [jobs("theory", study=study, architecture="relu4") for study in ("images_classes", "own_data")],
        "regression": [
            jobs("regression", study=study, architecture="relu4") for study in ("images_classes", "images_binary")
        ],
        "networks": (jobs("networks", **{**large, "largest": 256}, **seeds), jobs("networks", **large, **seeds)),
        "width": (jobs("networks", **{**block, "width": 4000}, **seeds), jobs("networks", **block, **seeds)),
    }
    for what, (more, less) in pairs.items():
        for job in (more, less):
            for asked in (job.memory_mb, job.runtime):
                tries = [asked(attempt) for attempt in (1, 2, 3)]
                assert tries == [tries[0], 2 * tries[0], 4 * tries[0]] and isinstance(tries[0], int) and tries[0] > 0
        asked = Job.memory_mb if what in ("kernel", "width") else Job.runtime
        assert asked(more) > asked(less), what


def test_measuring_gives_the_same_domain():
    domain, size = measured({"kind": "sphere", "dim": 4})
    assert size.points == len(domain.evaluation()[0]) and size.matrix == 0 and size.loading >= size.held > 0


def test_estimated_times_of_training_are_near_the_measured_ones(data):
    """Within a factor of 1.5 for nine in ten of the measured ensembles; no time is measured here."""
    measured = pd.read_csv(data / "training_seconds.csv")
    sizes = measured[["depth", "width", "train_size", "outputs"]].itertuples(index=False)
    factor = np.array([network_seconds(*size) for size in sizes]) / measured["seconds"]
    assert (np.abs(np.log(factor)) < np.log(1.5)).mean() > 0.9
    assert 0.9 < np.exp(np.log(factor).mean()) < 1.1
