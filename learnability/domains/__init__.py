"""Input domains: points, sampling, eigenfunctions, spectra of kernels, targets. One file per domain.

`DOMAINS` names the ones a configuration may ask for; a new domain is one file and one line here.
"""

from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from typing import Any

from ..common.errors import built, choose, require, require_arguments
from ..spectra.target import Target
from .circle import Circle
from .domain import Domain
from .hypercube import Hypercube
from .samples import DataSet, Samples
from .sphere import Hypersphere
from .synthetic import GaussianSamples, MixtureSamples, SphereSamples

__all__ = ["DOMAINS", "Circle", "Hypercube", "Hypersphere", "Samples", "domain_from", "label_of", "target_from"]

DOMAINS: dict[str, type[Domain]] = {
    "hypercube": Hypercube,
    "circle": Circle,
    "sphere": Hypersphere,
    "data": DataSet,
    "gaussian_samples": GaussianSamples,
    "mixture_samples": MixtureSamples,
    "sphere_samples": SphereSamples,
}


def domain_from(specification: Mapping[str, Any]) -> Domain:
    """The domain that a configuration entry {kind: ..., parameters...} describes; ValueError if it is wrong."""
    return built("domain", DOMAINS, specification)


def label_of(specification: Any) -> str:
    """The name of a target in tables, legends and random streams: {parity: 3} is "parity 3", as `Hypercube.parity(3)` is."""
    require(
        isinstance(specification, dict) and len(specification) == 1,
        f"target {specification!r} is no mapping of one name to its argument; write e.g. {{parity: 3}}",
    )
    ((name, argument),) = specification.items()
    if isinstance(argument, dict):
        argument = " ".join(str(value) for value in argument.values())
    return name if argument is None else f"{name} {argument}"


def target_from(domain: Domain, specification: Mapping[str, Any]) -> Target:
    """The target that a configuration entry {name: argument} describes on this domain, with its label as its name.

    Raises
    ------
    ValueError
        A target that the domain does not have, or a wrong argument.
    """
    label = label_of(specification)
    ((name, argument),) = specification.items()
    builder = getattr(domain, choose(f"target on a {domain.kind}", name, domain.targets))
    if isinstance(argument, dict):
        require_arguments(f"argument of {name}", builder, argument)
        return replace(builder(**argument), name=label)
    try:
        return replace(builder() if argument is None else builder(argument), name=label)
    except TypeError:
        arguments = ", ".join(signature(builder).parameters) or "no argument (write null)"
        raise ValueError(f"target {name!r}: {argument!r} is not allowed; it takes {arguments}") from None
