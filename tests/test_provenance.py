import ast
import hashlib
import re
import shutil
from pathlib import Path

import pytest

from learnability.common import provenance
from learnability.common.provenance import DECIDE_NO_NUMBER, code_digest, imports, sources
from learnability.common.syntax import computing, written

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
    assert all((ROOT / name).is_file() for name in DECIDE_NO_NUMBER)
    left_out = {name.removeprefix("scripts/") for name in DECIDE_NO_NUMBER}
    assert not any(left_out & modules(path.name) for path in SCRIPTS.glob("*.py"))
    assert not any(path.startswith("learnability/studies") for path in modules("train_networks.py"))


MODULE = '''
"""A module."""

import logging
from typing import TYPE_CHECKING
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from .errors import require, whole

if TYPE_CHECKING:
    from .kernel import Kernel

LIMIT = 1e-3  # of the residual
log = logging.getLogger(__name__)


class Fit:
    """A fit."""

    ridge: float = 0.0

    def __call__(self, x: NDArray, steps: int = 3, *, kernel: "Kernel | None" = None) -> NDArray:
        """Fitted values."""
        name, number = "steps", f"{steps:>{4}d} of {LIMIT!r} {{}}"
        where = f"in {steps}" if steps > 2 else ""
        remedy = ", ".join(sorted(map(str, range(steps)))) + where
        steps = whole("steps", steps, 1)
        require(np.isfinite(x).all(), f"x is not finite {where}; {remedy}")
        if (total := x.sum()) > LIMIT:
            warn(f"large {total:.3g}", stacklevel=2)
        log.info("%d %s", steps, number)
        try:
            values: NDArray = x[:, None, ...] @ x[..., ::2]
        except ValueError as error:
            raise RuntimeError(f"no product: {error}") from error
        return values**2 / (1j + self.ridge) if name else -values
'''
SAME = [
    ("A module.", "Another."),
    ("# of the residual", "# of another"),
    ("A fit.", "Fits."),
    ("Fitted values.", "Values."),
    ('f"in {steps}"', 'f"within {steps} steps"'),
    ('", ".join', '" and ".join'),
    ('whole("steps"', 'whole("the steps"'),
    ("x is not finite", "x is infinite"),
    ("large {total", "too large {total"),
    ('"%d %s"', '"%s: %s"'),
    ("no product: {error}", "no product of {x.shape}"),
    ("x: NDArray", "x: np.ndarray"),
    (") -> NDArray:", "):"),
    ("values: NDArray =", "values ="),
    ("from .kernel import Kernel", "from .kernels import Kernel"),
    ("import numpy as np\n", "import numpy as np\n\n\n"),
]
DIFFERENT = [
    ("LIMIT = 1e-3", "LIMIT = 1e-4"),
    ("steps: int = 3", "steps: int = 4"),
    ("ridge: float = 0.0", "ridge: float = 1.0"),
    ("[..., ::2]", "[..., ::3]"),
    ("values**2", "values**3"),
    ("1j +", "2j +"),
    ('whole("steps", steps, 1)', 'whole("steps", steps, 2)'),
    ("np.isfinite(x).all()", "np.isfinite(x).any()"),
    ("raise RuntimeError", "raise ValueError"),
    ("except ValueError", "except TypeError"),
    ("import numpy as np", "import cupy as np"),
    ("(total := x.sum()) > LIMIT", "(total := x.sum()) >= LIMIT"),
]


def digest(text):
    return hashlib.sha256(written(computing(ast.parse(text))).encode()).hexdigest()


@pytest.mark.parametrize(("old", "new"), SAME)
def test_words_are_no_part_of_what_computes(old, new):
    assert old in MODULE and digest(MODULE.replace(old, new)) == digest(MODULE)


@pytest.mark.parametrize(("old", "new"), DIFFERENT)
def test_what_computes_is(old, new):
    assert old in MODULE and digest(MODULE.replace(old, new)) != digest(MODULE)


def test_an_effect_in_a_value_that_only_a_message_reads_stays():
    """The value is taken from the list, whatever is said of it."""
    text = 'def f(left):\n    one = left.pop()\n    raise ValueError(f"{one}")'
    assert "pop" in written(computing(ast.parse(text)))


def test_a_function_of_another_module_that_is_called_require_is_no_message():
    text = "from .other import require\nrequire(x, 'a')"
    assert digest(text) != digest(text.replace("'a'", "'b'"))


def test_the_digest_is_the_same_in_every_python():
    """Of 3.11, 3.12 and 3.13, whose syntax trees have different fields: this test runs on each."""
    assert digest(MODULE) == "0203a8a4bb60bb1c1420efc58a296a861e169be9e060d4c362fc5efdef0c9cf6"


def test_all_messages_of_the_module_of_messages_are_words():
    text = (LIBRARY / "common" / "errors.py").read_text()
    messages = ("unknown {what}", "did you mean", "must be a whole number", "allowed:", "is missing; there are")
    computed = written(computing(ast.parse(text)))
    assert all(message in text and message not in computed for message in messages)


def test_a_module_that_is_registered_and_does_not_exist_is_named():
    with pytest.raises(ValueError, match="no module learnability.figures.nothing; correct its name"):
        code_digest(SCRIPTS / "draw_figure.py", "learnability.figures.nothing")


def test_digests_follow_contents_and_no_path(tmp_path, monkeypatch):
    """A checkout may move: the digest is of names below it."""
    before = code_digest(SCRIPTS / "join_study.py")
    for folder in ("learnability", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "learnability")
    assert code_digest(tmp_path / "scripts" / "join_study.py") == before


LAYERS = (
    "common",
    "data",
    "kernels",
    "spectra",
    "domains",
    "regression",
    "theory",
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
