"""The gateway's record of sessions: written by nobody's own task, so that nobody can take it along. Promise 9."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from typing import TYPE_CHECKING

from fieldmesh.service.database import connect
from fieldmesh.wire.v1 import session_pb2, session_pb2_grpc
from gateway.storage import devices, outbox, sessions
from tests.integration.gateway.world import World, order, place_region

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gateway.storage.transaction import Transaction


def ended(number: int, at: int) -> sessions.SessionRow:
    """A session of some device."""
    return sessions.SessionRow(bytes([number]) * 16, b"d" * 16, "fast", at, outcome="done")


def told(connection: Transaction) -> int:
    """How many sessions are on their way to the hub."""
    entries = outbox.to_publish(connection, before=0, most=100, most_bytes=1 << 20)
    return [entry.kind for entry in entries].count("session")


async def test_sessions_that_end_at_the_last_moment_are_written_once(tmp_path: Path) -> None:
    """Without it a stop, or a device that hangs up at once, would take other devices' records along."""
    world = World(tmp_path)
    async with world.running() as gateway:
        for number in range(1, 9):
            gateway.journal.end(ended(number, gateway.clock.now()), None)
    async with world.running() as gateway:
        rows = await gateway.database.read(lambda c: sessions.newest(c, most=20))
        assert len(rows) == await gateway.database.read(told) == 8


async def test_a_write_that_may_have_happened_is_not_told_twice(tmp_path: Path) -> None:
    """Without it a cancelled write would be repeated in the hub's journal."""
    world = World(tmp_path)
    async with world.running() as gateway:
        row = ended(1, gateway.clock.now())
        gateway.journal.end(row, None)
        await gateway.journal.write_waiting()
        again = ended(1, row.started_at)
        again.ended_at = row.ended_at
        gateway.journal._waiting.append((again, None))  # as after a cancelled write
        await gateway.journal.write_waiting()
        assert await gateway.database.read(told) == 1


async def test_who_takes_rows_away_is_in_the_journal_before_the_first_byte(tmp_path: Path) -> None:
    """Without it a gateway that dies during a download would not know who has its rows."""
    world = World(tmp_path)
    device = world.device()
    seen: list[tuple[str, str]] = []
    async with world.running() as gateway:
        await place_region(gateway, [device])

        def look() -> session_pb2.Applied:
            with closing(connect(gateway.home.database, read_only=True)) as held:
                seen.extend(
                    held.execute("SELECT mode, outcome FROM fm_session WHERE ended_at IS NULL")
                )
            return session_pb2.Applied(lsn=100)

        for mode in (session_pb2.MODE_FULL, session_pb2.MODE_INITIALIZE):
            await world.talk(gateway, device, device.hello(mode), answer=look)
    assert seen == [("full", "cut"), ("initialize", "cut")]


async def test_a_session_that_is_cut_while_it_is_noted_is_told_to_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row was written as ended by the thread that noted its begin, and so nobody told of its end."""
    world = World(tmp_path)
    device = world.device()
    noting, cut = threading.Event(), threading.Event()
    note = devices.note_session

    def slow(connection: Transaction, seen: devices.Seen) -> None:
        note(connection, seen)
        noting.set()
        cut.wait(10)

    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        batch = device.pack(order(outlets[0]))
        end = gateway.journal.end

        def end_and_tell(row: sessions.SessionRow, seen: devices.Seen | None) -> None:
            end(row, seen)
            cut.set()

        monkeypatch.setattr(gateway.journal, "end", end_and_tell)
        monkeypatch.setattr(devices, "note_session", slow)
        async with device.channel(gateway.ports["gateway"]) as channel:
            call = session_pb2_grpc.GatewayStub(channel).Session()
            hello = device.hello(session_pb2.MODE_FAST)
            await call.write(session_pb2.DeviceMessage(hello=hello))
            await call.write(session_pb2.DeviceMessage(batch=batch))
            await call.write(
                session_pb2.DeviceMessage(upload_end=session_pb2.UploadEnd(last_sequence=1))
            )
            assert await asyncio.to_thread(noting.wait, 10)
            call.cancel()
            assert await asyncio.to_thread(cut.wait, 10)
        async with asyncio.timeout(5):
            while not await gateway.database.read(told):  # noqa: ASYNC110 - its own state is asked
                await asyncio.sleep(0.02)
