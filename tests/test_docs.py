"""Every block of Python in README, tutorial and how-to pages runs; every YAML study is valid; the site builds without a warning."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import learnability as lb
from learnability.studies.schema import load_schema
from learnability.studies.validation import check_meaning, checked

ROOT = Path(__file__).parent.parent
ENTRIES = (  # of the reference: members, inherited ones, and fields that only a comment describes
    "Hypercube.parity",
    "Hypercube.spectrum",
    "Circle.sample",
    "Samples.all",
    "Samples.evaluation",
    "FullyConnected.kernel",
    "Residual.kernel",
    "LearningCurve.test_mse_off_train",
    "LearningCurve.plot",
    "Prediction.coefficient_mean",
    "Selection.best",
    "NTKRegressor.predict",
    "predict_samples",
)
PAGES = [ROOT / "README.md", ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs_from_top_to_bottom_and_its_studies_are_valid(page, tmp_path, monkeypatch, capsys):
    """In one folder: a study may name a file that the code above it writes. Blocks of text are what the code prints."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)
    printed = capsys.readouterr().out
    assert all(block in printed for block in blocks(page, "text"))
    schema = load_schema(ROOT / "config" / "schema.yaml")
    for block in blocks(page, "yaml"):
        check_meaning(checked(yaml.safe_load(block), schema))


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "site" / "reference" / "index.html").read_text(encoding="utf-8")
    missing = [entry for entry in ENTRIES if not re.search(rf'id="learnability\.[\w.]+\.{re.escape(entry)}"', page)]
    assert not missing and not re.search(r'id="learnability\.[\w.]+\._', page)


def test_the_reference_has_every_public_name():
    text = (ROOT / "docs" / "reference.md").read_text()
    assert all(f"::: learnability.{home}.{name}\n" in text for name, home in lb._HOME.items())


SHAPE = r"\((\w+|\.\.\.)?(, ?(\w+|\.\.\.))*,?\)"  # (n, dim), (grid), (...)
SOURCE = r"arXiv|et al\.|[\w)] = \w|& \w+ \d{4}|`learnability\.theory"


@pytest.mark.parametrize("name", lb.__all__)
def test_every_public_name_says_what_it_takes_returns_refuses_and_where_it_is_from(name):
    thing = getattr(lb, name)
    text = inspect.getdoc(thing)
    assert text and text != inspect.getdoc(object)
    if inspect.isfunction(thing):
        assert all(section in text for section in ("Parameters\n---", "Returns\n---", "Raises\n---"))
        taken = text.split("Parameters\n---")[1].split("Returns\n---")[0]
        undocumented = [p for p in inspect.signature(thing).parameters if not re.search(rf"^(.*, )?{p}\b", taken, re.M)]
        assert not undocumented
        assert re.search(SHAPE, text), "no shape"
        assert re.search(SOURCE, text + (sys.modules[thing.__module__].__doc__ or "")), "no equation, paper or module"
    else:
        makers = [vars(kind).get(maker) for kind in thing.__mro__ for maker in ("__init__", "__post_init__")]
        makers = [inspect.unwrap(maker) for maker in makers if inspect.isfunction(maker)]
        written = [maker for maker in makers if maker.__code__.co_filename != "<string>"]
        if any(re.search(r"\b(require|whole)\(", inspect.getsource(maker)) for maker in written):
            assert "Raises\n---" in text and ("Parameters\n---" in text or "Attributes\n---" in text)


def undocumented(body, inherits=False):
    """Public functions, methods and classes without a docstring; a method of a class with bases may have its base's."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node) and not inherits:
                yield node.name
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body, bool(node.bases))


def test_every_public_function_of_the_library_has_a_docstring():
    for path in (ROOT / "learnability").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
        assert [*undocumented(tree.body)] == [], path
