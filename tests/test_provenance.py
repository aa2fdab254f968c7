import re
from pathlib import Path

from learnability.common.provenance import imports, sources

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "scripts"
LIBRARY = ROOT / "learnability"


def modules(script):
    return {Path(path).relative_to(ROOT).as_posix().removeprefix("scripts/") for path in sources(SCRIPTS / script)}


def test_scripts_depend_on_what_they_import_and_on_nothing_else():
    assert "learnability/theory/prediction.py" in modules("predict_theory.py")
    assert "learnability/theory/prediction.py" not in modules("train_networks.py")
    assert {"learnability/ensembles/training/gradient_flow.py", "learnability/ensembles/networks.py"} <= modules(
        "train_networks.py"
    )
    assert "learnability/regression/ridge.py" not in modules("train_networks.py")
    assert not any(path.startswith("learnability/ensembles") for path in modules("run_regression.py"))
    drawing = modules("draw_figure.py")
    assert "learnability/figures/__init__.py" in drawing and "learnability/ensembles/networks.py" not in drawing
    assert "learnability/figures/learning_curves.py" not in drawing
    by_hand = {"job.py", "benchmark.py", "describe_config.py", "describe_architecture.py"}
    assert all("job.py" in modules(path.name) for path in SCRIPTS.glob("*.py") if path.name not in by_hand)
    assert all("learnability/__init__.py" not in modules(path.name) for path in SCRIPTS.glob("*.py"))


LAYERS = (
    "common",
    "data",
    "kernels",
    "spectra",
    "domains",
    "theory",
    "regression",
    "curves",
    "selection",
    "ensembles",
    "measurements",
    "tables",
    "experiments",
    "figures",
    "studies",
    "sklearn.py",
    "command",
    "explorer",
    "__main__.py",
)


def test_the_library_knows_nothing_of_snakemake_but_for_the_command_that_starts_it():
    users = [path for path in LIBRARY.rglob("*.py") if re.search(r"import snakemake|from snakemake", path.read_text())]
    assert users == [LIBRARY / "command" / "workflow.py"]


def test_imports_go_downward_and_never_in_a_circle():
    """A package imports only from those before it in LAYERS; within a package, modules import each other in one direction."""
    edges = imports(LIBRARY)
    for module, imported in edges.items():
        for other in imported:
            assert LAYERS.index(other.split("/")[0]) <= LAYERS.index(module.split("/")[0]), f"{module} imports {other}"
    finished, open_ = set(), []

    def visit(module):
        assert module not in open_, " -> ".join([*open_[open_.index(module) :], module])
        if module not in finished:
            open_.append(module)
            for other in edges.get(module, ()):
                visit(other)
            finished.add(open_.pop())

    for module in edges:
        visit(module)


def test_modules_have_one_subject():
    """At most 400 lines a module: beyond that there are two subjects in it."""
    for path in LIBRARY.rglob("*.py"):
        assert path.read_text().count("\n") <= 400, path
