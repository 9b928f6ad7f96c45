"""What comes of each fault: what the page says and keeps, how long it takes, how often the service is asked."""

from dataclasses import replace
from typing import Final

import pytest

from tests.faults.matrix import FAULTS, Fault
from tests.faults.stage import REAL, Limits, Situation, faults_of, play

EAGER: Final = replace(REAL, first_wait=0.005)
IMPATIENT: Final = Limits(deadline=2.5, read_timeout=2.0, connect_timeout=1.0, first_wait=0.005)


@pytest.mark.parametrize("situation", Situation)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_told_within_its_bounds_and_loses_nothing(fault: Fault, situation: Situation) -> None:
    limits = IMPATIENT if fault.waits else EAGER
    assert faults_of(fault, situation, limits, play(fault, situation, limits)) == []
