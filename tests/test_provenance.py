from pathlib import Path

from learnability.provenance import sources

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "scripts"


def modules(script):
    return {str(Path(path).relative_to(SCRIPTS)) for path in sources(SCRIPTS / script)}


def test_scripts_depend_on_what_they_import_and_on_nothing_else():
    assert "learnability/theory.py" in modules("predict_theory.py")
    assert "learnability/theory.py" not in modules("train_networks.py")
    assert {"learnability/training/gradient_flow.py", "learnability/networks.py"} <= modules("train_networks.py")
    assert "learnability/regression.py" not in modules("train_networks.py")
    assert not any(path.startswith("learnability/training") for path in modules("run_regression.py"))
    drawing = modules("draw_figure.py")
    assert "learnability/figures/__init__.py" in drawing and "learnability/networks.py" not in drawing
    assert "learnability/figures/learning_curves.py" not in drawing
    by_hand = {"job.py", "benchmark.py", "describe_config.py"}
    assert all("job.py" in modules(path.name) for path in SCRIPTS.glob("*.py") if path.name not in by_hand)
    assert all("learnability/__init__.py" not in modules(path.name) for path in SCRIPTS.glob("*.py"))


def test_the_library_knows_nothing_of_snakemake_and_keeps_its_layers():
    for path in (SCRIPTS / "learnability").rglob("*.py"):
        assert "import snakemake" not in path.read_text()
    assert not {"theory.py", "regression.py", "networks.py"} & {
        Path(path).name for path in sources(SCRIPTS / "learnability" / "spectrum.py")
    }
