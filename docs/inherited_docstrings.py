"""For the site's reference: what members without a docstring are, from their base class or from the comment beside them.

A method that overrides one of its base class, and says no more, has the docstring of the base. A field of a dataclass whose
docstring lists no fields is described by the comment at the end of its line.
"""

from html import escape
from typing import Any

import griffe

LISTED = ("Attributes\n---", "Parameters\n---")  # sections of a docstring that lists the fields itself


class InheritedDocstrings(griffe.Extension):
    """Give members without a docstring one."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Go through all classes once the package has been read."""
        for module in pkg.modules.values():
            _complete(module)


def _complete(parent: griffe.Module | griffe.Class) -> None:
    for module in parent.modules.values():
        if not module.is_alias:
            _complete(module)
    for kind in parent.classes.values():
        if not kind.is_alias:
            for member in kind.members.values():
                if not member.is_alias and not member.docstring:
                    member.docstring = _of_base(kind, member.name) or _of_comment(kind, member)


def _of_base(kind: griffe.Class, name: str) -> griffe.Docstring | None:
    documented = (base.members[name].docstring for base in kind.mro() if name in base.members)
    return next(filter(None, documented), None)


def _of_comment(kind: griffe.Class, field: griffe.Object) -> griffe.Docstring | None:
    """The comment beside a field, or an empty line, so that the field is shown."""
    listed = kind.docstring and any(section in kind.docstring.value for section in LISTED)
    if listed or "dataclass" not in kind.labels or not field.is_attribute or field.annotation is None:
        return None
    _, _, comment = " ".join(field.lines).partition("  # ")
    return griffe.Docstring(escape(comment) or "&nbsp;", parent=field)
