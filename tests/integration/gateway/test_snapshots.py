"""What a new database holds of work that head office has not applied."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import zstandard

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from fieldmesh.wire.v1 import session_pb2
from gateway.storage import cache
from tests.integration.gateway.world import World, order, place_region, rows_of

if TYPE_CHECKING:
    from pathlib import Path

CONTACT = b"c" * 16


async def test_a_row_that_is_being_changed_stands_as_head_office_has_it(tmp_path: Path) -> None:
    """Promises 4 and 5: shown as changed it would count nowhere, and go with the next sync until it was repaired."""
    world = World(tmp_path)
    device, colleague = world.device(), world.device()
    async with world.running() as gateway:
        _, patch, outlets = await place_region(gateway, [device, colleague])
        known = {
            "id": CONTACT,
            "partition": patch,
            "lsn": 90,
            "outlet_id": outlets[0],
            "phone": "1",
        }
        await gateway.database.write(lambda c: cache.apply_rows(c, rows_of("contact", known)))
        changed = from_rows("contact", ("id", "phone"), [(CONTACT, "2")])
        work = [*order(outlets[0]), Change(Operation.UPDATE, changed, [1])]
        hello = colleague.hello(session_pb2.MODE_FAST)
        await world.talk(gateway, colleague, hello, [colleague.pack(work)])
        talk = await world.talk(gateway, device, device.hello(session_pb2.MODE_INITIALIZE))
        plain = zstandard.ZstdDecompressor().decompressobj().decompress(talk.content())
        found = sqlite3.connect(":memory:")  # noqa: TID251 - looks into what was sent
        found.deserialize(plain)
        assert found.execute("SELECT lsn, phone FROM contact").fetchall() == [(90, "1")]
        assert found.execute("SELECT lsn FROM sales_order").fetchall() == [(0,)]
        counted = found.execute(
            "SELECT rows FROM fm_digest WHERE partition = ?", (patch,)
        ).fetchall()
        found.close()
        assert sum(rows for (rows,) in counted) == 1 + len(outlets)
