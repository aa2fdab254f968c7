"""Write config/README.md from config/schema.yaml: `make docs`."""

import inspect
import sys
from collections.abc import Mapping
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from textwrap import fill
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the library of this checkout, whichever one is installed

from learnability.experiments import EXPERIMENTS
from learnability.figures import FIGURES
from learnability.studies.schema import described, load_schema

WHOLE = {"break_long_words": False, "break_on_hyphens": False}  # words, when lines are filled
FOLDER = Path(__file__).parent.parent / "config"
INTRODUCTION = """# Configuration

| file | what it is |
| --- | --- |
| `config.yaml` | the default: the two headline figures |
| `paper.yaml` | every experiment of the paper |
| `fidelity.yaml` | what the trainer's tolerance buys |
| `select.yaml` | which architecture will learn the digits |
| `beyond_the_data.yaml` | learning curves for more rows than a table has |
| `beyond_more_data.yaml` | the same from 200 to 1,600 known rows |
| `shifted_test.yaml` | test sets that training sets are not drawn from |
| `images.yaml` | dense, convolutional and pooled networks on images of digits |
| `locality.yaml` | what convolutions owe to locality |
| `modules/digits.yaml` | PyTorch modules on digits, predicted and trained in four ways |
| `large.yaml` | data sets too large for their kernel matrix; kernels after training; SGD and Adam |
| `test.yaml` | a run of seconds that touches every rule of a study |
| `schema.yaml` | what is allowed, with defaults; this page is written from it by `make docs` |

Give another file with `--configfile`; it takes the place of `config.yaml`. Of several files given at once later ones
win, key by key: a small second file changes single values (`--config` hands numbers over as texts, which are refused).
What none of them says has the default of the tables below. Paths in a configuration are relative to the folder that
snakemake runs in.
"""


def reference(schema: Mapping[str, Any]) -> str:
    """The reference page, Markdown."""
    text = [INTRODUCTION]
    for section, part in schema["properties"].items():
        text.append(f"## {section}\n\n{fill(described(part['description']), 120, **WHOLE)}\n")
        entry = part.get("additionalProperties") or part
        if "properties" not in entry:
            continue
        text.append("| key | allowed | default | meaning |\n| --- | --- | --- | --- |")
        required = entry.get("required", ())
        for key, rule in entry["properties"].items():
            default = "required" if key in required else _code(rule["default"]) if "default" in rule else ""
            text.append(f"| `{key}` | {_allowed(rule)} | {default} | {described(rule['description'])} |")
        text.append("")
    text += _options("Options of figures", "`figure_options` of each kind of figure", FIGURES, "draw", without="table")
    text += _options(
        "Options of experiments", "`options` and `vary` of each kind of experiment", EXPERIMENTS, "run", without="files"
    )
    return "\n".join(text)


def _options(title: str, introduction: str, kinds: Mapping[str, str], function: str, without: str) -> list[str]:
    """A table of what the functions of a registry's modules take, from their signatures and docstrings."""
    text = [f"## {title}\n\n{introduction}, with defaults; the ones without are required.\n"]
    text.append("| kind | what it is | options |\n| --- | --- | --- |")
    for kind, module in sorted(kinds.items()):
        called = getattr(import_module(module), function)
        taken = [p for p in signature(called).parameters.values() if p.name != without]
        options = [p.name if p.default is Parameter.empty else f"{p.name}={p.default!r}" for p in taken]
        summary = (inspect.getdoc(import_module(module)) or "").splitlines()[0]
        text.append(f"| `{kind}` | {summary} | {', '.join(f'`{option}`' for option in options)} |")
    return [*text, ""]


def _code(value: object) -> str:
    return f"`{value}`" if value != "" else ""


def _allowed(rule: Mapping[str, Any]) -> str:
    if "enum" in rule:
        return ", ".join(_code(value) for value in rule["enum"])
    kind = rule.get("type", "list or range")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    bounds = [f"{sign} {rule[key]}" for key, sign in BOUNDS.items() if key in rule]
    return " ".join([kind, ", ".join(bounds)]).strip()


BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}


if __name__ == "__main__":
    schema = load_schema(FOLDER / "schema.yaml")
    (FOLDER / "README.md").write_text(reference(schema))
