"""Annotations are checked while these tests run, but for those that are marked `wrong_types`."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import learnability as lb
from learnability.measurements.metrics import mean_squared_error


def test_shapes_and_types_are_checked():
    with pytest.raises(TypeCheckError):
        mean_squared_error(np.zeros((3, 1)), np.zeros((4, 1)))
    with pytest.raises(TypeCheckError):
        lb.Hypercube(3).parity(2.5)


@pytest.mark.wrong_types
def test_the_library_has_messages_of_its_own():
    with pytest.raises(ValueError, match="whole number"):
        lb.Hypercube(3).parity(2.5)
