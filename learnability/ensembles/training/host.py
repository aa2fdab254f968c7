"""What the host sees of a device: every look waits for it, so that a step has as few as it can."""

import torch
from jaxtyping import Bool
from torch import Tensor


def places(*masks: Bool[Tensor, " networks"]) -> list[list[int]]:
    """For each mask where it is True, from one read of the device.

    Examples
    --------
    >>> places(torch.tensor([True, False, True]), torch.tensor([False, False, False]))
    [[0, 2], []]
    """
    return [[place for place, true in enumerate(mask) if true] for mask in torch.stack(masks).tolist()]
