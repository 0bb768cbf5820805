"""Admission, bandwidth and wake-ups."""

from __future__ import annotations

import asyncio
import random

import pytest

from fieldmesh.basics.clock import ManualClock, SystemClock
from fieldmesh.basics.errors import Rejected, Retry
from gateway.serving.admission import Pool
from gateway.serving.bandwidth import Bandwidth, covers, parse_hours
from gateway.storage.cursors import BandwidthRule
from gateway.storage.signals import Signal


def pool_of(places: int, waiting: int, wait_s: float = 0.01) -> Pool:
    """A pool with a seeded jitter."""
    return Pool(
        "full",
        places=places,
        waiting=waiting,
        wait_s=wait_s,
        clock=SystemClock(),
        random=random.Random(1),
    )


async def test_a_full_pool_sends_away_with_a_delay() -> None:
    """Without it a storm of devices would take everyone down."""
    pool = pool_of(1, 0)
    async with pool.place():
        with pytest.raises(Retry) as caught:
            async with pool.place():
                pytest.fail("two in a pool of one")
    assert caught.value.code == "gateway_busy"
    assert caught.value.delay_s > 0
    async with pool.place():
        assert pool.inside == 1


async def test_who_waits_gets_the_place_that_becomes_free() -> None:
    """A short wait is cheaper for a device than coming again."""
    pool = pool_of(1, 5, wait_s=5)
    entered: list[int] = []

    async def enter(number: int) -> None:
        async with pool.place():
            entered.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(enter(number))
    assert entered == [0, 1, 2, 3, 4]


def test_bandwidth_hours_are_read_and_wrong_ones_named() -> None:
    """A typing error must not switch the limit off in silence."""
    assert parse_hours(["22:00-06:30=500"]) == (BandwidthRule(1320, 390, 500),)
    with pytest.raises(Rejected) as caught:
        parse_hours(["8-18=fast"])
    assert caught.value.fields["text"] == "8-18=fast"


def test_hours_over_midnight_hold_on_both_sides() -> None:
    """A night's limit would otherwise never hold."""
    night = BandwidthRule(1320, 390, 500)
    assert [covers(night, minute) for minute in (1319, 1320, 0, 389, 390)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    whole_day = Bandwidth(ManualClock(), [BandwidthRule(0, 1440, 7)])
    assert whole_day.limit_bytes_per_second() == 7_000


async def test_a_wake_up_given_before_the_wait_is_not_missed() -> None:
    """A loop that looked just before a commit must look again."""
    signal = Signal()
    count = signal.count
    signal.give()
    assert await signal.after(count, timeout_s=5)
    assert not await signal.after(signal.count, timeout_s=0.01)
