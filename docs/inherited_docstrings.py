"""For the site's reference: a method that overrides one of its base class, and says no more, has the docstring of the base."""

from typing import Any

import griffe


class InheritedDocstrings(griffe.Extension):
    """Give members without a docstring the one of the nearest base class that has the member documented."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Go through all classes once the package has been read."""
        for name in pkg.modules:
            _complete(pkg.modules[name])


def _complete(parent: griffe.Module | griffe.Class) -> None:
    for module in parent.modules.values():
        if not module.is_alias:
            _complete(module)
    for kind in parent.classes.values():
        if not kind.is_alias:
            for member in kind.members.values():
                if not member.is_alias and not member.docstring:
                    member.docstring = _of_base(kind, member.name)


def _of_base(kind: griffe.Class, name: str) -> griffe.Docstring | None:
    documented = (base.members[name].docstring for base in kind.mro() if name in base.members)
    return next(filter(None, documented), None)
