"""Write the configuration of every figure into docs/gallery.md: `make docs`."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "gallery.md"
PLACE = re.compile(r"<!-- (config/[\w/]+\.yaml) (\w+) -->\n.*?<!-- /yaml -->", re.S)


def with_configurations(page: str) -> str:
    """The page with the configuration of each figure after the comment that names its file and its study."""
    return PLACE.sub(_placed, page)


@cache
def configuration(file: str) -> dict[str, Any]:
    """A file of the repository, as it stands: without what the schema would fill in."""
    config: dict[str, Any] = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    return config


def excerpt(config: dict[str, Any], name: str) -> dict[str, Any]:
    """What of a configuration makes one figure: its study or experiment, what it names, and the settings of the file."""
    section = next(part for part in ("studies", "experiments") if name in config.get(part, {}))
    entry = config[section][name]
    named = set(_texts(entry))
    used = {
        part: {key: value for key, value in config[part].items() if key in named}
        for part in ("domains", "architectures")
    }
    settings = {key: value for key, value in config.items() if key not in (*used, "studies", "experiments")}
    return {**used, **settings, section: {name: entry}}


def _placed(place: re.Match[str]) -> str:
    file, name = place.groups()
    text = yaml.safe_dump(excerpt(configuration(file), name), sort_keys=False, default_flow_style=None, width=100)
    return f"<!-- {file} {name} -->\n\n```yaml\n{text}```\n\n<!-- /yaml -->"


def _texts(value: object) -> Iterator[str]:
    """All texts in an entry, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


if __name__ == "__main__":
    PAGE.write_text(with_configurations(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
