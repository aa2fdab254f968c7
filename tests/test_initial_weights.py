"""Initial weights: the published words of Philox, equal on all devices, normal and independent."""

import numpy as np
import pytest
import torch
from fake_gpu import fake_gpu
from scipy import stats

import learnability as lb
from learnability.common.seeding import key
from learnability.ensembles.initial_weights import GROUP, philox, standard_normal

ONES = (1 << 64) - 1
PUBLISHED = [  # kat_vectors of Random123, philox4x64-10: counter, key, words
    ((0,) * 4, (0,) * 2, (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B)),
    ((ONES,) * 4, (ONES,) * 2, (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0)),
    (
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
]


def tensors(words):
    return tuple(torch.from_numpy(np.array([word], dtype=np.uint64).view(np.int64)) for word in words)


@pytest.mark.parametrize(("counter", "pair", "words"), PUBLISHED)
def test_the_published_words(counter, pair, words):
    drawn = philox(tensors(counter), tensors(pair))
    assert tuple(int(word.numpy().view(np.uint64)[0]) for word in drawn) == words


def test_words_are_those_of_numpy():
    for pair in ((1, 2), (ONES, 1 << 63)):
        expected = np.random.Philox(key=np.array(pair, dtype=np.uint64)).random_raw(400)
        zero = torch.zeros(1, dtype=torch.long)
        drawn = philox((torch.arange(1, 101), zero, zero, zero), tensors(pair))
        assert (torch.stack(drawn, 1).flatten().numpy().view(np.uint64) == expected).all()


def test_devices_agree_up_to_rounding_and_batches_to_the_last_bit():
    keys, shapes = [key("initial weights", seed=seed) for seed in range(3)], [(7, 11), (1, 11), (GROUP + 3, 1), (1,)]
    together = standard_normal(keys, shapes)
    alone = [standard_normal([one], shapes) for one in keys]
    with fake_gpu():
        there = [parameters.cpu() for parameters in standard_normal(keys, shapes, "cuda")]
    for number, (parameters, on_device) in enumerate(zip(together, there, strict=True)):
        assert torch.equal(parameters, torch.cat([network[number] for network in alone]))
        assert parameters.is_contiguous() and parameters.dtype == torch.float32
        torch.testing.assert_close(parameters, on_device, rtol=0, atol=3e-6)  # of single precision, up to 6.8


def test_numbers_are_standard_normal():
    size = 4 * GROUP
    numbers = standard_normal([(0, 0)], [(size,)])[0].double()[0].numpy()
    assert np.isfinite(numbers).all() and np.abs(numbers).max() < 6.8
    for power, moment, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):  # spread: variance of the power
        assert abs((numbers**power).mean() - moment) < 4 * np.sqrt(spread / size)
    assert stats.kstest(numbers, "norm").pvalue > 1e-3


def test_neighbours_layers_and_seeds_are_independent():
    size, keys = 1 << 17, [key("initial weights", seed=seed) for seed in range(2)]
    first, second = (layer.double().numpy() for layer in standard_normal(keys, [(size,), (size,)]))
    pairs = {
        "layers": (first[0], second[0]),
        "seeds": (first[0], first[1]),
        "pairs of Box and Muller": (first[0][: size // 2], first[0][size // 2 :]),
        **{f"at a distance of {lag}": (first[0][:-lag], first[0][lag:]) for lag in (1, 2, 4, 8, 16)},
    }
    for name, (one, other) in pairs.items():
        for power in (1, 2):  # squares see radii that are shared
            correlation = np.corrcoef(one**power, other**power)[0, 1]
            assert abs(correlation) < 4.5 / np.sqrt(len(one)), name


def test_networks_of_other_sizes_or_architectures_have_other_weights():
    networks = [
        lb.Ensemble.initial(lb.FullyConnected(depth), dim, 20, [seed]).weights[1].ravel()
        for depth, dim, seed in ((2, 3, 0), (3, 3, 0), (2, 4, 0), (2, 3, 1))
    ]
    correlations = np.corrcoef(np.stack([weights[:20] for weights in networks]))
    assert np.abs(correlations - np.eye(4)).max() < 0.9
