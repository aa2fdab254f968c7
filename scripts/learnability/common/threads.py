"""One thread for the arithmetic of a result: its bytes then do not depend on the number of cores, jobs or threads.

BLAS, LAPACK and PyTorch cut a product, a factorization or a sum into as many parts as they have threads, and every cut rounds
differently: OpenBLAS inverts a matrix of five rows to other bits with two threads than with one. A computation of the library
therefore begins with `one_thread`. What is independent, blocks of a kernel matrix or of networks, is computed at once by
`in_parallel`; how it is cut into blocks does not depend on the number of threads.
"""

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ContextDecorator
from functools import cache, partial
from threading import Lock, local
from typing import Any, Self

from threadpoolctl import ThreadpoolController


@cache
def _libraries(loaded_with: str) -> ThreadpoolController:
    """The BLAS libraries that are loaded once a module is; to find them takes a millisecond."""
    return ThreadpoolController()


class OneThread(ContextDecorator):
    """Inside, BLAS, LAPACK and PyTorch use one thread.

    It may be entered again inside, and by several Python threads at a time: the last one to leave restores what the first met.
    """

    def __init__(self) -> None:
        self._lock, self._users, self._restore = Lock(), 0, {}
        self._threads = 1

    def __enter__(self) -> Self:
        with self._lock:
            self._users += 1
            for module in ("numpy", "scipy.linalg"):  # each brings a library of its own, SciPy's perhaps only inside
                if module in sys.modules and module not in self._restore:
                    limits = _libraries(module).limit(limits=1, user_api="blas")
                    self._restore[module] = limits.restore_original_limits
            if torch := sys.modules.get("torch"):
                if "torch" not in self._restore:
                    self._threads = torch.get_num_threads()
                    self._restore["torch"] = partial(torch.set_num_threads, self._threads)
                torch.set_num_threads(1)  # of this Python thread, too
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                while self._restore:
                    self._restore.popitem()[1]()

    @property
    def threads(self) -> int:
        """Threads of PyTorch outside, where this is entered."""
        return self._threads


one_thread = OneThread()
_worker = local()


@one_thread
def in_parallel(function: Callable[[Any], Any], items: Iterable) -> list:
    """[function(item) for item in items], as many at once as PyTorch has threads outside, each with one thread."""
    items = list(items)
    workers = min(one_thread.threads, len(items))
    if workers < 2 or getattr(_worker, "begun", False):
        return [function(item) for item in items]
    with ThreadPoolExecutor(workers, initializer=_begin) as pool:
        return list(pool.map(function, items))


@one_thread
def _begin() -> None:
    """A worker: it leaves PyTorch with one thread, and what it calls starts no workers of its own."""
    _worker.begun = True
