"""What the check passes can be planned and started: combinations of the registries on tiny sizes, and one real dry run."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from test_experiments import CELLS
from test_figures import study as synthetic_table

from learnability.domains import DOMAINS, domain_from, target_from
from learnability.domains.kernel_on_domain import KernelOnDomain
from learnability.ensembles.training.fit import fit
from learnability.experiments import EXPERIMENTS, experiment
from learnability.figures import FIGURES, drawing
from learnability.kernels import architecture_from, architectures
from learnability.measurements.networks import network_experiment
from learnability.measurements.regression import kernel_experiment
from learnability.studies.configuration import experiments_from, studies_from
from learnability.studies.cutting import training_jobs
from learnability.studies.labels import files_of
from learnability.studies.schema import load_schema
from learnability.studies.validation import check_meaning, checked
from learnability.tables.curve_sizes import curve_sizes, sample_curve_sizes
from learnability.tables.joined import joined
from learnability.tables.theory import study_table

ROOT = Path(__file__).parent.parent
SCHEMA = load_schema(ROOT / "config" / "schema.yaml")
SEVERAL = {"kind": "hypercube", "dim": 4}
PLACES = {  # a domain of every kind, data with one output and with several, and all targets that it has
    "cube": (SEVERAL, [{"parity": 1}, {"monomial": [0, 1]}, {"majority": 3}, {"conjunction": 2}, {"parity": 0}]),
    "table": (SEVERAL, [{"truth_table": "table.txt"}]),
    "table_by_path": (SEVERAL, [{"truth_table": {"path": "table.txt"}}]),
    "unlisted": ({"kind": "hypercube", "dim": 24, "test_points": 12}, [{"parity": 1}, {"monomial": [0, 1]}]),
    "ring": ({"kind": "circle", "points": 16}, [{"cosine": 1}, {"sine": 1}]),
    "sphere": ({"kind": "sphere", "dim": 4, "test_points": 12}, [{"harmonic": 1}, {"product": 2}]),
    "signs": ({"kind": "data", "path": "signs.npz"}, [{"all": None}]),
    "two_signs": ({"kind": "data", "path": "two_signs.npz", "labels": "raw"}, [{"all": None}]),
    "numbers": ({"kind": "data", "path": "numbers.npz"}, [{"all": None}]),
    "classes": ({"kind": "data", "path": "classes.npz"}, [{"all": None}]),
    "gaussian": ({"kind": "gaussian_samples", "dim": 3, "samples": 16}, [{"hermite": [1]}, {"power_law": 1.5}]),
    "mixture": ({"kind": "mixture_samples", "dim": 3, "classes": 2, "samples": 16}, [{"all": None}]),
    "mixture3": ({"kind": "mixture_samples", "dim": 3, "classes": 3, "samples": 16}, [{"all": None}]),
    "on_sphere": ({"kind": "sphere_samples", "dim": 3, "samples": 16}, [{"harmonic": 1}, {"product": 2}]),
}
NETS = {
    "fully_connected": {"depth": 1, "activation": "relu", "weight_std": 1.4, "bias_std": 0.1},
    "residual": {"kind": "residual", "depth": 2, "activation": "erf"},
    "sequential": {"kind": "sequential", "layers": ["dense", "relu", {"dense": {"weight_std": 1, "bias_std": 0}}]},
    "gaussian": {"kind": "gaussian", "length": 1.0},
    "laplace": {"kind": "laplace", "length": 1.0},
    "matern": {"kind": "matern", "length": 1.0, "nu": 1.5},
    "callable": {"kind": "callable", "path": "own.py", "allow_code": True},
    "torch_module": {"kind": "torch_module", "path": "models.py", "function": "linear", "allow_code": True},
    "infinite": {"kind": "infinite", "path": "models.py", "function": "plain", "allow_code": True},
}
MODELS = """
from torch import nn


class Padded(nn.Module):
    \"\"\"A linear function of points of any dimension: its kernel 1 + x.x' has the symmetries of every domain.\"\"\"

    def __init__(self):
        super().__init__()
        self.read = nn.Linear(16, 1)

    def forward(self, x):
        return self.read(nn.functional.pad(x, (0, 16 - x.shape[1])))


def linear():
    return Padded().double()


def plain():
    return nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1))
