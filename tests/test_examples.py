"""Every public name has an example in its docstring, and all examples of the library print what they say."""

import doctest
import inspect
import pkgutil
from importlib import import_module

import pytest

import learnability as lb

PUBLIC = [name for name in lb.__all__ if not isinstance(getattr(lb, name), str)]
MODULES = [
    module.name for module in pkgutil.walk_packages(lb.__path__, "learnability.") if "__main__" not in module.name
]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_of_a_public_name_runs(name):
    documented = getattr(lb, name)
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(documented, name, globs={}) or [None]
    assert example is not None and example.examples, f"lb.{name} has no section Examples"
    results = doctest.DocTestRunner(optionflags=OPTIONS).run(example)
    assert results.failed == 0, inspect.getdoc(documented)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    assert doctest.testmod(import_module(name), optionflags=OPTIONS).failed == 0
