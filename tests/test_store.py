import json
import subprocess
import sys
from subprocess import PIPE

import h5py
import numpy as np
import pandas as pd
import pytest

from learnability.command.show import described
from learnability.common import progress
from learnability.common.seeding import digest, stream
from learnability.common.store import read_frame, read_h5, read_table, replacing, write_frame, write_h5, write_table
from learnability.domains import domain_from


def test_same_description_same_stream():
    draws = [stream("x", a=1, b=[2.0, "c"]).standard_normal(3) for _ in range(2)]
    assert np.array_equal(*draws)
    assert not np.array_equal(draws[0], stream("y", a=1, b=[2.0, "c"]).standard_normal(3))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_streams_are_the_same_on_every_machine():
    index = stream("training set", domain={"kind": "hypercube", "dim": 8}, train_size=4, seed=0).permutation(256)[:4]
    assert index.tolist() == [162, 244, 170, 148]


def test_same_arrays_same_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        write_h5(tmp_path / name, {"x": np.arange(9.0), "group/names": np.array(["p", "q"])}, {"n": 3})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    arrays, parameters = read_h5(tmp_path / "a.h5")
    assert parameters == {"n": 3} and arrays["group/names"].tolist() == ["p", "q"]
    with h5py.File(tmp_path / "a.h5") as file:
        assert set(file.attrs) == {"parameters", "package_version", "code_version", "place", "sha256"}
        assert json.loads(file.attrs["parameters"]) == {"n": 3}


def test_tables_come_back(tmp_path):
    table = pd.DataFrame({"target": ["a", "b"], "value": [0.1, np.nan], "converged": [True, None], "n": [1, 2]})
    write_frame(tmp_path / "t.h5", table, {}, functions=np.ones((2, 3), np.float32))
    found = read_frame(tmp_path / "t.h5")
    assert found["value"][0] == 0.1 and found["target"].tolist() == ["a", "b"] and found["converged"][0] == 1
    write_table(tmp_path / "t.csv", tmp_path / "u.h5", table, {})
    assert read_table(tmp_path / "t.csv")["value"][0] == 0.1


def test_a_failed_write_leaves_nothing_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_damaged_and_missing_files_say_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="nowhere.h5.*delete it and run snakemake again"):
        read_h5(tmp_path / "nowhere.h5")
    write_h5(tmp_path / "x.h5", {"a": np.ones(9000)}, {})
    with pytest.raises(ValueError, match="no dataset 'b'; it holds a"):
        read_h5(tmp_path / "x.h5", "b")
    with pytest.raises(ValueError, match="x.h5 was made from domain None, and its place says {'dim': 8}; delete it"):
        read_h5(tmp_path / "x.h5", made_from={"domain": {"dim": 8}})
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["a"], file.attrs["parameters"] = np.ones(3), "{}"
    with pytest.raises(ValueError, match="foreign.h5 holds no check sums: another program or an older version"):
        read_h5(tmp_path / "foreign.h5")
    content = (tmp_path / "x.h5").read_bytes()
    (tmp_path / "x.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="cannot read .*x.h5"):
        read_h5(tmp_path / "x.h5")


HOLDER = """
import sys, h5py
file = h5py.File(sys.argv[1], "a")
print("open", flush=True)
for line in sys.stdin:
    file["x"][0] = 7.0
    file.flush()
    print("changed", flush=True)
"""


@pytest.fixture
def held(tmp_path):
    """A result file that another process holds open for writing, and a function that lets that process change it."""
    path = tmp_path / "results" / "x.h5"
    write_h5(path, {"x": np.ones(9), "y": np.zeros(9)}, {"n": 3})
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"

        def change():
            print(file=process.stdin, flush=True)
            assert process.stdout.readline() == "changed\n"

        yield path, change
        process.stdin.close()


def test_a_file_that_another_program_holds_open_is_read_and_replaced(held):
    path, _ = held
    assert read_h5(path)[0]["x"].tolist() == [1.0] * 9 and "x: (9,) float64" in described(path, 5)
    write_h5(path, {"x": np.full(9, 2.0)}, {"n": 3})
    assert read_h5(path)[0]["x"].tolist() == [2.0] * 9


def test_a_file_that_another_program_has_changed_is_refused_and_the_program_named(held):
    path, change = held
    change()
    with pytest.raises(
        ValueError, match=r"x.h5 is damaged.*h5py.File\(..., 'a'\), holds it open for writing; close it"
    ):
        read_h5(path)


def test_data_of_the_user_that_another_program_may_be_changing_is_not_read(held):
    with pytest.raises(ValueError, match=r"x.h5: another program.* holds it open for writing; close it there"):
        domain_from({"kind": "data", "path": str(held[0])})


def test_a_result_in_the_place_of_another_is_refused(tmp_path):
    path, other = tmp_path / "results" / "kernels" / "a.h5", tmp_path / "results" / "kernels" / "b.h5"
    for place in (path, other):
        write_h5(place, {"a": np.ones(3)}, {})
    path.replace(other)
    with pytest.raises(ValueError, match="b.h5 was written as kernels/a.h5, .*; delete it and run snakemake again"):
        read_h5(other)
    other.replace(tmp_path / "kept.h5")
    assert read_h5(tmp_path / "kept.h5")[0]["a"].tolist() == [1, 1, 1]  # a copy outside the results can be read


def test_every_flipped_bit_is_noticed_or_changes_nothing(tmp_path):
    """A bit flipped anywhere in a file: the reader names the file, or the arrays and parameters are what was written."""
    path, rng = tmp_path / "x.h5", np.random.default_rng(0)
    written = {
        "a": rng.standard_normal((20, 3)),
        "rows/name": np.array(["p", "q"]),
        "large": rng.standard_normal(10_000),
    }
    write_h5(path, written, {"n": 3})
    content, refused = path.read_bytes(), 0
    for position, bit in zip(rng.integers(0, len(content), 300), rng.integers(0, 8, 300), strict=True):
        damaged = bytearray(content)
        damaged[position] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            found, parameters = read_h5(path)
        except ValueError as error:
            assert str(path) in str(error) and "snakemake again" in str(error)
            refused += 1
            continue
        assert parameters == {"n": 3} and all(np.array_equal(found[name], written[name]) for name in written)
    assert refused > 250


def test_long_loops_say_what_is_left(caplog, monkeypatch):
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    times = iter([0.0, 1.0, 2.0, 3.0, 4.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(times))
    with caplog.at_level("INFO"):
        assert [*progress.counted("abcd", "candidates")] == [*"abcd"]
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "candidates: 1 of 4, about 3 s left" and said[-1] == "candidates: 4 of 4, about 0 s left"
