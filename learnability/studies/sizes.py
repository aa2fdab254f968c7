"""How large the domains of a configuration are: measured once, where its check builds them, and handed on to what asks."""

import json
import os
import tracemalloc
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..domains import domain_from
from ..domains.data import OPENML, import_readers, openml_bytes
from ..domains.domain import Domain
from ..domains.samples import DataSet
from ..ensembles.memory import ModuleSize
from ..kernels.matrix import LARGEST_MATRIX

VARIABLE = "LEARNABILITY_SIZES"


@dataclass(frozen=True)
class DomainSize:
    """What of a domain decides the memory and time of jobs.

    Attributes
    ----------
    points, dim : int
        Of the points on which learned functions are measured.
    matrix : int
        The points of the kernel matrix in its kernel files; 0 where a profile stands for it.
    alike : bool
        Whether a symmetry takes every point to every other one.
    loading, held : int
        Bytes taken at most while the points are made, and once they are there.
    """

    points: int
    dim: int
    matrix: int
    alike: bool
    loading: int
    held: int


@dataclass(frozen=True)
class Sizes:
    """The sizes of the domains, by name, and how many outputs the targets of a study or experiment have, by name.

    `modules` are the sizes of networks that are PyTorch modules, by study and "architecture/width"; of experiments those of the
    largest ones, by experiment and cell.

    Examples
    --------
    >>> sizes = Sizes({"cube": DomainSize(16, 4, 16, True, 0, 0)}, {"one": 1})
    >>> Sizes.from_json(sizes.to_json()) == sizes
    True
    """

    domains: Mapping[str, DomainSize]
    outputs: Mapping[str, int]
    modules: Mapping[str, Mapping[str, ModuleSize]] = field(default_factory=dict)

    def to_json(self) -> str:
        """As text, for a process that should not build the domains again."""
        return json.dumps(asdict(self))

    def hand_down(self) -> None:
        """Tell the processes that this one starts, so that jobs load no data set beside their own."""
        os.environ[VARIABLE] = self.to_json()

    @classmethod
    def handed_down(cls) -> "Sizes | None":
        """What the process that started this one told, if it did."""
        return cls.from_json(os.environ[VARIABLE]) if VARIABLE in os.environ else None

    @classmethod
    def from_json(cls, text: str) -> "Sizes":
        """From the text that `to_json` makes."""
        content = json.loads(text)
        domains = {name: DomainSize(**size) for name, size in content["domains"].items()}
        modules = {
            study: {name: ModuleSize(**size) for name, size in of_study.items()}
            for study, of_study in content["modules"].items()
        }
        return cls(domains, content["outputs"], modules)


def measured(specification: Mapping[str, Any]) -> tuple[Domain, DomainSize]:
    """The domain that a configuration entry describes, with its points made, and its size.

    Memory is what Python, NumPy and pandas allocate meanwhile: reading and converting a file takes several times the
    memory of its points.

    Examples
    --------
    >>> domain, size = measured({"kind": "hypercube", "dim": 4})
    >>> size.points, size.dim, size.matrix
    (16, 4, 16)
    """
    if specification.get("name") in OPENML:  # millions of small objects, which tracing makes four times as slow
        domain = domain_from(specification)
        assert isinstance(domain, DataSet)  # the one kind of domain with a name
        points, _ = domain.evaluation()
        held, loading = points.nbytes + domain.labels.nbytes, openml_bytes(specification["name"])
        return domain, DomainSize(len(points), points[0].size, _matrix(domain), domain.alike, max(held, loading), held)
    if specification.get("kind") == "data":
        import_readers(specification.get("path"))  # tracing makes imports slower than reading
    tracemalloc.start()
    try:
        domain = domain_from(specification)
        points, _ = domain.evaluation()
        held, loading = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return domain, DomainSize(len(points), points[0].size, _matrix(domain), domain.alike, loading, held)


def _matrix(domain: Domain) -> int:
    listed = domain.size or 0
    return listed if listed <= LARGEST_MATRIX or not domain.alike else 0
