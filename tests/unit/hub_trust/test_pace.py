"""How often a stranger may try."""

import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Retry
from hub.trust.pace import Pace


def test_a_stranger_who_tries_too_often_waits() -> None:
    """Without it codes could be guessed at full speed."""
    clock = ManualClock()
    pace = Pace(clock, tries=2, refill_s=10)
    pace.take("a")
    pace.take("a")
    with pytest.raises(Retry) as waits:
        pace.take("a")
    assert 0 < waits.value.delay_s <= 10
    clock.advance(10_000_000)
    pace.take("a")


def test_strangers_do_not_wait_for_each_other() -> None:
    """Without it one stranger could keep everyone from enrolling."""
    pace = Pace(ManualClock(), tries=1, refill_s=10)
    pace.take("a")
    pace.take("b")
