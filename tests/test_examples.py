"""Every public name has an example in its docstring, and the examples print what they say."""

import doctest
import inspect

import pytest

import learnability as lb


@pytest.mark.parametrize("name", lb.__all__)
def test_the_example_of_a_public_name_runs(name):
    documented = getattr(lb, name)
    if not hasattr(documented, "__doc__") or isinstance(documented, str):
        pytest.skip("a constant")
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(documented, name, globs={}) or [None]
    assert example is not None and example.examples, f"lb.{name} has no section Examples"
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(example)
    assert results.failed == 0, inspect.getdoc(documented)
