"""What makes a job run again: a digest of all that its script computes, and the import graph that it follows.

A job depends on the equations of the modules that its script reaches through imports, not on their words. The digest is of
their syntax trees without comments, docstrings, annotations of functions, messages and what serves messages alone. It is the
same in every Python that the library supports, and it depends on contents, not on the times of files.

The package's own __init__ is left out: its names are imported on first use, so it decides nothing.
"""

import ast
import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .syntax import computing, written

PACKAGE = Path(__file__).parent.parent
DECIDE_NO_NUMBER = {
    "learnability/__init__.py": "the public names, imported on first use",
    "learnability/common/devices.py": "which GPU a job takes",
    "learnability/common/progress.py": "bars and lines of progress",
    "learnability/common/provenance.py": "this module",
    "learnability/common/store.py": "files, read as they were written: their check sums say so, and another format is refused",
    "learnability/common/syntax.py": "the other half of this module",
    "scripts/job.py": "logs, signals and the end of a job",
}


def processes_import_from(folder: Path) -> None:
    """Processes that this one starts import the library in a folder, whichever one is installed in their environment."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


@cache
def code_digest(script: Path, *modules: str) -> str:
    """SHA-256 hex digest of what a script computes.

    Parameters
    ----------
    script : Path
    modules : names of modules that the script imports by name, as "learnability.figures.fits"

    Examples
    --------
    Two figures are drawn by the same script from different modules.

    >>> script = PACKAGE.parent / "scripts" / "draw_figure.py"
    >>> curves, fits = (code_digest(script, f"learnability.figures.{name}") for name in ("learning_curves", "fits"))
    >>> len(curves), curves == fits
    (64, False)
    """
    roots = [Path(script).resolve(), *(_existing(module) for module in modules)]
    files = {*roots, *(file for root in roots for file in sources(root))}
    digest = hashlib.sha256()
    for name, file in sorted((_name(file), file) for file in files):
        if name not in DECIDE_NO_NUMBER:
            digest.update(f"{name}\0{_content(file)}\0".encode())
    return digest.hexdigest()


@cache
def sources(path: Path) -> list[Path]:
    """The files of the library and of the scripts folder that decide what a Python file computes, itself left out, sorted.

    They are those that it imports, directly or not; imports for annotations and messages alone do not count.

    Examples
    --------
    >>> [file.name for file in sources(PACKAGE / "common" / "seeding.py")]
    []
    """
    reached: set[Path] = set()
    waiting = [Path(path).resolve()]
    while waiting:
        for module in _imported(waiting.pop(), computing=True):
            if module not in reached and _name(module) not in DECIDE_NO_NUMBER:
                reached.add(module)
                waiting.append(module)
    return sorted(reached)


def imports(package: Path = PACKAGE) -> dict[str, list[str]]:
    """The library's import graph: for every module, as a path below the package, the modules that it names itself.

    Examples
    --------
    >>> imports()["common/seeding.py"], "common/errors.py" in imports()["common/store.py"]
    ([], True)
    """
    graph = {}
    for path in sorted(Path(package).rglob("*.py")):
        if path != PACKAGE / "__init__.py":
            # the __init__ of a package is run on the way to each module below it; it counts where others name it
            named = {file for file in _imported(path) if file.name != "__init__.py" or file.parent not in path.parents}
            graph[path.relative_to(package).as_posix()] = sorted(f.relative_to(package).as_posix() for f in named)
    return graph


def module_file(name: str) -> Path | None:
    """The file of a module of the library: "learnability.theory.prediction", or None if there is no such module.

    Examples
    --------
    >>> module_file("learnability.theory.prediction").name, module_file("learnability.nothing")
    ('prediction.py', None)
    """
    base = PACKAGE.parent.joinpath(*name.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def _existing(module: str) -> Path:
    file = module_file(module)
    if file is None:
        raise ValueError(f"the library has no module {module}; correct its name where it is registered")
    return file


def _name(file: Path) -> str:
    """A file as a path below the checkout."""
    return file.relative_to(PACKAGE.parent).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _computing_tree(path: Path) -> ast.Module:
    return computing(ast.parse(path.read_text(encoding="utf-8")))


@cache
def _content(path: Path) -> str:
    """SHA-256 hex digest of what a file computes."""
    return hashlib.sha256(written(_computing_tree(path)).encode()).hexdigest()


@cache
def _imported(path: Path, computing: bool = False) -> list[Path]:
    """Files of this project that one file imports."""
    tree = _computing_tree(path) if computing else _tree(path)
    files = [file for name in _imported_names(path, tree) for file in (_chain(name) or _beside(path, name))]
    return [file for file in files if file != path]


def _imported_names(path: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _beside(path: Path, name: str) -> list[Path]:
    """A module in the folder of a script that imports it."""
    file = path.parent / f"{name}.py"
    return [file] if file.is_file() else []


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    parts = parts[: len(parts) - node.level]
    return ".".join([*parts, node.module] if node.module else parts)


def _chain(name: str) -> list[Path]:
    """The module's file and the __init__ of every package on the way to it."""
    parts = name.split(".")
    files = [module_file(".".join(parts[: i + 1])) for i in range(len(parts))]
    return [file for file in files if file is not None] if files[0] is not None else []
