r"""Initial weights: standard normal numbers that follow from a network's key and their place in the network, on any device.

Philox4x64-10 turns a counter and a key into four random words of 64 bits, without a state that would have to be passed on
(Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3). NumPy has it in C for the CPU; on another
device it is the same integer arithmetic, and words are equal. Pairs of their halves, u and v uniform between 0 and 1, become
pairs of normal numbers in single precision (Box & Muller 1958),

    sqrt(-2 log u) cos(2 pi v),   sqrt(-2 log u) sin(2 pi v),

equal on all devices up to rounding, and at most sqrt(66 log 2) = 6.8.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..common.threads import in_parallel, one_thread

MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)  # added to the key after each round
ROUNDS = 10
LOW = 0xFFFFFFFF
NUMBERS = 8  # normal ones, of the four words of a counter
GROUP = 1 << 17  # numbers that are made at once, of a parameter: they stay in the cache of a core

Words = Int[Tensor, "..."]


@one_thread
def standard_normal(
    keys: Sequence[tuple[int, int]], shapes: Sequence[Sequence[int]], device: torch.device | str = "cpu"
) -> list[Float[Tensor, "..."]]:
    """The initial parameters of networks, float32, for each shape (networks, *shape).

    Parameters
    ----------
    keys : one per network, two numbers of 64 bits, as `learnability.common.seeding.key` makes them
    shapes : of a network's parameters, in an order that belongs to the network

    Examples
    --------
    >>> weights, biases = standard_normal([(1, 2), (3, 4)], [(100, 50), (50,)])
    >>> tuple(weights.shape), tuple(biases.shape)
    ((2, 100, 50), (2, 50))
    >>> bool(torch.equal(standard_normal([(3, 4)], [(100, 50)])[0][0], weights[1]))
    True
    """
    sizes = [math.prod(shape) for shape in shapes]
    drawn = _on_cpu(keys, sizes) if torch.device(device).type == "cpu" else _on_device(keys, sizes, device)
    return [parameters.view(len(keys), *shape) for parameters, shape in zip(drawn, shapes, strict=True)]


def _on_cpu(keys: Sequence[tuple[int, int]], sizes: Sequence[int]) -> list[Float[Tensor, "networks _size"]]:
    empty = [np.empty((len(keys), size), np.float32) for size in sizes]  # in huge pages, unlike PyTorch's
    drawn = [torch.from_numpy(parameters) for parameters in empty]

    def fill(network: int) -> None:
        generator = np.random.Philox(key=np.array(keys[network], dtype=np.uint64))
        for parameters in drawn:
            for group in parameters[network].split(GROUP):
                words = generator.random_raw(4 * _counters(len(group))).view(np.int64)
                group.copy_(_normal(torch.from_numpy(words))[: len(group)])

    in_parallel(fill, range(len(keys)))
    return drawn


def _on_device(
    keys: Sequence[tuple[int, int]], sizes: Sequence[int], device: torch.device | str
) -> list[Float[Tensor, "networks _size"]]:
    counters = [_counters(size) for size in sizes]
    zero = torch.zeros(1, 1, dtype=torch.long, device=device)
    first = torch.arange(1, sum(counters) + 1, device=device)[None]  # NumPy counts from 1
    key = torch.tensor([[_signed(word) for word in pair] for pair in keys], device=device)
    words = torch.stack(philox((first, zero, zero, zero), (key[:, :1], key[:, 1:])), -1).flatten(1)
    drawn = []
    for size, part in zip(sizes, words.split([4 * number for number in counters], 1), strict=True):
        groups = [_normal(group) for group in part.split(4 * _counters(GROUP), 1)]
        drawn.append(torch.cat(groups, 1)[:, :size].contiguous())
    return drawn


def _counters(numbers: int) -> int:
    """How many counters make so many normal numbers."""
    return -(-numbers // NUMBERS)


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[Words, Words]) -> tuple[Words, Words, Words, Words]:
    """Philox4x64-10: four words of the counter and two of the key, int64 tensors that broadcast, to four random words.

    Examples
    --------
    >>> zero = torch.zeros(1, dtype=torch.long)
    >>> words = philox((zero, zero, zero, zero), (zero, zero))
    >>> f"{words[0].item():016x}"
    '16554d9eca36314c'
    """
    a, b, c, d = counter
    for number in range(ROUNDS):
        first, second = (word + _signed(number * step) for word, step in zip(key, WEYL, strict=True))
        (high, low), (high2, low2) = _product(a, MULTIPLIERS[0]), _product(c, MULTIPLIERS[1])
        a, b, c, d = high2 ^ b ^ first, low2, high ^ d ^ second, low
    return a, b, c, d


def _product(word: Words, factor: int) -> tuple[Words, Words]:
    """The high and the low 64 bits of a product of unsigned words of 64 bits, by halves of 32 bits."""
    low, high = word & LOW, _high(word)
    factor_low, factor_high = factor & LOW, factor >> 32
    middle = high * factor_low + _high(low * factor_low)  # none of these sums exceeds 64 bits
    middle2 = low * factor_high + (middle & LOW)
    return high * factor_high + _high(middle) + _high(middle2), word * _signed(factor)


def _high(word: Words) -> Words:
    """The upper 32 bits; a shift to the right repeats the sign."""
    return (word >> 32) & LOW


def _signed(word: int) -> int:
    """The int64 with the lower 64 bits of a number."""
    return (word + (1 << 63)) % (1 << 64) - (1 << 63)


def _normal(words: Int[Tensor, "*networks words"]) -> Float[Tensor, "*networks numbers"]:
    """Box and Muller's transform of the halves of the words, twice as many, in their place in memory."""
    radius, angle = words.view(torch.uint32).to(torch.float32).unflatten(-1, (2, -1)).unbind(-2)
    radius.add_(0.5).mul_(2**-32).log_().mul_(-2).sqrt_()
    angle.mul_(2 * math.pi * 2**-32)
    numbers = words.view(torch.float32)
    cosines, sines = numbers.unflatten(-1, (2, -1)).unbind(-2)
    torch.cos(angle, out=cosines).mul_(radius)
    torch.sin(angle, out=sines).mul_(radius)
    return numbers
