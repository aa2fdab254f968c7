"""Functions of the user's own Python files, which are run once per content in a process, with all the rights of the user."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import isfunction
from pathlib import Path
from types import ModuleType

from ..common.errors import choose, require


def user_function(path: str, name: str, allow_code: bool) -> tuple[Callable, str]:
    """A function of a file, and the digest of the file's content.

    Raises
    ------
    ValueError
        allow_code is not true; a file that is missing or fails, a function that it does not have.
    """
    module, content = _module(path, allow_code)
    functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    return getattr(module, choose(f"function in {path}:", name, functions)), content


def user_functions(path: str, allow_code: bool) -> dict[str, Callable]:
    """The functions that a file defines itself, by name, but for those that begin with an underscore.

    Raises
    ------
    ValueError
        As of `user_function`.
    """
    module, _ = _module(path, allow_code)
    return {
        name: value
        for name, value in vars(module).items()
        if isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def _module(path: str, allow_code: bool) -> tuple[ModuleType, str]:
    """A file as a module, which is run once per content in a process, and the digest of its content."""
    require(
        allow_code is True,
        f"path: {path} would be run as Python code; read it, and write allow_code: true if you trust it",
    )
    try:
        source = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror or error}); name a Python file that there is"
        ) from error
    content = hashlib.sha256(source).hexdigest()
    module = sys.modules.get(f"learnability_own_{content}")
    if module is None:
        module = ModuleType(f"learnability_own_{content}")
        module.__file__ = str(Path(path).resolve())
        sys.modules[module.__name__] = module  # where dataclasses look for it
        try:
            exec(compile(source, str(path), "exec"), vars(module))  # the very bytes that were hashed
        except Exception as error:
            del sys.modules[module.__name__]
            raise ValueError(f"{path} cannot be run: {in_a_line(error)}") from error
    return module, content


@contextmanager
def of_module(name: str) -> Iterator[None]:
    """A ValueError inside says which module, or option that names one, it is of."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def in_a_line(error: Exception) -> str:
    """An error of the user's code in a line, with the line of the file where it happened, if that is known."""
    line, trace = error.lineno if isinstance(error, SyntaxError) else None, error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__")).startswith("learnability_own_"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}" + (f" (line {line})" if line else "")