"""
STUDY_FIGURES = [figure for figure in FIGURES if figure not in EXPERIMENTS]


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """The files that the domains, targets and kernels are read from, in the folder that the tests run in."""
    folder = tmp_path_factory.mktemp("files")
    x = np.random.default_rng(0).standard_normal((16, 3))
    np.savetxt(folder / "table.txt", np.where(np.arange(16) % 3 == 0, 1.0, -1.0))
    np.savez(folder / "signs.npz", x=x, y=np.where(x[:, 0] > 0, 1.0, -1.0))
    np.savez(folder / "two_signs.npz", x=x, y=np.where(x[:, :2] > 0, 1.0, -1.0))
    np.savez(folder / "numbers.npz", x=x, y=x[:, :2] + x[:, 1:] ** 2)
    np.savez(folder / "classes.npz", x=x, y=np.arange(16) % 3)
    (folder / "models.py").write_text(MODELS)
    (folder / "own.py").write_text("def kernel(x, x2):\n    return 1 + x @ x2.T\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def configuration(place, target, net="fully_connected", **study):
    domain, _ = PLACES[place]
    options = {"x": "train_size", "group": "width"} if study.get("figure", "comparison") == "comparison" else {}
    entry = {
        "figure": "comparison",
        "domain": place,
        "architectures": [net],
        "targets": [target],
        "train_sizes": [2, 4],
    }
    entry |= {"seeds": 1, "network_seeds": 1, "figure_options": options, **study}
    if not entry.get("widths"):
        entry.pop("network_seeds")
    return {"domains": {place: domain}, "architectures": {net: NETS[net]}, "studies": {"one": entry}}


def passed(config):
    """The checked configuration, or None if the check refuses it."""
    try:
        complete = checked(config, SCHEMA)
        check_meaning(complete)
    except ValueError:
        return None
    return complete


def trained(architecture, width):
    return lambda x, y, points, seeds: fit(architecture_from(architecture), width, x, y, points, seeds, max_steps=2)


def started(study):
    """The joined table of a study: theory, kernel regression and networks of few steps on its smallest training set."""
    parts = []
    for name, entry in study.architectures.items():
        given = KernelOnDomain.of(study.domain, entry, study.kernel)
        targets = {label: target_from(given.domain, target) for label, target in study.targets.items()}
        n = study.train_sizes[:1]
        grid = study.ridges, study.noise_stds
        theory = study_table(given, targets, n, n, *grid, study.theory)
        parts.append((theory, {"architecture": name}))
        kernel = kernel_experiment(given.domain, targets, given.blocks, n, *grid, range(1))
        parts.append((kernel, {"source": "kernel", "architecture": name}))
        for width in study.widths:
            assert training_jobs(study, name, width)
            table, _, _ = network_experiment(
                given.domain, targets, n[0], study.noise_stds, range(1), trained(entry, width)
            )
            parts.append((table, {"source": "network", "architecture": name, "width": width}))
    return joined(parts)


def test_every_kind_is_combined():
    assert {domain["kind"] for domain, _ in PLACES.values()} == set(DOMAINS)
    assert {net.get("kind", "fully_connected") for net in NETS.values()} == set(architectures())
    for place, kind in (
        ("cube", "hypercube"),
        ("ring", "circle"),
        ("sphere", "sphere"),
        ("gaussian", "gaussian_samples"),
    ):
        listed = {name for entry in PLACES for name in _targets_of(entry) if PLACES[entry][0]["kind"] == kind}
        assert listed == set(DOMAINS[kind].targets), place


def _targets_of(place):
    return [name for target in PLACES[place][1] for name in target]


@pytest.mark.parametrize("place", PLACES)
def test_every_target_of_every_domain_is_predicted_measured_and_learned(place):
    for target in PLACES[place][1]:
        complete = passed(configuration(place, target, widths=[4]))
        assert complete is not None, target
        (study,) = studies_from(complete).values()
        outputs = np.asarray(
            target_from(domain_from(study.domain), target)(*domain_from(study.domain).sample(1, 0))
        ).size
        assert study.outputs in (1, outputs)
        table = started(study)
        assert set(table["source"]) >= {"theory", "kernel", "network"}
        assert table["test_mse"].notna().all()
        assert all(isinstance(path, str) for path in files_of(target))


@pytest.mark.parametrize("net", NETS)
def test_every_architecture_starts_where_the_check_passes_it(net):
    tried = 0
    for place, widths, kernel in product(("cube", "ring", "sphere", "numbers"), ([], [4]), ("ntk", "nngp")):
        complete = passed(configuration(place, PLACES[place][1][0], net, widths=widths, kernel=kernel))
        if complete is not None:
            (study,) = studies_from(complete).values()
            assert len(started(study))
            tried += 1
    assert tried >= 4


@pytest.mark.parametrize("figure", STUDY_FIGURES)
def test_every_figure_of_a_study_that_the_check_passes_draws_its_table(figure):
    """Whatever the domain and whether there are networks, one size or several, or only the size 0."""
    drawn = []
    for place, widths, sizes in product(("cube", "numbers"), ([], [4], [4, 8]), ([2, 4], [4], [0])):
        complete = passed(configuration(place, PLACES[place][1][0], figure=figure, widths=widths, train_sizes=sizes))
        if complete is None:
            continue
        (study,) = studies_from(complete).values()
        curve = (sample_curve_sizes if study.per_sample else curve_sizes)(study.measured_sizes)
        rows = synthetic_table([*study.targets], sizes)
        parts = [rows[rows["source"] == "kernel"]]
        theory = synthetic_table([*study.targets], np.union1d(curve[::8], sizes))
        parts.append(theory[theory["source"] == "theory"])
        rng = np.random.default_rng(0)
        for width in study.widths:
            networks = rows[rows["source"] == "network"]
            parts.append(networks.assign(width=width, learnability=rng.uniform(0.4, 0.6, len(networks))))
        table = pd.concat(parts, ignore_index=True)
        drawing(figure)(table, **study.figure_options).draw_without_rendering()
        drawn.append((place, widths, sizes))
    assert drawn


PLACES_OF_EXPERIMENTS = ("cube", "unlisted", "ring", "sphere", "signs", "two_signs", "mixture3")


def cell(kind, place, target):
    """A configuration of the tiny cell of a kind on another domain."""
    options, net = {**CELLS[kind], "domain": place}, "torch_module" if kind == "modules" else "fully_connected"
    smaller = {"train_sizes": [3, 6], "train_size": 5, "shown_sizes": [3], "regression_sizes": [3], "samples": 12}
    smaller |= {"target": target, "targets": [target], "architecture": net}
    smaller |= {"labels": 16, "test_points": 4, "mixed": 10, "seeds": 2, "kernels": ["ntk"], "grid": {"depth": [1, 2]}}
    options |= {key: value for key, value in smaller.items() if key in options}
    figure = {"figure": kind} if kind in FIGURES else {"figure": "comparison", "figure_options": {"x": "train_size"}}
    if kind == "optimizers":
        options["training"] = {"max_steps": 20}  # networks that have not converged are counted, and slow otherwise
    if kind == "select":
        options["width"] = 200  # of narrow networks some do not converge, and are slow
    if kind == "deep_bootstrap":
        figure["figure_options"] = {"x": "time", "group": "train_size"}
    return {
        "domains": {place: PLACES[place][0]},
        "architectures": {net: NETS[net]},
        "experiments": {"one": {"kind": kind, "options": options, **figure}},
    }


@pytest.mark.parametrize("kind", [kind for kind in EXPERIMENTS if "domain" in CELLS[kind]])
def test_every_experiment_starts_on_the_domains_that_the_check_passes(kind):
    tried = 0
    for place in PLACES_OF_EXPERIMENTS:
        complete = passed(cell(kind, place, PLACES[place][1][0]))
        if complete is not None:
            (options, _) = experiments_from(complete)["one"].cells["all"]
            assert len(experiment(kind)(**options)), place
            tried += 1
    assert tried


def test_an_experiment_on_a_domain_where_it_is_not_defined_says_where_it_is():
    with pytest.raises(ValueError, match="covariance is not defined on a domain of kind sphere; .* hypercube, circle"):
        check_meaning(checked(cell("covariance", "sphere", {"harmonic": 1}), SCHEMA))
    with pytest.raises(
        ValueError, match="kappa_fluctuation is defined for targets with one output, and all has several"
    ):
        check_meaning(checked(cell("kappa_fluctuation", "mixture3", {"all": None}), SCHEMA))


def test_what_the_check_passes_can_be_planned(files):
    """One dry run of studies with networks on every domain, with every target."""
    config = {"domains": {}, "architectures": {"fully_connected": NETS["fully_connected"]}, "studies": {}}
    for place, (domain, targets) in PLACES.items():
        config["domains"][place] = domain
        study = configuration(place, targets[0], widths=[4, 8])["studies"]["one"]
        options = {"x": "train_size", "group": "width", "panel": "target", "measures": ["nmse"]}
        config["studies"][place] = {**study, "targets": targets, "figure_options": options}
    (files / "every.yaml").write_text(yaml.safe_dump(config))
    command = [
        Path(sys.executable).parent / "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--configfile",
        "every.yaml",
    ]
    done = subprocess.run([*command, "--dry-run", "--quiet"], cwd=files, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
