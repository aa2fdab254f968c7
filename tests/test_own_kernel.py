"""A kernel from a function in the user's own Python file."""

import numpy as np
import pytest
import torch
import yaml

import learnability as lb
from learnability.kernels import architecture_from
from learnability.studies.schema import load_schema
from learnability.studies.validation import check_meaning, checked

POLYNOMIAL = """
import numpy as np

def kernel(x, x2):
    return (1 + x @ x2.T / x.shape[1]) ** 3

def first_difference(x, x2):
    return np.exp(-np.abs(x[:, :1] - x2[:, 0]))
"""


@pytest.fixture
def own(tmp_path):
    """own(source, function): the kernel of a file with that source."""

    def build(source=POLYNOMIAL, function="kernel"):
        (tmp_path / "mine.py").write_text(source)
        entry = {"kind": "callable", "path": str(tmp_path / "mine.py"), "function": function, "allow_code": True}
        return architecture_from(entry)

    return build


def test_it_is_what_the_function_computes(own):
    kernel, x = own(), np.random.default_rng(0).standard_normal((7, 3))
    expected = (1 + x @ x.T / 3) ** 3
    assert np.allclose(kernel.kernel(x), expected, rtol=1e-14) and np.array_equal(kernel.kernel(x), kernel.kernel(x).T)
    assert np.allclose(kernel.kernel(x[:2], x), expected[:2], rtol=1e-14)
    assert torch.is_tensor(kernel.kernel(torch.from_numpy(x)))


def test_the_theory_takes_it(own):
    cube = lb.Hypercube(6)
    prediction = lb.predict(cube.spectrum(own()), cube.parity(4), [8, 16])
    assert np.allclose(prediction.learnability, 0)  # a polynomial of degree three does not learn degree four
    with pytest.raises(ValueError, match="OwnKernel.* is not invariant under the symmetries of Hypercube"):
        cube.spectrum(own(function="first_difference"))


@pytest.mark.wrong_types
def test_nothing_is_run_without_leave(tmp_path):
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    for leave in ({}, {"allow_code": False}, {"allow_code": "yes"}, {"allow_code": 1}):
        with pytest.raises(ValueError, match=r"mine.py would be run as Python code; .*allow_code: true"):
            architecture_from({"kind": "callable", "path": str(tmp_path / "mine.py"), **leave})
    assert not (tmp_path / "ran").exists()


def test_its_identity_is_its_content(own, tmp_path):
    first = own().identity
    assert own().identity == first and own(POLYNOMIAL + "\n# more\n").identity != first
    assert own(function="first_difference").identity != first
    (tmp_path / "moved.py").write_text(POLYNOMIAL)
    assert lb.OwnKernel(str(tmp_path / "moved.py"), allow_code=True).identity == first
    changed = own(POLYNOMIAL.replace("** 3", "** 2"))
    assert changed.kernel(np.ones((1, 2)))[0, 0] == pytest.approx(4)


def test_a_file_may_hold_dataclasses(own):
    source = "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass A:\n    b: int = 2\n"
    assert own(source + "def kernel(x, x2):\n    return A().b * x @ x2.T\n").kernel(np.eye(2))[0, 0] == 2


BROKEN = {
    "missing function": ("def other(x, x2): pass", r"unknown function in .*mine.py: 'kernel'; .*allowed: other"),
    "syntax": ("def kernel(x:\n", r"mine.py cannot be run: SyntaxError.*\(line 1\)"),
    "import": ("import nothing_of_that_name", r"mine.py cannot be run: ModuleNotFoundError.*\(line 1\)"),
    "error": ("def kernel(x, x2):\n    return x @ x2", r"'kernel' in .*mine.py fails on 5 and 5 points: ValueError.*\(line 2\)"),
    "shape": ("def kernel(x, x2):\n    return x", r"must return the matrix K\(x, x2\) of shape \(5, 5\), got \(5, 3\)"),
    "nothing": ("def kernel(x, x2):\n    pass", "must return an array of real numbers, got object"),
    "complex": ("def kernel(x, x2):\n    return 1j * x @ x2.T", "array of real numbers, got complex128"),
    "nan": ("def kernel(x, x2):\n    return x @ x2.T / 0", "returns values that are not finite"),
    "asymmetric": ("def kernel(x, x2):\n    return x[:, :1] + 0 * x @ x2.T", "is not symmetric"),
    "indefinite": ("def kernel(x, x2):\n    return -x @ x2.T", "is not positive semi-definite: on 5 points .* eigenvalue -"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_errors_name_file_and_function(own, case):
    source, message = BROKEN[case]
    with pytest.raises(ValueError, match=message):
        own(source).kernel(np.random.default_rng(0).standard_normal((5, 3)))


def test_other_errors(own, tmp_path):
    with pytest.raises(ValueError, match="nowhere.py cannot be read"):
        lb.OwnKernel(str(tmp_path / "nowhere.py"), allow_code=True)
    with pytest.raises(ValueError, match="no infinite network's kernel: it has no kind 'nngp'"):
        own().kernel(np.eye(2), kind="nngp")
    with pytest.raises(ValueError, match="is a kernel only: it has no networks to train"):
        lb.train(own(), 4, np.eye(2), np.ones(2), np.eye(2), [0])


def test_a_configuration_names_it(own, data):
    schema = load_schema(data.parent.parent / "config" / "schema.yaml")
    config = yaml.safe_load((data.parent.parent / "config" / "test.yaml").read_text())
    config["architectures"]["mine"] = {"kind": "callable", "path": own().path, "allow_code": True}
    config["studies"]["curves"] |= {"architectures": ["mine"], "widths": []}
    check_meaning(checked(config, schema))
    config["architectures"]["mine"].pop("allow_code")
    with pytest.raises(ValueError, match="architectures.mine: path: .* allow_code: true"):
        check_meaning(checked(config, schema))
