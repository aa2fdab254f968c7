"""Input domains: points, sampling, eigenfunctions, spectra of kernels, targets. One file per domain.

`DOMAINS` names the ones a configuration may ask for; a new domain is one file and one line here.
"""

from inspect import Parameter, signature

from ..errors import choose, require
from .circle import Circle
from .data import load
from .hypercube import Hypercube
from .samples import DataSet, Samples
from .sphere import Hypersphere

__all__ = ["DOMAINS", "Circle", "Hypercube", "Hypersphere", "Samples", "domain_from", "target_from"]

DOMAINS = {"hypercube": Hypercube, "circle": Circle, "sphere": Hypersphere, "data": DataSet}


def domain_from(specification):
    """The domain that a configuration entry {kind: ..., parameters...} describes; ValueError if it is wrong."""
    parameters = {name: value for name, value in specification.items() if name != "kind"}
    kind = choose("domain kind", specification.get("kind"), DOMAINS)
    return _called(f"parameter of a {kind}", load if kind == "data" else DOMAINS[kind], parameters, DOMAINS[kind])


def target_from(domain, specification):
    """The target that a configuration entry {name: argument} describes on this domain; ValueError if it is wrong."""
    ((name, argument),) = specification.items()
    builder = getattr(domain, choose(f"target on a {domain.kind}", name, domain.targets))
    if isinstance(argument, dict):
        return _called(f"argument of {name}", builder, argument, builder)
    try:
        return builder() if argument is None else builder(argument)
    except TypeError:
        arguments = ", ".join(signature(builder).parameters) or "no argument (write null)"
        raise ValueError(f"target {name!r}: {argument!r} is not allowed; it takes {arguments}") from None


def _called(what, described, arguments, build):
    """build(**arguments), with arguments checked against the signature of `described`."""
    parameters = signature(described).parameters
    for name in arguments:
        choose(what, name, parameters)
    missing = [n for n, p in parameters.items() if p.default is Parameter.empty and n not in arguments]
    require(not missing, f"{what} {missing[0] if missing else ''!r} is missing")
    return build(**arguments)
