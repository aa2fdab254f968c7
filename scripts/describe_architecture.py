"""Draw the imports between the library's packages into docs/architecture.md: `make docs`."""

import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the library of this checkout, whichever one is installed

from learnability.common.provenance import imports

PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"
BEGIN, END = "<!-- imports -->\n", "<!-- /imports -->"


def with_picture(page: str) -> str:
    """The page with the picture of the imports as they are now."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{picture(package_imports())}\n{END}{after}"


def package_imports() -> dict[str, set[str]]:
    """Which package imports which others, from the modules' imports."""
    edges: dict[str, set[str]] = {}
    for module, imported in imports().items():
        package = module.split("/")[0]
        edges.setdefault(package, set()).update({other.split("/")[0] for other in imported} - {package})
    return edges


def picture(edges: Mapping[str, set[str]]) -> str:
    """A Mermaid graph; an import that follows from a longer way is left out."""
    lines = ["```mermaid", "graph BT"]
    for package in sorted(edges):
        for other in sorted(edges[package]):
            if not any(other in reached(between, edges) for between in edges[package] - {other}):
                lines.append(f"    {package} --> {other}")
    return "\n".join([*lines, "```", ""])


def reached(package: str, edges: Mapping[str, set[str]]) -> set[str]:
    """All packages that one imports, directly or not."""
    direct = edges.get(package, set())
    return direct.union(*(reached(other, edges) for other in direct))


if __name__ == "__main__":
    PAGE.write_text(with_picture(PAGE.read_text()))
