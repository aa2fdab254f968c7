"""Write config/README.md from config/schema.yaml: `make docs`."""

from pathlib import Path

from learnability.studies.schema import described, load_schema

FOLDER = Path(__file__).parent.parent / "config"
INTRODUCTION = """# Configuration

| file | what it is |
| --- | --- |
| `config.yaml` | the default: the two headline figures |
| `paper.yaml` | every experiment of the paper |
| `fidelity.yaml` | what the trainer's tolerance buys |
| `test.yaml` | a run of seconds that touches every rule of a study |
| `schema.yaml` | what is allowed, with defaults; this page is written from it by `make docs` |

Give another file with `--configfile`; it takes the place of `config.yaml`.
"""


def reference(schema):
    """The reference page, Markdown."""
    text = [INTRODUCTION]
    for section, part in schema["properties"].items():
        text.append(f"## {section}\n\n{described(part['description'])}\n")
        entry = part.get("additionalProperties") or part
        if "properties" not in entry:
            continue
        text.append("| key | allowed | default | meaning |\n| --- | --- | --- | --- |")
        required = entry.get("required", ())
        for key, rule in entry["properties"].items():
            default = "required" if key in required else _code(rule["default"]) if "default" in rule else ""
            text.append(f"| `{key}` | {_allowed(rule)} | {default} | {described(rule['description'])} |")
        text.append("")
    return "\n".join(text)


def _code(value):
    return f"`{value}`" if value != "" else ""


def _allowed(rule):
    if "enum" in rule:
        return ", ".join(_code(value) for value in rule["enum"])
    kind = rule.get("type", "list or range")
    bounds = [f"{sign} {rule[key]}" for key, sign in BOUNDS.items() if key in rule]
    return " ".join([kind, ", ".join(bounds)]).strip()


BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}


if __name__ == "__main__":
    schema = load_schema(FOLDER / "schema.yaml")
    (FOLDER / "README.md").write_text(reference(schema))
