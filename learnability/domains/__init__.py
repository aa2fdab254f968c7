"""Input domains: points, sampling, eigenfunctions, spectra of kernels, targets. One file per domain.

`DOMAINS` names the ones a configuration may ask for; a new domain is one file and one line here.
"""

from inspect import signature

from ..common.errors import built, choose, require_arguments
from .circle import Circle
from .domain import Domain
from .hypercube import Hypercube
from .samples import DataSet, Samples
from .sphere import Hypersphere
from .synthetic import GaussianSamples, MixtureSamples, SphereSamples

__all__ = ["DOMAINS", "Circle", "Hypercube", "Hypersphere", "Samples", "domain_from", "target_from"]

DOMAINS: dict[str, type[Domain]] = {
    "hypercube": Hypercube,
    "circle": Circle,
    "sphere": Hypersphere,
    "data": DataSet,
    "gaussian_samples": GaussianSamples,
    "mixture_samples": MixtureSamples,
    "sphere_samples": SphereSamples,
}


def domain_from(specification):
    """The domain that a configuration entry {kind: ..., parameters...} describes; ValueError if it is wrong."""
    return built("domain", DOMAINS, specification)


def target_from(domain, specification):
    """The target that a configuration entry {name: argument} describes on this domain; ValueError if it is wrong."""
    ((name, argument),) = specification.items()
    builder = getattr(domain, choose(f"target on a {domain.kind}", name, domain.targets))
    if isinstance(argument, dict):
        require_arguments(f"argument of {name}", builder, argument)
        return builder(**argument)
    try:
        return builder() if argument is None else builder(argument)
    except TypeError:
        arguments = ", ".join(signature(builder).parameters) or "no argument (write null)"
        raise ValueError(f"target {name!r}: {argument!r} is not allowed; it takes {arguments}") from None
