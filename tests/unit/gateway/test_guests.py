"""How many sessions one device may have at once."""

import asyncio

from fieldmesh.basics.errors import Retry
from gateway.serving.admission import Guests


async def test_a_device_with_too_many_sessions_loses_its_oldest() -> None:
    """Promise 8: one stolen device that opens sessions and says nothing must not keep the others out."""
    guests = Guests(most=2)
    ended: list[int] = []
    told: list[str] = []

    async def session(number: int, device: bytes) -> None:
        try:
            with guests.visit(device):
                await asyncio.Event().wait()
        except Retry as problem:
            told.append(problem.code)
        finally:
            ended.append(number)

    async with asyncio.TaskGroup() as group:
        mine = [group.create_task(session(number, b"mine")) for number in range(4)]
        other = group.create_task(session(9, b"other"))
        async with asyncio.timeout(5):
            while len(ended) < 2:  # noqa: ASYNC110 - the sessions end in their own time
                await asyncio.sleep(0)
        assert sorted(ended) == [0, 1]
        assert told == ["session_superseded"] * 2
        for task in (*mine, other):
            task.cancel()
    assert sorted(ended) == [0, 1, 2, 3, 9]
