"""One fault of each kind; `make test-faults` runs two hundred."""

import pytest
from campaign import FAULTS, campaign


@pytest.mark.xdist_group("faults")
def test_every_kind_of_fault_ends_with_the_same_tables():
    ends = campaign(len(FAULTS), workers=1)
    assert sum(ends.values()) == len(FAULTS)
    assert all(end.startswith("same tables") for _, end in ends), ends
