"""Eternal loops go on, and queues have an end."""

import asyncio
import random

import pytest

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Defect, Retry
from fieldmesh.service import tasks
from fieldmesh.service.tasks import BoundedQueue, Supervisor, beside, for_each


def supervisor() -> Supervisor:
    """With a seeded jitter."""
    return Supervisor(SystemClock(), random.Random(1))


async def test_a_loop_that_fails_is_started_again() -> None:
    """One bad moment must not end a gateway's uplink for good."""
    runs = 0
    enough = asyncio.Event()

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ValueError
        if runs == 2:
            raise Retry("bus_unreachable", delay_s=0.01)
        enough.set()
        await asyncio.Event().wait()

    async with supervisor() as loops:
        loops.run("one", loop)
        async with asyncio.timeout(10):
            await enough.wait()
        assert loops.loops["one"].restarts == 2
        assert loops.loops["one"].last_problem == "bus_unreachable"
        assert loops.loops["one"].running


async def test_a_loop_that_ends_by_itself_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """A loop that stops in silence looks like health."""
    runs = 0

    async def loop() -> None:
        nonlocal runs
        runs += 1

    async with supervisor() as loops:
        loops.run("one", loop)
        async with asyncio.timeout(10):
            while runs < 2:  # noqa: ASYNC110 - the loop has no event of its own
                await asyncio.sleep(0.01)
    assert any(record.message == "loop_ended" for record in caplog.records)


async def test_leaving_ends_every_loop() -> None:
    """A loop that outlives its node works on closed files."""
    ended = []

    async def loop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async with supervisor() as loops:
        loops.run("one", loop)
        loops.run("two", loop)
        with pytest.raises(Defect):
            loops.run("one", loop)
        await asyncio.sleep(0)
        await loops.stop("two")
        assert len(ended) == 1
    assert len(ended) == 2


async def test_a_loop_that_survives_a_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A node that was told to stop must not hang because a library has dropped the word."""
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_S", 0.02)
    dropped = []

    async def loop() -> None:
        for name in ("one", "two"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                dropped.append(name)
        await asyncio.Event().wait()

    async with asyncio.timeout(10):
        async with supervisor() as loops:
            loops.run("stopped", loop)
            loops.run("left", loop)
            await asyncio.sleep(0)
            await loops.stop("stopped")
            assert dropped == ["one", "two"]
    assert dropped == ["one", "two"] * 2


async def test_a_full_queue_makes_the_giver_wait_or_hear_no() -> None:
    """A queue without a limit is a memory leak with a delay."""
    queue: BoundedQueue[int] = BoundedQueue(2, "test")
    assert await queue.offer(1)
    await queue.put(2)
    assert not await queue.offer(3)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(queue.put(4))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert await queue.get() == 1
    assert await queue.get_many(10) == [2, 4]
    assert len(queue) == 0


async def test_work_beside_a_block_has_ended_with_it() -> None:
    """A session would otherwise go on while its work still writes."""
    done = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("work")

    async with beside(work()):
        done.append("block")
    assert done == ["block", "work"]


async def test_an_error_beside_a_block_ends_it_and_comes_as_itself() -> None:
    """A device that was refused must hear why, and not pack and wait on."""

    async def work() -> None:
        raise Retry("line_stalled")

    with pytest.raises(Retry) as caught:
        async with beside(work()):
            await asyncio.Event().wait()
    assert caught.value.code == "line_stalled"


async def test_an_error_of_the_block_ends_the_work_beside_it() -> None:
    """A fenced device must not keep a gateway busy."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    async def block() -> None:
        await asyncio.sleep(0)
        raise Defect("defect", place="block")

    with pytest.raises(Defect):
        async with beside(work()):
            await block()
    assert ended == ["work"]


async def test_no_more_is_done_at_once_than_was_said() -> None:
    """A change of the scope of 750 gateways must not stand before everything else at the broker."""
    running, at_most, done = 0, 0, []

    async def do(thing: int) -> None:
        nonlocal running, at_most
        running += 1
        at_most = max(at_most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(thing)

    await for_each(range(20), do, most=3)
    assert (done, at_most) == (list(range(20)), 3)


async def test_the_first_error_of_many_comes_as_itself() -> None:
    """The supervisor takes a group for something unforeseen, and does not wait as long as it is asked to."""

    async def do(thing: int) -> None:
        if thing == 2:
            raise Retry("bus_unreachable", delay_s=7.0)
        await asyncio.Event().wait()

    with pytest.raises(Retry) as caught:
        await for_each(range(5), do, most=4)
    assert caught.value.delay_s == 7.0
