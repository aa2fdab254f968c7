"""Input domains: points, sampling, eigenfunctions, spectra of kernels, targets. One file per domain.

`DOMAINS` names the ones a configuration may ask for; a new domain is one file and one line here.
"""

from ..errors import choose
from .circle import Circle
from .hypercube import Hypercube
from .samples import DataSet, Samples
from .sphere import Hypersphere

__all__ = ["DOMAINS", "Circle", "Hypercube", "Hypersphere", "Samples", "domain_from", "target_from"]

DOMAINS = {"hypercube": Hypercube, "circle": Circle, "sphere": Hypersphere, "data": DataSet}


def domain_from(specification):
    """The domain that a configuration entry {kind: ..., parameters...} describes; ValueError if it is wrong."""
    parameters = {name: value for name, value in specification.items() if name != "kind"}
    kind = choose("domain kind", specification.get("kind"), DOMAINS)
    try:
        return DOMAINS[kind](**parameters)
    except TypeError as error:
        raise ValueError(f"domain kind {kind!r}: {str(error).split('() ')[-1]}") from None


def target_from(domain, specification):
    """The target that a configuration entry {name: argument} describes on this domain; ValueError if it is wrong."""
    ((name, argument),) = specification.items()
    builder = getattr(domain, choose(f"target on a {domain.kind}", name, domain.targets))
    if isinstance(argument, dict):
        return builder(**argument)
    return builder() if argument is None else builder(argument)
