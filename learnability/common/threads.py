"""One thread for the arithmetic of a result: its bytes then do not depend on the number of cores, jobs or threads.

BLAS, LAPACK and PyTorch cut a product, a factorization or a sum into as many parts as they have threads, and every cut rounds
differently: OpenBLAS inverts a matrix of five rows to other bits with two threads than with one. A computation of the library
therefore begins with `one_thread`. What is independent, blocks of a kernel matrix or of networks, is computed at once by
`in_parallel`; how it is cut into blocks does not depend on the number of threads.
"""

import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ContextDecorator
from functools import cache
from threading import Lock, local
from typing import Any, Self

from threadpoolctl import LibController, ThreadpoolController

BRINGS_BLAS = ("numpy", "scipy.linalg")  # each a library of its own, SciPy's perhaps only inside of a computation


class OneThread(ContextDecorator):
    """Inside, BLAS, LAPACK and PyTorch use one thread.

    It may be entered again inside, and by several Python threads at a time: the last one to leave restores what the first met.
    """

    def __init__(self) -> None:
        self._lock, self._users, self._thread = Lock(), 0, local()
        self._libraries: dict[LibController, int] = {}  # and their threads outside
        self._torch: int | None = None

    def __enter__(self) -> Self:
        self._thread.depth = self._depth + 1
        with self._lock:
            self._users += 1
            loaded = _blas_libraries(tuple(module for module in BRINGS_BLAS if module in sys.modules))
            if self._depth == 1 or len(loaded) > len(self._libraries):
                for library in loaded:
                    self._libraries.setdefault(library, library.num_threads)
                    _set_threads(library, 1)
            if torch := sys.modules.get("torch"):
                self._torch = self._torch or torch.get_num_threads()
                torch.set_num_threads(1)  # a number of each Python thread
        return self

    def __exit__(self, *error: object) -> None:
        self._thread.depth -= 1
        with self._lock:
            self._users -= 1
            if self._users:
                return
            for library, number in self._libraries.items():
                _set_threads(library, number)
            if self._torch:
                sys.modules["torch"].set_num_threads(self._torch)
            self._libraries, self._torch = {}, None

    @property
    def _depth(self) -> int:
        return getattr(self._thread, "depth", 0)

    @property
    def threads(self) -> int:
        """Inside, the threads of PyTorch outside."""
        return self._torch or 1


@cache
def _blas_libraries(modules: tuple[str, ...]) -> tuple[LibController, ...]:
    """Those that are loaded once some modules are; a search takes a millisecond, and the same library is the same object."""
    before = _blas_libraries(modules[:-1]) if modules else ()
    paths = [library.filepath for library in before]
    loaded = ThreadpoolController().select(user_api="blas").lib_controllers if modules else []
    return (*before, *(library for library in loaded if library.filepath not in paths))


def _set_threads(library: LibController, number: int) -> None:
    """From any Python thread: threadpoolctl would heed the one alone that was the first to set OpenBLAS's."""
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(number)
    release(force=True)


one_thread = OneThread()
_worker = local()


@one_thread
def in_parallel(function: Callable[[Any], Any], items: Iterable) -> list:
    """[function(item) for item in items], as many at once as PyTorch has threads outside, each with one thread."""
    items = list(items)
    workers = min(one_thread.threads, len(items))
    if workers < 2 or getattr(_worker, "begun", False):
        return [function(item) for item in items]
    futures = [_pool(one_thread.threads).submit(function, item) for item in items]
    wait(futures, return_when=FIRST_EXCEPTION)
    for future in futures:
        future.cancel()
    wait(futures)
    for future in futures:
        if not future.cancelled():  # one before it may be: picked up by a worker, and not begun
            future.result()
    return [future.result() for future in futures]


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    """Workers that stay: every new thread would take memory of its own for what libraries and the allocator keep."""
    return ThreadPoolExecutor(workers, initializer=_begin)


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads stay with the parent


@one_thread
def _begin() -> None:
    """A worker: it leaves PyTorch with one thread, and what it calls starts no workers of its own."""
    _worker.begun = True
