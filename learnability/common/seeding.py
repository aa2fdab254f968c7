"""Identity, not position, decides randomness.

A random stream follows from *what* it is for (a domain, a training-set size, a seed) through a hash of
that description. It does not depend on job order, block size, device or process.
"""

import hashlib
import json

import numpy as np
from numpy.typing import NDArray


def digest(identity: object) -> str:
    """SHA-256 hex digest of a JSON-serialisable description; keys are sorted, numbers keep their repr.

    Examples
    --------
    >>> digest({"dim": 8, "kind": "hypercube"}) == digest({"kind": "hypercube", "dim": 8})
    True
    """
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of(array: NDArray) -> str:
    """SHA-256 hex digest of an array's content; text counts as UTF-8, one value per line.

    Examples
    --------
    >>> hash_of(np.array([1.0, 2.0])) == hash_of(np.array([2.0, 1.0]))
    False
    """
    if array.dtype.kind in "OUS":
        return hashlib.sha256("\n".join(map(str, array.ravel())).encode()).hexdigest()
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def stream(purpose: str, **identity: object) -> np.random.Generator:
    """The random generator that belongs to one thing.

    Parameters
    ----------
    purpose : str
        What the numbers are for ("training set", "initial weights", ...).
    identity : JSON-serialisable values
        Everything that makes this thing different from another one.

    Returns
    -------
    numpy.random.Generator
        The same description gives the same stream on every machine.

    Examples
    --------
    >>> one, same, other = (stream("training set", seed=seed).random() for seed in (0, 0, 1))
    >>> one == same, one == other
    (True, False)
    """
    return np.random.default_rng(int(digest([purpose, identity]), 16))


def key(purpose: str, **identity: object) -> tuple[int, int]:
    """The key of a counter-based generator that belongs to one thing, two numbers of 64 bits; see `stream`.

    Examples
    --------
    >>> key("initial weights", seed=0) == key("initial weights", seed=1)
    False
    """
    number = int(digest([purpose, identity]), 16)
    return number % (1 << 64), (number >> 64) % (1 << 64)
