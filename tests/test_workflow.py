"""Snakemake is run for real, on a copy of the repository, and its jobs are counted."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from learnability.tables.agreement import headlines

ROOT = Path(__file__).parent.parent
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
FOLDERS = ("config", "envs", "profiles", "report", "rules", "scripts", "learnability")


def copy_of_the_repository(place):
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", place)
    return place


def snakemake(place, *arguments, config="config/test.yaml"):
    command = [SNAKEMAKE, "--cores", "2", "--configfile", config, *arguments]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=400)


def planned(place, **options):
    """Jobs that a run would start, {rule: count}."""
    done = snakemake(place, "--dry-run", **options)
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout + done.stderr
    if "Nothing to be done" in text:
        return {}
    table = text.split("Job stats:")[1].split("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M) if name != "all"}


def results(place):
    kinds = (".h5", ".csv", ".png", ".svg", ".pdf")
    return {str(p.relative_to(place)): p.read_bytes() for p in (place / "results").rglob("*") if p.suffix in kinds}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = copy_of_the_repository(tmp_path_factory.mktemp("a rün, its pläce"))
    done = snakemake(place)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


@pytest.fixture
def run(finished, tmp_path):
    """A finished run of its own for every test; file times are kept."""
    place = tmp_path / "run"
    shutil.copytree(finished, place)
    return place


pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]


def test_all_files_are_there_and_a_second_run_does_nothing(run):
    for study in ("curves", "bars"):
        for form in ("pdf", "svg", "png"):
            assert (run / f"results/figures/{study}.{form}").stat().st_size > 1000
        assert (run / f"results/studies/{study}.csv").exists() and (run / f"results/studies/{study}.h5").exists()
    agreement = (run / "results/agreement.csv").read_text()
    assert "curves,kernel," in agreement and "bars,network," in agreement
    assert planned(run) == {}


def test_a_run_says_what_is_left(run):
    (log,) = (run / ".snakemake" / "log").glob("*.log")
    lines = re.findall(r"^(\d+) of 29 jobs, about [\d.]+ (?:seconds|minutes) left$", log.read_text(), re.M)
    assert lines and lines[0] == "1"


def test_the_report_holds_figures_tables_and_captions_and_needs_no_network(run):
    done = snakemake(run, "--report", "results/report.html")
    assert done.returncode == 0, done.stderr
    page = (run / "results" / "report.html").read_text()
    assert not re.search(r'(src|href)="https?://[^"]*\.(js|css|png|woff2?)"', page)
    assert all(f"results/figures/{name}.png" in page for name in ("curves", "bars", "spectra"))
    assert "results/agreement.csv" in page and "median relative difference" in page


def test_the_report_opens_with_a_figure_and_its_agreement(run, browser):
    done = snakemake(run, "--report", "results/report.html")
    assert done.returncode == 0, done.stderr
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto((run / "results" / "report.html").as_uri())
    figure = tab.locator(".prose img")
    tab.wait_for_function("() => document.querySelector('.prose img')?.naturalWidth > 0")
    tab.wait_for_selector("#rulegraph canvas, #rulegraph svg")
    top = {name: tab.locator(name).first.bounding_box()["y"] for name in (".prose img", ".prose li", "#rulegraph")}
    assert 0 <= top[".prose img"] < top[".prose li"] < top["#rulegraph"] and figure.get_attribute("alt").endswith(
        "curves"
    )
    agreements = pd.read_csv(run / "results" / "agreement.csv")
    found = tab.locator(".prose li").all_inner_texts()
    for study, part in agreements.groupby("study"):
        assert {f"{study}: {line}" for line in headlines(part)} <= set(found)
    assert any(line.startswith("curves: kernel regression, test_mse: median") for line in found)
    tab.close()


def test_the_numbers_of_a_caption_are_those_of_the_agreement(run):
    agreements = pd.read_csv(run / "results" / "agreement.csv")
    part = agreements.query("study == 'curves' and source == 'kernel' and measure == 'test_mse'")
    relative = part["relative"].abs()
    text = (run / "results" / "figures" / "curves.rst").read_text()
    expected = (
        f"- kernel regression, test_mse: {len(part)} means; {(part['z'].abs() <= 3).sum()} of {part['z'].notna().sum()} within "
        f"3 standard errors of theory; median relative difference {100 * relative.median():.3g} %, largest {100 * relative.max():.3g} %"
    )
    assert expected in text


def test_cells_and_studies_share_kernels_and_spectra(tmp_path):
    """Four cells on two domains; studies on the same two with the same architecture, and one more."""
    place = copy_of_the_repository(tmp_path)
    config = yaml.safe_load((place / "config/test.yaml").read_text())
    config["experiments"]["again"] = {**config["experiments"]["spectra"], "options": {"max_mode": 2}}
    (place / "config/again.yaml").write_text(yaml.safe_dump(config))
    jobs = planned(place, config="config/again.yaml")
    assert (jobs["kernel"], jobs["spectrum"], jobs["cell"]) == (3, 3, 4)


def test_one_more_seed_trains_that_seed_only(run):
    config = yaml.safe_load((run / "config/test.yaml").read_text())
    config["studies"]["curves"]["network_seeds"] += 1
    (run / "config/more.yaml").write_text(yaml.safe_dump(config))
    jobs = planned(run, config="config/more.yaml")
    assert jobs == {"networks": 3, "join": 1, "agreement": 1, "figure": 1}  # one seed at each of three sizes


def edit(path, old, new):
    text = path.read_text()
    assert old in text, path
    path.write_text(text.replace(old, new, 1))


def test_words_rerun_nothing(run):
    """Comments, docstrings, messages, annotations, progress and formats of files decide no number."""
    errors = run / "learnability/common/errors.py"
    edit(errors, "Messages that teach", "Messages")
    edit(errors, "import math\n", "import math  # a comment\n")
    edit(errors, "must be a whole number", "has to be a whole number")
    edit(errors, "unknown {what}", "there is no {what}")
    edit(run / "learnability/common/progress.py", "LINE_EVERY = 10.0", "LINE_EVERY = 20.0")
    edit(run / "learnability/common/store.py", "1 << 16", "1 << 17")
    edit(run / "scripts/train_networks.py", "One block of networks", "A block")
    edit(run / "scripts/job.py", "began after", "started after")
    assert planned(run) == {}


def test_a_changed_plot_redraws_only(run):
    edit(run / "learnability/figures/conservation.py", "size * 1.18", "size * 1.2")
    assert planned(run) == {"figure": 1}


def test_a_changed_equation_of_the_theory_retrains_nothing(run):
    edit(run / "learnability/theory/eigenlearning.py", "np.maximum(n - rank, 0) / n", "np.maximum(n - rank, 1) / n")
    assert planned(run) == {"theory": 3, "join": 2, "agreement": 1, "figure": 2}


def test_a_changed_trainer_retrains_only(run):
    edit(run / "learnability/ensembles/training/gradient_flow.py", "SAFETY = 0.9", "SAFETY = 0.8")
    assert planned(run) == {"networks": 7, "join": 2, "agreement": 1, "figure": 2}


def test_parameters_that_change_places_are_noticed(tmp_path):
    place = copy_of_the_repository(tmp_path)
    config = yaml.safe_load((place / "config/test.yaml").read_text())
    config["studies"]["curves"] |= {"ridges": [0.1], "noise_stds": [0.2], "widths": []}
    del config["studies"]["curves"]["network_seeds"], config["studies"]["bars"], config["experiments"]
    config["studies"]["curves"]["figure_options"] = {"x": "train_size", "measures": ["test_mse"], "group": "target"}
    (place / "config/one.yaml").write_text(yaml.safe_dump(config))
    theory = "results/theory/curves/relu1.h5"
    done = snakemake(place, "--", theory, config="config/one.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    config["studies"]["curves"] |= {"ridges": [0.2], "noise_stds": [0.1]}
    (place / "config/one.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(place, "--dry-run", "--", theory, config="config/one.yaml")
    assert re.search(r"^theory +1$", done.stdout + done.stderr, re.M), done.stdout + done.stderr


def test_a_changed_parameter_reruns_its_users_only(run):
    config = yaml.safe_load((run / "config/test.yaml").read_text())
    config["architectures"]["tanh2"]["bias_std"] = 0.2
    (run / "config/other.yaml").write_text(yaml.safe_dump(config))
    jobs = planned(run, config="config/other.yaml")
    assert jobs["kernel"] == 1 and jobs["networks"] == 2 and jobs["join"] == 1


def test_block_size_and_threads_are_no_parameters_of_a_network(run):
    config = yaml.safe_load((run / "config/test.yaml").read_text())
    config["training"]["threads"] = 2
    (run / "config/other.yaml").write_text(yaml.safe_dump(config))
    assert planned(run, config="config/other.yaml") == {}


def test_jobs_that_ask_for_a_gpu_share_three_devices_without_meeting(tmp_path, monkeypatch):
    place = copy_of_the_repository(tmp_path / "run")
    config = yaml.safe_load((place / "config/test.yaml").read_text())
    config["training"]["gpus"] = 1
    (place / "config/gpus.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    files = [f"results/networks/curves/relu1/width16/n{n}-{n}/seeds0-1.h5" for n in (2, 4, 8)]
    done = snakemake(place, "--resources", "gpu=3", "--", *files, config="config/gpus.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    held = {}
    for log in (place / "logs" / "networks").rglob("*.log"):
        ((begin, device),) = re.findall(r"^(\S+ \S+) GPU (\d) of 0, 1, 2$", log.read_text(), re.M)
        (end,) = re.findall(r"^(\S+ \S+) trained in ", log.read_text(), re.M)  # still holding it
        held.setdefault(device, []).append((begin, end))
    assert sum(map(len, held.values())) == 3
    for times in map(sorted, held.values()):
        assert all(end <= begin for (_, end), (begin, _) in zip(times, times[1:], strict=False))


def test_a_changed_data_file_or_kernel_reruns_its_users(tmp_path):
    place = copy_of_the_repository(tmp_path / "run")
    (place / "table.csv").write_text("a,b,y\n" + "\n".join(f"{i},{i * i % 7},{i % 3 * 0.5}" for i in range(12)))
    (place / "mine.py").write_text("def kernel(x, x2):\n    return (1 + x @ x2.T) ** 2\n")
    study = {"figure": "comparison", "figure_options": {"x": "train_size", "group": "architecture"}}
    study |= {"train_sizes": [2, 4], "seeds": 2}
    entry = {
        "domains": {"own": {"kind": "data", "path": "table.csv"}, "ring": {"kind": "circle", "points": 6}},
        "architectures": {
            "net": {"depth": 1, "activation": "relu"},
            "mine": {"kind": "callable", "path": "mine.py", "allow_code": True},
        },
        "studies": {"own": {**study, "domain": "own", "architectures": ["net", "mine"], "targets": [{"label": "y"}]}},
        "experiments": {"spectra": {"kind": "spectra", "options": {"domain": "ring", "architecture": "mine"}}},
    }
    entry["experiments"]["spectra"] |= {"figure": "comparison", "figure_options": {"x": "mode"}}
    (place / "config/own.yaml").write_text(yaml.safe_dump(entry))
    done = snakemake(place, config="config/own.yaml")
    assert done.returncode == 0, done.stdout + done.stderr  # a study without networks: theory and kernel only
    assert planned(place, config="config/own.yaml") == {}
    (place / "mine.py").write_text((place / "mine.py").read_text() + "\n# a comment\n")
    of_kernel = {"kernel": 2, "spectrum": 2, "theory": 1, "regression": 1, "cell": 1}  # of mine, not of net
    together = {"join": 1, "join_experiment": 1, "agreement": 1, "figure": 2}
    assert planned(place, config="config/own.yaml") == {**of_kernel, **together}
    (place / "table.csv").write_text((place / "table.csv").read_text().replace("3,2,", "3,5,"))
    of_data = {"kernel": 3, "spectrum": 3, "theory": 2, "regression": 2}
    assert planned(place, config="config/own.yaml") == {**of_kernel, **together, **of_data}


def test_deleted_files_come_back_to_the_same_bytes(run):
    before = results(run)
    deleted = [*sorted((run / "results/networks/curves").rglob("*.h5"))[:1], run / "results/theory/curves/relu1.h5"]
    for path in [*deleted, run / "results/studies/curves.csv"]:
        path.unlink()
    done = snakemake(run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(run) == before


def test_an_intermediate_file_of_a_complete_study_is_not_made_again(run):
    for path in [*(run / "results/networks").rglob("*.h5"), run / "results/theory/curves/relu1.h5"]:
        path.unlink()
    assert planned(run) == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("activation: relu,", "activation: rleu,", "unknown activation 'rleu'; did you mean 'relu'"),
        ("ridges: [0.0, 0.1]", "ridges: [0.0, -0.1]", "studies.curves.ridges.1: -0.1 is not allowed"),
        ("train_sizes: [2, 4, 8]", "train_sizes: [2, 32]", "32 is larger than domain 'cube', which has 16 points"),
        ("seeds: 5", "sedes: 5", "unknown key 'sedes'; did you mean 'seeds'"),
    ],
)
def test_wrong_input_stops_before_any_job(tmp_path, old, new, message):
    place = copy_of_the_repository(tmp_path / "run")
    text = (place / "config/test.yaml").read_text()
    assert old in text
    (place / "config/wrong.yaml").write_text(text.replace(old, new, 1))
    done = snakemake(place, config="config/wrong.yaml")
    output = done.stdout + done.stderr
    assert done.returncode != 0 and message in output
    assert "Traceback" not in output and not (place / "results").exists()


def test_a_missing_configuration_is_named(tmp_path):
    place = copy_of_the_repository(tmp_path / "run")
    done = snakemake(place, config="config/nowhere.yaml")
    assert done.returncode != 0 and "nowhere.yaml" in done.stdout + done.stderr
