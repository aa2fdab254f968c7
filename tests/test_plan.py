"""The plan of a configuration says of every job what it is, reads and writes; the rules read it, and nothing else."""

import re
from pathlib import Path

import pytest

from learnability.studies.plan import KINDS, parts, plan
from learnability.studies.schema import load_config, load_schema
from learnability.studies.validation import check_meaning, checked

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def planned():
    config = checked(load_config(ROOT / "config" / "test.yaml"), load_schema(ROOT / "config" / "schema.yaml"))
    _, sizes = check_meaning(config)
    return plan(config, sizes)


def test_every_kind_of_job_is_planned_after_what_it_reads(planned):
    jobs = [*planned.jobs()]
    assert {job.kind for job in jobs} == set(KINDS)
    written, own = set(), set()
    for job in jobs:
        inputs = [path for value in job.inputs.values() for path in ([value] if isinstance(value, str) else value)]
        assert set(inputs) <= written, job
        assert not written & set(job.outputs.values()), job
        written |= set(job.outputs.values())
        own.add((job.kind, *job.identity.items()))
    assert len(own) == len(jobs)


def test_a_job_is_made_once_whatever_the_order_of_its_identity(planned):
    one = planned.job("theory", study="bars", architecture="relu1")
    assert one is planned.job("theory", architecture="relu1", study="bars")


def test_every_rule_reads_one_kind_and_runs_its_script():
    rules = {}
    for path in (ROOT / "rules").glob("*.smk"):
        for text in re.split(r"^rule ", path.read_text(), flags=re.M)[1:]:
            rules[text.split(":")[0]] = text
    assert set(rules) == {*KINDS, "figures", "tables"}
    for kind, entry in KINDS.items():
        assert set(re.findall(r'(?:_of\(|KINDS\[)"(\w+)"', rules[kind])) == {kind}
        assert f'"../scripts/{entry.script}"' in rules[kind]


def test_a_table_knows_what_each_of_its_files_was_made_from(planned):
    join = planned.job("join", study="curves")
    for kind, described in parts(join).items():
        assert len(described) == len(join.inputs[kind])
    ((columns, made_from),) = parts(join)["regression"]
    assert columns == {"source": "kernel", "architecture": "relu1"} and made_from["ridges"] == [0.0, 0.1]
    networks = [job for job in join.after if job.kind == "networks"]
    assert [made_from for _, made_from in parts(join)["networks"]] == [job.parameters for job in networks]


def test_what_a_study_does_not_train_is_said(planned):
    identity = {"study": "curves", "architecture": "relu1", "width": 16, "first": 0, "last": 1}
    with pytest.raises(ValueError, match="study curves trains nothing with n = 5 to 7"):
        planned.job("networks", **identity, smallest=5, largest=7)
