"""How often somebody may try."""

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


def test_who_goes_on_trying_waits_no_longer_than_who_rests() -> None:
    """Refused tries that count would keep a busy program out for ever."""
    clock = ManualClock()
    pace = Pace(clock, tries=1, refill_s=10)
    pace.take("a")
    for _ in range(9):
        clock.advance(1_000_000)
        with pytest.raises(Retry):
            pace.take("a")
    clock.advance(1_000_000)
    pace.take("a")


def test_many_strangers_take_no_more_memory_and_free_nobody_who_goes_on_trying() -> None:
    """Who has many addresses could fill the hub's memory, or have everybody's tries forgotten."""
    clock = ManualClock()
    pace = Pace(clock, tries=1, refill_s=1000, most=10)
    pace.take("a")
    for number in range(100):
        pace.take(f"stranger {number}")
        with pytest.raises(Retry):
            pace.take("a")
        assert len(pace._full_at) <= 10
