"""Configurations with one thing wrong: each is refused before any job, by a message that names the key, the value or the file."""

import copy
import random
from pathlib import Path

import pytest
import yaml

from learnability.studies.schema import load_config, load_schema
from learnability.studies.validation import check_meaning, checked

CONFIG = Path(__file__).parent.parent / "config"
SCHEMA = load_schema(CONFIG / "schema.yaml")
GOOD = load_config(CONFIG / "test.yaml")
OTHERS = [None, "text", -3, -0.5, 1.5, True, [], {}, [[]], float("nan"), float("inf"), "../../etc", "a b", 10**30]


def places(value, path=()):
    """Every key and list entry of a configuration, as a path."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


def replaced(path, new):
    config = copy.deepcopy(GOOD)
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return config


def misspelt(path):
    config = copy.deepcopy(GOOD)
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    inner[f"{path[-1]}x"] = inner.pop(path[-1])
    return config


def refused(config):
    """The message with which a configuration is refused, or None."""
    try:
        check_meaning(checked(config, SCHEMA))
    except ValueError as error:
        return str(error)
    return None


def cases():
    rng = random.Random(0)
    named = list(places(GOOD))
    found = [(path, new) for path in named for new in OTHERS]
    return rng.sample(found, len(found))  # shuffled, so that the parts take equally long


@pytest.mark.wrong_types
@pytest.mark.parametrize("part", range(4))
def test_wrong_values_end_in_a_message_or_mean_something(part):
    """Every value replaced by fourteen others: a ValueError that names the section or key, or a configuration that is allowed."""
    messages = 0
    for path, new in cases()[part::4]:
        message = refused(replaced(path, new))
        if message is None:
            continue
        messages += 1
        keys = [str(key) for key in path if not isinstance(key, int)]
        assert any(key.rstrip("s") in message for key in keys), f"{path} = {new!r}: {message}"
        assert "object at 0x" not in message and len(message) < 2000, message
    assert messages > 150


def test_misspelt_keys_are_named():
    """Every key of a fixed name, with an x behind it."""
    number = 0
    for path in places(GOOD):
        if isinstance(path[-1], int) or len(path) == 2 or path[-1] in ("training",):
            continue
        message = refused(misspelt(path))
        if message is None:
            raise AssertionError(f"{path} misspelt is accepted")
        assert f"{path[-1]}" in message
        number += 1
    assert number > 30


BROKEN = {
    "domains: {a: [}": "line 1",
    "domains:\n\tcube: 1": "line 2",
    "a: &x [*x, *y]": "line 1",
    "": "holds no sections",
    "- 1\n- 2": "holds no sections",
    "!!python/object/apply:os.system ['echo']": "no valid YAML",
}


@pytest.mark.parametrize("text", BROKEN)
def test_broken_files_are_named_with_their_line(tmp_path, text):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match="broken.yaml") as error:
        load_config(path)
    assert BROKEN[text] in str(error.value)


def test_names_cannot_lead_out_of_the_results():
    for section, entry in (
        ("studies", "curves"),
        ("domains", "cube"),
        ("architectures", "relu1"),
        ("experiments", "spectra"),
    ):
        config = copy.deepcopy(GOOD)
        config[section]["../../outside"] = config[section].pop(entry)
        assert "../../outside" in refused(config)
    for name in (".", ".."):
        config = copy.deepcopy(GOOD)
        config["studies"][name] = config["studies"].pop("curves")
        assert refused(config) is not None


def test_yaml_round_trip():
    assert refused(yaml.safe_load(yaml.safe_dump(GOOD))) is None
