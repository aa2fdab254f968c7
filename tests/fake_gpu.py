"""A GPU that is none: tensors say that they are on cuda:0, compute on the CPU, and refuse to be mixed with the CPU's.

It counts what the host reads of it, which on a real one it would wait for.
"""

from collections import Counter
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from benchmarks.operators import waits

READS: Counter[str] = Counter()
MIXED = ("index", "index_put_", "_index_put_impl_", "copy_")  # what takes tensors of both


class Remote(torch.Tensor):
    """A tensor on the GPU that is none; `inner` is where it really is."""

    @staticmethod
    def __new__(cls, inner):
        where = {"strides": inner.stride(), "storage_offset": inner.storage_offset()}
        return torch.Tensor._make_wrapper_subclass(cls, inner.size(), dtype=inner.dtype, device="meta", **where)

    def __init__(self, inner):
        self.inner = inner

    device = property(lambda self: torch.device("cuda:0"))

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), options=None):
        return dispatched(function, arguments, options or {})


def dispatched(function, arguments, options):
    """Compute on the CPU what is asked for on the GPU."""
    name = function.overloadpacket.__name__
    tensors = [t for t in tree_flatten((arguments, options))[0] if torch.is_tensor(t)]
    local = [t for t in tensors if not isinstance(t, Remote) and t.ndim > 0]
    if local and name not in MIXED:
        raise RuntimeError(f"expected all tensors on one device, but {name} got some on cuda:0 and some on cpu")
    if waits(name, arguments, options):
        READS[name] += 1
    options = {key: "cpu" if key == "device" and value is not None else value for key, value in options.items()}
    inner_arguments, inner_options = tree_map(_inner, (arguments, options))
    result = function(*inner_arguments, **inner_options)
    if name.endswith("_") and not name.endswith("__"):  # in place; x >> y is not
        return arguments[0]
    return options["out"] if "out" in options else tree_map(_outer, result)


def _inner(value):
    return value.inner if isinstance(value, Remote) else value


def _outer(value):
    return Remote(value) if torch.is_tensor(value) else value


def _is_gpu(device):
    return isinstance(device, str | torch.device) and torch.device(device).type == "cuda"


class _Devices(TorchFunctionMode):
    """Takes calls that name a device before PyTorch looks for it."""

    def __torch_function__(self, function, types, arguments=(), options=None):
        options = options or {}
        if function is torch.Tensor.tolist:
            READS["tolist"] += isinstance(arguments[0], Remote)
            return _inner(arguments[0]).tolist()
        if function in (torch.Tensor.to, torch.Tensor.cpu):
            return _moved(*arguments, *(["cpu"] if function is torch.Tensor.cpu else []), **options)
        if _is_gpu(options.get("device")):
            return _outer(function(*arguments, **{**options, "device": "cpu"}))
        return function(*arguments, **options)


class _Created(TorchDispatchMode):
    """Takes the tensors that PyTorch makes itself beside one on the GPU."""

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        options = options or {}
        beside = options.get("device") is not None and options["device"].type == "meta"
        return dispatched(function, arguments, options) if beside else function(*arguments, **options)


def _moved(tensor, *arguments, **options):
    given = [*arguments, *options.values()]
    kinds = [value for value in given if isinstance(value, torch.dtype)]
    places = [value for value in given if isinstance(value, str | torch.device)]
    inner = _inner(tensor).to(*kinds)
    there = _is_gpu(places[0]) if places else isinstance(tensor, Remote)
    READS["to the CPU"] += isinstance(tensor, Remote) and not there
    return Remote(inner) if there else inner


@contextmanager
def fake_gpu(free=1 << 30):
    """Inside, PyTorch has a GPU with `free` bytes of memory; yields what is read of it, a Counter by operation."""
    READS.clear()
    with (
        patch("torch.cuda.is_available", lambda: True),
        patch("torch.cuda.mem_get_info", lambda device=None: (free, 2 * free)),
        patch("torch.cuda.memory_reserved", lambda device=None: 0),
        patch("torch.cuda.memory_allocated", lambda device=None: 0),
        torch.no_grad(),
        _Devices(),
        _Created(),
    ):
        yield READS
