"""Which source files a script reaches through imports: the inputs that make reruns exact.

Snakemake notices a change of a script, not of the modules that it imports. Rules therefore name those as inputs.
The package's own __init__ is left out: its names are imported on first use, so it decides nothing.
"""

import ast
import os
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def processes_import_from(folder: Path) -> None:
    """Processes that this one starts import the library in a folder, whichever one is installed in their environment."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


@cache
def sources(path):
    """All files of the library and of the scripts folder that a Python file imports, directly or not, sorted."""
    reached, waiting = set(), [Path(path).resolve()]
    while waiting:
        for module in _imported(waiting.pop()):
            if module not in reached:
                reached.add(module)
                waiting.append(module)
    return sorted(str(module) for module in reached - {PACKAGE / "__init__.py"})


def imports(package=PACKAGE):
    """The library's import graph: for every module, as a path below the package, the modules that it names itself."""
    graph = {}
    for path in sorted(Path(package).rglob("*.py")):
        if path != PACKAGE / "__init__.py":
            # the __init__ of a package is run on the way to each module below it; it counts where others name it
            named = {file for file in _imported(path) if file.name != "__init__.py" or file.parent not in path.parents}
            graph[path.relative_to(package).as_posix()] = sorted(f.relative_to(package).as_posix() for f in named)
    return graph


def module_file(name):
    """The file of a module of the library: "learnability.theory.prediction", or None if there is no such module."""
    base = PACKAGE.parent.joinpath(*name.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@cache
def _imported(path):
    """Files of this project that one file imports."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        found += [file for name in names for file in (_chain(name) or _beside(path, name))]
    return [file for file in found if file != path]


def _beside(path, name):
    """A module in the folder of a script that imports it."""
    file = path.parent / f"{name}.py"
    return [file] if file.is_file() else []


def _absolute(path, node):
    if node.level == 0:
        return node.module
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    parts = parts[: len(parts) - node.level]
    return ".".join([*parts, node.module] if node.module else parts)


def _chain(name):
    """The module's file and the __init__ of every package on the way to it."""
    parts = name.split(".")
    files = [module_file(".".join(parts[: i + 1])) for i in range(len(parts))]
    return [file for file in files if file is not None] if files[0] is not None else []
