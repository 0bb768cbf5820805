"""Sync sessions with the hub away: promises 1, 2, 4, 6, 8 at the gateway."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from typing import TYPE_CHECKING

import grpc.aio
import pytest
import zstandard

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Retry
from fieldmesh.codec.frames import FrameKind, FrameReader, unpack_frame
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import session_pb2, session_pb2_grpc, table_pb2
from gateway.serving.repairs import RepairFrames, find_repair
from gateway.storage import (
    cache,
    cursors,
    devices,
    inbox,
    outbox,
    partitions,
    provisional,
    provisional_due,
    sessions,
)
from tests.integration.gateway.world import MAKER, World, error_of, order, place_region, rows_of

if TYPE_CHECKING:
    from pathlib import Path

FAST, FULL = session_pb2.MODE_FAST, session_pb2.MODE_FULL
INITIALIZE = session_pb2.MODE_INITIALIZE


async def test_a_batch_is_acknowledged_after_it_is_durable_and_waits_for_the_hub(
    tmp_path: Path,
) -> None:
    """Without it a device would be told that its order is safe when it is not."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, patch, outlets = await place_region(gateway, [device])
        talk = await world.talk(
            gateway, device, device.hello(FAST), [device.pack(order(outlets[0]))]
        )
        # Hello is said before the batch is packed here, as a device does that packs late.
        assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
        assert talk.one("acknowledgement").ticks.gateway_sequence == 1
        depth = await gateway.database.read(outbox.depth)
        assert depth.entries >= 1
        await gateway.showing.catch_up()
        shown = await gateway.database.read(
            lambda c: provisional.current_rows(c, [patch], device_id=bytes(16), own_through=(0, 0))
        )
        assert {rows.table: rows.row_count for rows in shown} == {"sales_order": 1, "order_line": 2}


async def test_what_was_acknowledged_is_shown_after_a_crash_too(tmp_path: Path) -> None:
    """Rows are laid out behind the acknowledgement: a crash in between must not hide them."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, patch, outlets = await place_region(gateway, [device])
        await world.talk(gateway, device, device.hello(FAST), [device.pack(order(outlets[0]))])
        assert await gateway.database.read(provisional_due.find)
    async with world.running() as gateway:
        await gateway.showing.catch_up()
        assert not await gateway.database.read(provisional_due.find)
        shown = await gateway.database.read(
            lambda c: provisional.current_rows(c, [patch], device_id=bytes(16), own_through=(0, 0))
        )
        assert {rows.table: rows.row_count for rows in shown} == {"sales_order": 1, "order_line": 2}
        key = (device.device_id, 1, 1)
        await gateway.database.write(lambda c: provisional.forget_batches(c, [key]))
        assert not await gateway.database.write(lambda c: provisional_due.lay_out(c, key, []))


async def test_a_batch_sent_twice_is_stored_once(tmp_path: Path) -> None:
    """Without it an order would be delivered twice."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        device.pack(order(outlets[0]))
        for _ in range(2):
            talk = await world.talk(gateway, device, device.hello(FAST), device.packed)
            assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
        waiting = await gateway.database.read(
            lambda c: outbox.to_publish(c, before=0, most=100, most_bytes=1 << 20)
        )
        assert [entry.kind for entry in waiting].count("batch") == 1


async def test_a_clone_is_fenced_and_its_batch_kept_for_quarantine(tmp_path: Path) -> None:
    """Without it two devices with one identity would overwrite each other in silence."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        await world.talk(gateway, device, device.hello(FAST), [device.pack(order(outlets[0]))])
        device.sequence, device.last_sha256 = 0, b""
        other = device.pack(order(outlets[1]))
        talk = await world.talk(gateway, device, device.hello(FAST), [other])
        assert talk.one("done").outcome == session_pb2.OUTCOME_FENCED
        held = await gateway.database.read(
            lambda c: c.execute("SELECT differs FROM fm_inbox ORDER BY differs").fetchall()
        )
        assert held == [(0,), (1,)]


async def test_a_restored_image_is_fenced(tmp_path: Path) -> None:
    """Without it a device restored from yesterday would use its batch numbers again."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        await world.talk(gateway, device, device.hello(FAST), [device.pack(order(outlets[0]))])
        hello = device.hello(FAST, last_sequence=0, last_sha256=b"")
        talk = await world.talk(gateway, device, hello)
        assert talk.one("done").reason == "restored_image"


async def test_an_altered_batch_is_refused_and_those_before_it_are_stored(tmp_path: Path) -> None:
    """Without it a changed order could pass, or hold up those that are good."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        good = device.pack(order(outlets[0]))
        batch = device.pack(order(outlets[0]))
        batch.body = batch.body[:-1] + bytes([batch.body[-1] ^ 1])
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.talk(gateway, device, device.hello(FAST), [good, batch])
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        highest = await gateway.database.read(
            lambda c: inbox.highest_sequence(c, device.device_id, 1)
        )
        assert highest == 1


async def test_a_batch_of_an_epoch_that_nobody_granted_is_refused(tmp_path: Path) -> None:
    """Without it a device's own program could fence it for ever: no epoch after that one would be its own."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        device.epoch = 99
        batch = device.pack(order(outlets[0]))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.talk(gateway, device, device.hello(FAST, device_epoch=13), [batch])
        assert "device_epoch of batch 99/1" in str(caught.value.details())


