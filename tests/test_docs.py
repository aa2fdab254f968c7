"""Every block of Python in README, tutorial and how-to pages runs; every YAML study is valid; the site builds without a warning."""

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
PAGES = [ROOT / "README.md", ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs_from_top_to_bottom_and_its_studies_are_valid(page, tmp_path, monkeypatch):
    """In one folder: a study may name a file that the code above it writes."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)
    schema = load_schema(ROOT / "config" / "schema.yaml")
    for block in blocks(page, "yaml"):
        check_meaning(checked(yaml.safe_load(block), schema))


def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "predict_samples" in (tmp_path / "site" / "reference" / "index.html").read_text(encoding="utf-8")


def test_the_reference_has_every_public_name():
    text = (ROOT / "docs" / "reference.md").read_text()
    assert all(f"::: learnability.{home}.{name}\n" in text for name, home in lb._HOME.items())


@pytest.mark.parametrize("name", lb.__all__)
def test_every_public_name_says_what_it_takes_returns_and_refuses(name):
    thing = getattr(lb, name)
    text = inspect.getdoc(thing)
    assert text and text != inspect.getdoc(object)
    if inspect.isfunction(thing):
        assert all(section in text for section in ("Parameters\n---", "Returns\n---", "Raises\n---"))
        undocumented = [p for p in inspect.signature(thing).parameters if p not in text]
        assert not undocumented
