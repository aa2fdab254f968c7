"""The page about a GPU, on a GPU that is none and in an environment of six packages."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePath

import pytest
import torch
from fake_gpu import fake_gpu
from packaging.requirements import Requirement

from benchmarks import machine
from benchmarks.checks import CHECKS
from benchmarks.compared import compared, processor
from benchmarks.jobs import by_part, overhead
from benchmarks.measured import NETWORK, problem
from benchmarks.operators import OperatorCount
from benchmarks.page import Page
from benchmarks.progress import progress
from benchmarks.ranking import COMPARED, cost, table
from learnability.ensembles.networks import Ensemble
from learnability.ensembles.training.fit import block_size, fit

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_must_hold_on_any_device(check):
    with fake_gpu():
        check("cuda")


def test_a_benchmark_says_what_became_slower_what_is_new_and_what_is_missing(tmp_path):
    committed = tmp_path / "a-processor.csv"
    committed.write_text("what,seconds\na,1.0\nb,1.0\nc,1.0\ngone,1.0\n", encoding="utf-8")
    measured = [{"what": w, "seconds": s} for w, s in (("a", 1.09), ("b", 1.11), ("c", 0.5), ("d", 1.0))]
    verdicts = {row["what"]: row["verdict"] for row in compared(measured, committed)}
    assert verdicts == {"a": "", "b": "slower", "c": "faster", "d": "new", "gone": "missing"}
    assert {row["verdict"] for row in compared(measured, tmp_path / "another-processor.csv")} == {""}


def named(name, *rows):
    def measurement():
        return [*rows]

    measurement.__name__ = name
    return measurement


def test_all_times_are_one_table_beside_the_committed_ones_of_the_same_processor(tmp_path, monkeypatch, capsys):
    start, kernel = {"what": "a start", "seconds": 2.0}, {"what": "a kernel", "seconds": 1.0}
    classes = {"what": "ten classes", "seconds": 1.0, "steps": 9}
    training = {"part": "networks: training", "jobs": 1, "seconds": 3.0, "share": 1.0}
    cell = {"train_size": 32, "degree": 1, "gradient_flow_seconds": 1.0, "gradient_descent_seconds": 9.0, "ratio": 9.0}
    ensemble = {"depth": 4, "width": 50, "train_size": 8, "outputs": 10, "degree": 0, "seconds": 1.0, "ratio": 1.2}
    tables = {"starts": start, "figures": training, "kernels": kernel, "ensembles": {"networks": 1}, "trainers": cell}
    tables |= {"several_outputs": classes, "costs": ensemble}
    monkeypatch.setattr(machine, "MEASUREMENTS", [named(name, row) for name, row in tables.items()])
    (tmp_path / f"{processor()}.csv").write_text("what,seconds\na start,1.0\na kernel,1.0\n", encoding="utf-8")
    written = machine.write_summary(tmp_path / "results", tmp_path)
    assert written.name == f"{processor()}.csv"
    names = [line.rsplit(",", 1)[0].strip('"') for line in written.read_text().splitlines()[1:]]
    assert names == [
        "make figures, all cores' time",
        "make figures, networks: training",
        "gradient flow of a network, n = 32, k = 1",
        "gradient descent of a network, n = 32, k = 1",
        "ten classes",
        "a start",
        "a kernel",
        "training, 4 layers, width 50, n = 8, 10 outputs",
    ]
    page = (tmp_path / "results" / "summary.md").read_text()
    assert page.startswith(f"Machine: {processor()}, ") and "for 1 of 1 ensembles" in page
    assert "| a start | 2 | 1 | 2 | slower |" in page and "| a kernel | 1 | 1 | 1 |  |" in page
    assert "a start: slower, 2.00 times" in capsys.readouterr().out


def test_the_gpu_that_is_none_refuses_tensors_of_the_cpu():
    with fake_gpu():
        there = Ensemble.initial(NETWORK, 8, 4, [0], device="cuda")
        assert str(there.device) == "cuda:0"
        with pytest.raises(RuntimeError, match="one device"):
            there.forward(torch.ones(3, 8))


def test_memory_that_pytorch_keeps_from_earlier_tensors_counts_as_free(monkeypatch):
    x, y = torch.ones(1, 16, 8), torch.ones(1, 16, 1)

    def networks(free, kept):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 1 << 40))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: kept + 1000)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 1000)
        return block_size(NETWORK, 500, x, y, x[0], torch.float32, "cuda")

    assert networks(1 << 30, 0) == networks(1 << 28, 3 << 28) > networks(1 << 28, 0)


@pytest.mark.parametrize(
    ("method", "most"),
    [
        ({"method": "gradient_flow"}, 3),  # what became of a step, whether one nears its end, the error code of eigh
        ({"method": "gradient_descent"}, 1),
        ({"method": "sgd", "batch_size": 8}, 1),
    ],
    ids=repr,
)
def test_what_the_host_waits_for_in_a_step(method, most):
    settings = {"max_steps": 12, "times": [0.5, 1.0, 2.0, 4.0], **method}
    with OperatorCount() as count:
        steps = fit(NETWORK, 16, *problem([3], 8, range(3)), **settings).steps.max()
    at_the_ends = 15  # of the whole: the first step size, the results' way to the CPU
    assert steps == 12 and count.waits.total() <= most * steps + at_the_ends
    if method["method"] != "sgd":  # there are no gradients on the GPU that is none
        with fake_gpu() as reads:
            fit(NETWORK, 16, *problem([3], 8, range(3)), device="cuda", **settings)
        assert most * steps <= reads.total() <= most * steps + at_the_ends


SMALL = """
import sys
from pathlib import Path, PurePath
from benchmarks import gpu
gpu.WIDTH, gpu.POINTS, gpu.SEEDS = 16, 50, (1, 2)
gpu.TRAIN_SIZES, gpu.SWEEP_WIDTHS, gpu.SWEEP_SIZES, gpu.SWEEP_STEPS = (1, 2), (20,), (4,), 50
gpu.ENSEMBLES, gpu.STEPS = gpu.ENSEMBLES[:1], gpu.STEPS[:1]
gpu.write_page(Path(sys.argv[1]), 10)
"""


def closure(*names):
    """The distributions that these need."""
    found, waiting = {}, list(names)
    while waiting:
        name = waiting.pop()
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        needed = [Requirement(line) for line in found[name].requires or []]
        waiting += [
            r.name for r in needed if r.name not in found and (r.marker is None or r.marker.evaluate({"extra": ""}))
        ]
    return found.values()


def locations(distributions):
    """What lies at the top of these distributions, {name: path}; those of CUDA share one folder, `nvidia`."""
    tops = ((package, file.parts[0]) for package in distributions for file in package.files)
    return {name: package.locate_file(name) for package, name in tops if name not in ("..", "__pycache__")}


def test_a_folder_that_distributions_share_is_linked_once():
    class Shared:
        def __init__(self, module):
            self.files = [PurePath("nvidia", module), PurePath("..", "bin", module), PurePath(f"{module}.dist-info")]

        def locate_file(self, path):
            return Path("/packages") / path

    names = locations([Shared("cublas"), Shared("cudnn")])
    assert names.keys() == {"nvidia", "cublas.dist-info", "cudnn.dist-info"} and names["nvidia"] == Path(
        "/packages/nvidia"
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page, with small sizes, in an environment of PyTorch, NumPy, SciPy, h5py, jaxtyping and threadpoolctl."""
    packages, folder = tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("page")
    for name, location in locations(closure("torch", "numpy", "scipy", "h5py", "jaxtyping", "threadpoolctl")).items():
        (packages / name).symlink_to(location)
    environment = {**os.environ, "PYTHONPATH": f"{packages}:{ROOT}:{ROOT / 'scripts'}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-S", "-c", SMALL, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (packages / "pandas").exists() and (packages / "torch").exists()
    return (folder / "gpu.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.xdist_group("page of benchmarks")
def test_every_part_of_the_page_is_measured_with_six_packages(page):
    parts = page.split("\n## ")[1:]
    assert len(parts) == 9 and all("\n| --- |" in part for part in parts)
    assert "failed" not in page and "Left out" not in page and "Stopped" not in page
    assert page.count("| passed |") == len(CHECKS)


@pytest.mark.slow
@pytest.mark.xdist_group("page of benchmarks")
def test_the_page_says_what_was_trained(page):
    assert "2 of 2 seeds: 16 networks" in page  # two sizes, four targets
    assert "the CPU takes its place" in page or torch.cuda.is_available()


def test_a_part_without_time_says_what_it_left_out_and_one_that_fails_does_not_end_the_page(tmp_path):
    page = Page(tmp_path / "page.md", "# Heading", 100.0)

    def measure(part):
        for case in part.each(("first", "second", "third"), growth=1e9):
            part.rows.append({"case": case})

    def fail(part):
        raise ValueError("no such thing")

    page.measure("Measured", "Text.", measure, 0.5)
    page.measure("Broken", "Text.", fail, 0.5)
    text = page.path.read_text()
    assert "| first |" in text and "Left out for want of time: second, third." in text
    assert "**Failed**: ValueError: no such thing" in text


def test_the_script_finds_the_library_beside_it_and_ends_in_time(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "benchmark.py"), "--gpu", str(tmp_path), "--minutes", "0.02"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "# Networks and kernels on a GPU" in (tmp_path / "gpu.md").read_text()


def test_core_time_is_told_apart_by_part(tmp_path):
    logs = {
        "snakemake.log": "done after 5.000 s of CPU",
        "networks/a/n1.log": "began after 2.000 s of CPU\ntrained in 10.000 s of CPU\ndone after 13.000 s of CPU",
        "networks/a/n2.log": "began after 2.000 s of CPU\ntrained in 20.000 s of CPU\ndone after 23.000 s of CPU",
        "networks/a/n3.log": "began after 2.000 s of CPU\nTraceback",
        "kernels/a.log": "began after 1.000 s of CPU\ndone after 4.000 s of CPU",
        "agreement.log": "began after 1.000 s of CPU\ndone after 5.000 s of CPU",
    }
    for name, text in logs.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    rows = by_part(tmp_path)
    assert {row["part"]: (row["jobs"], row["seconds"]) for row in rows} == {
        "networks: training": (2, 30),
        "starting jobs": (4, 6),
        "Snakemake itself": (1, 5),
        "agreement": (1, 4),
        "kernels": (1, 3),
        "networks: measures and files": (2, 2),
    }
    assert overhead(rows) == pytest.approx((6 + 5 + 4 + 2) / 50)


def test_what_a_run_said_of_its_end_is_compared_with_the_end(tmp_path):
    log = tmp_path / "run.log"
    log.write_text(
        "[Thu Nov 26 20:16:57 2026]\nJob 3: Kernel of a on b\n[Thu Nov 26 20:17:07 2026]\nFinished jobid: 3 (Rule: kernel)\n"
        "1 of 3 steps (33%) done\n1 of 3 jobs, about 1.5 minutes left\n[Thu Nov 26 20:18:37 2026]\nFinished jobid: 4\n"
        "3 of 3 jobs, about 0 seconds left\n"
    )
    assert progress(log) == [{"jobs": "1 of 3", "share": 0.1, "told": 90, "left": 90, "ratio": 1}]


def test_what_a_ranking_costs(tmp_path):
    """Seconds and memory of a process, and what it ranked; nothing but the table is left."""
    path = tmp_path / "classes.csv"
    table(60, classes=True).to_csv(path, index=False)
    seconds, memory, rows = cost(path, [*COMPARED, "-n", "8"])
    assert seconds > 0 and memory > 50 and len(rows) == 1 and [*tmp_path.iterdir()] == [path]