async def test_the_oldest_of_too_many_sessions_hears_why_it_ended(tmp_path: Path) -> None:
    """Without a status its device would wait until its own time-out."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device])
        async with device.channel(gateway.ports["gateway"]) as channel:
            calls = []
            for _ in range(limits.SESSIONS_OF_DEVICE + 1):
                call = session_pb2_grpc.GatewayStub(channel).Session()
                await call.write(session_pb2.DeviceMessage(hello=device.hello(FAST)))
                await call.read()
                calls.append(call)
            async with asyncio.timeout(5):
                assert await calls[0].code() == grpc.StatusCode.ABORTED
            assert from_rpc_error(await error_of(calls[0])).code == "session_superseded"
            for call in calls:
                call.cancel()


async def test_a_device_may_not_speak_for_another(tmp_path: Path) -> None:
    """Without it any enrolled device could upload as any other."""
    world = World(tmp_path)
    device, other = world.device(), world.device()
    async with world.running() as gateway:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.talk(gateway, device, other.hello(FAST))
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_an_unknown_device_uploads_and_its_download_is_deferred(tmp_path: Path) -> None:
    """Promise 8: a roaming rep's orders are safe although the hub is away."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        batch = device.pack(order(bytes(16)))
        talk = await world.talk(gateway, device, device.hello(FULL), [batch])
        done = talk.one("done")
        assert done.outcome == session_pb2.OUTCOME_DOWNLOAD_DEFERRED
        assert done.reason == "partition_not_ready"
        assert done.retry_after_ms > 0
        assert talk.one("acknowledgement").ticks.gateway_sequence == 1


async def test_a_revoked_device_is_told_to_wipe_itself(tmp_path: Path) -> None:
    """Revocation holds while the hub is away."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device])
        row = {
            "id": device.device_id,
            "lsn": 200,
            "state": "revoked",
            "wipe_order": b"signed order",
        }
        await gateway.database.write(lambda c: cache.apply_rows(c, rows_of("device", row)))
        talk = await world.talk(gateway, device, device.hello(FAST))
        done = talk.one("done")
        assert (done.outcome, done.wipe_order) == (session_pb2.OUTCOME_WIPE, b"signed order")


async def test_a_full_sync_brings_what_is_newer_and_the_other_devices_new_rows(
    tmp_path: Path,
) -> None:
    """Promises 4 and 8: one consistent state, with the colleague's order shown as provisional."""
    world = World(tmp_path)
    device, colleague = world.device(), world.device()
    async with world.running() as gateway:
        _, patch, outlets = await place_region(gateway, [device, colleague])
        await world.talk(
            gateway, colleague, colleague.hello(FAST), [colleague.pack(order(outlets[0]))]
        )
        talk = await world.talk(gateway, device, device.hello(FULL))
        start, end = talk.one("download_start"), talk.one("download_end")
        assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
        assert start.mark_lsn == 100
        assert set(start.whole) == set(start.partitions)
        assert patch in start.partitions
        content = talk.content()
        assert hashlib.sha256(content).digest() == start.sha256
        unpacked = [unpack_frame(frame) for frame in FrameReader().feed(content)]
        shown = {(frame.kind, frame.rows.table): frame.rows.row_count for frame in unpacked}
        assert shown[FrameKind.ROWS, "outlet"] == 3
        assert shown[FrameKind.PROVISIONAL, "sales_order"] == 1
        assert (FrameKind.ROWS, "device") not in shown
        digests = {digest.partition: digest.rows for digest in end.digests}
        assert digests[patch] == 3

        again = await world.talk(
            gateway,
            device,
            device.hello(FULL, cursor_lsn=100, partitions=list(start.partitions)),
        )
        second = again.one("download_start")
        assert list(second.whole) == []
        kinds = [unpack_frame(frame).kind for frame in FrameReader().feed(again.content())]
        assert set(kinds) == {FrameKind.PROVISIONAL}


