"""Tensor operations of a computation, counted: on a GPU each is one kernel launch or more, and some make the host wait."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

VIEWS = ("view", "expand", "alias", "transpose", "t", "slice", "select", "diagonal", "unsqueeze", "squeeze", "detach")


class OperatorCount(TorchDispatchMode):
    """Counts the operations inside a with-block.

    Attributes
    ----------
    launched : Counter
        Operations that compute, by name.
    waits : Counter
        Those whose result the host must see before it goes on: numbers read, masks turned into indices, copies to the CPU, the
        error code of an eigendecomposition.
    """

    def __init__(self) -> None:
        super().__init__()
        self.launched: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self._lists = _Lists(self.waits)

    def __enter__(self) -> "OperatorCount":
        self._lists.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._lists.__exit__(*error)

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        name, options = function.overloadpacket.__name__, options or {}
        if name not in VIEWS and not name.endswith("unsafe_view"):
            self.launched[name] += 1
        if waits(name, arguments, options):
            self.waits[name] += 1
        return function(*arguments, **options)


class _Lists(TorchFunctionMode):
    """Counts the tensors of a CPU that become lists; those of a GPU are copied first, which is seen."""

    def __init__(self, count: Counter[str]) -> None:
        super().__init__()
        self._count = count

    def __torch_function__(
        self, function: Any, types: Any, arguments: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        if function is torch.Tensor.tolist and arguments[0].device.type == "cpu":
            self._count["tolist"] += 1
        return function(*arguments, **(options or {}))


def waits(name: str, arguments: Sequence[Any], options: Mapping[str, Any]) -> bool:
    """Whether the host must see the result of an operation before it goes on."""
    if name in ("index", "index_put_"):
        return any(torch.is_tensor(index) and index.dtype == torch.bool for index in arguments[1])
    if name == "_to_copy":
        return arguments[0].device.type != "cpu" and options.get("device", arguments[0].device).type == "cpu"
    return name in ("_local_scalar_dense", "nonzero", "_linalg_eigh", "equal")
