"""Attention by plain matrix products: PyTorch's fused kernels are no functions for vmap, and have no second derivative."""

from contextlib import ContextDecorator
from threading import Lock

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


class PlainAttention(ContextDecorator):
    """Inside, attention is made of matrix products.

    The settings are those of the process: it may be entered again inside, and by several threads at a time; the last one to
    leave restores what the first met.
    """

    def __init__(self) -> None:
        self._lock, self._users, self._fast = Lock(), 0, True
        self._plain = sdpa_kernel(SDPBackend.MATH)

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._fast = torch.backends.mha.get_fastpath_enabled()
                torch.backends.mha.set_fastpath_enabled(False)
                self._plain = sdpa_kernel(SDPBackend.MATH)
                self._plain.__enter__()

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._plain.__exit__(None, None, None)
                torch.backends.mha.set_fastpath_enabled(self._fast)


plain_attention = PlainAttention()