async def test_a_gateway_that_is_behind_the_device_defers_the_download(tmp_path: Path) -> None:
    """Promise 4: a device never goes back in time."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device])
        talk = await world.talk(gateway, device, device.hello(FULL, cursor_lsn=500))
        assert talk.one("done").reason == "gateway_behind"


async def test_a_device_that_differs_is_repaired_by_ranges(tmp_path: Path) -> None:
    """Promise 5: a difference is found by digests and only its ranges are sent again."""
    world = World(tmp_path)
    device = world.device()
    answers: list[int] = []
    async with world.running() as gateway:
        _, patch, outlets = await place_region(gateway, [device])

        def answer() -> session_pb2.Applied:
            answers.append(1)
            if len(answers) > 1:
                return session_pb2.Applied(lsn=100)
            bucket = outlets[0][-1] >> 4
            wrong = table_pb2.Digest(partition=patch, table="outlet", bucket=bucket, rows=9)
            return session_pb2.Applied(lsn=100, differing=[wrong])

        talk = await world.talk(gateway, device, device.hello(FULL), answer=answer)
        repair = talk.one("repair")
        assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
        assert {frame.kind for frame in repair.frames} == {FrameKind.REPLACE}
        sent = [unpack_frame(frame).rows for frame in repair.frames]
        assert outlets[0] in [identifier for rows in sent for identifier in rows.column("id")]


async def test_a_repair_brings_what_changed_since_the_download_too(tmp_path: Path) -> None:
    """Promise 4: a range as it is now, beside rows as they were at the mark, is a state that the hub never had."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, patch, outlets = await place_region(gateway, [device])
        bucket = outlets[0][-1] >> 4
        wrong = table_pb2.Digest(partition=patch, table="outlet", bucket=bucket, rows=9)
        changed = rows_of("outlet", {"id": MAKER.new(), "partition": patch, "lsn": 120})

        def move_on(connection: sqlite3.Connection) -> None:
            cache.apply_rows(connection, changed)
            cursors.set_mark(connection, 120, marked_at=1, down_sequence=2)

        await gateway.database.write(move_on)
        has = await gateway.database.read(
            lambda c: partitions.device_partitions(c, devices.read_facts(c, device.device_id))
        )

        def repair(connection: sqlite3.Connection) -> RepairFrames:
            return find_repair(
                connection,
                device_id=device.device_id,
                held=[wrong],
                stands_at=100,
                has=has,
                known=SCHEMA_VERSION,
            )

        found = await gateway.database.read(repair)
        assert {frame.kind for frame in found.frames[1:]} == {FrameKind.REPLACE}
        assert unpack_frame(found.frames[0]).rows.column("id") == changed.column("id")
        assert {digest.partition: digest.rows for digest in found.digests}[patch] == 4
        has.discard(patch)
        with pytest.raises(Retry, match="still loading"):
            await gateway.database.read(repair)


async def test_initialize_brings_a_database_with_unconfirmed_rows_laid_over(
    tmp_path: Path,
) -> None:
    """Promise 4: a new database shows what the device itself has uploaded before."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        await world.talk(gateway, device, device.hello(FAST), [device.pack(order(outlets[0]))])
        talk = await world.talk(gateway, device, device.hello(INITIALIZE))
        assert talk.one("welcome").granted_epoch == 2
        start = talk.one("download_start")
        assert start.kind == session_pb2.DOWNLOAD_KIND_SNAPSHOT
        content = talk.content()
        assert hashlib.sha256(content).digest() == start.sha256
        plain = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        assert len(plain) == start.uncompressed_size
        found = sqlite3.connect(":memory:")  # noqa: TID251 - looks into what was sent
        found.deserialize(plain)
        assert found.execute("SELECT count(*) FROM outlet").fetchone() == (3,)
        assert found.execute("SELECT lsn, count(*) FROM sales_order").fetchone() == (0, 1)
        assert found.execute("SELECT sum(rows) FROM fm_digest").fetchone()[0] == sum(
            digest.rows for digest in talk.one("download_end").digests
        )
        found.close()


@pytest.mark.parametrize("mode", [INITIALIZE, FULL])
async def test_a_cut_download_goes_on_at_its_byte(tmp_path: Path, mode: int) -> None:
    """Without it a long download over a bad line would never end: a new database, or the delta after weeks."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device], outlets=30_000)
        cut = await world.talk(gateway, device, device.hello(mode), most_chunks=1)
        start, held = cut.one("download_start"), cut.content()
        assert start.size > len(held)
        hello = device.hello(mode, resume_download_id=start.download_id, resume_offset=len(held))
        rest = await world.talk(gateway, device, hello)
        again = rest.one("download_start")
        assert again.download_id == start.download_id
        assert again.offset == len(held)
        assert hashlib.sha256(held + rest.content()).digest() == start.sha256


async def test_every_session_leaves_a_record_also_a_cut_one(tmp_path: Path) -> None:
    """Promise 9: nobody syncs unseen."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await place_region(gateway, [device], outlets=30_000)
        await world.talk(gateway, device, device.hello(FAST))
        await world.talk(gateway, device, device.hello(INITIALIZE), most_chunks=1)
    async with world.running() as gateway:
        rows = await gateway.database.read(lambda c: sessions.newest(c, most=9))
        assert sorted(row.outcome for row in rows) == ["cut", "done"], rows
        waiting = await gateway.database.read(
            lambda c: outbox.to_publish(c, before=0, most=100, most_bytes=1 << 20)
        )
        assert [entry.kind for entry in waiting].count("session") == 2
