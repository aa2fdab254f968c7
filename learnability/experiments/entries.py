"""What a cell of an experiment is made of: entries of the configuration, and files that other jobs have written."""

from collections.abc import Mapping
from os import PathLike
from typing import Any, TypeVar

from ..domains.domain import Domain, FiniteDomain

Entry = Mapping[str, Any]  # a domain, an architecture or a target as in a configuration
Files = Mapping[str, str | PathLike]  # those that `READS` lists, by the name of what is in them
KindOfDomain = TypeVar("KindOfDomain", bound=Domain)


def of_kind(domain: Domain, *kinds: type[KindOfDomain]) -> KindOfDomain:
    """The domain, which must be of one of some kinds.

    Raises
    ------
    ValueError
        It is of another kind.
    """
    if not isinstance(domain, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"this experiment is not defined on {domain}; give a {names}")
    return domain


def finite(domain: Domain) -> FiniteDomain:
    """The domain, which must be a list of points.

    Raises
    ------
    ValueError
        It has infinitely many points, or more than can be listed.
    """
    if not isinstance(domain, FiniteDomain):
        raise ValueError(f"this experiment needs a domain whose points can be listed, and {domain} is none")
    return domain
