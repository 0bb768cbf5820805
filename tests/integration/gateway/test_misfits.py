"""Values that no column holds, brought by a device whose program does not ask."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from fieldmesh.basics import limits
from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.frames import FrameKind, FrameReader, unpack_frame
from fieldmesh.wire.v1 import session_pb2
from tests.integration.gateway.world import MAKER, World, order, place_region, rows_of

if TYPE_CHECKING:
    from pathlib import Path

FAST, FULL = session_pb2.MODE_FAST, session_pb2.MODE_FULL


async def test_a_row_that_head_office_will_refuse_is_in_nobodys_download(tmp_path: Path) -> None:
    """Promise 8: a picture in the place of its digest fitted no frame, and nobody of the position got a full sync."""
    world = World(tmp_path)
    device, colleague = world.device(), world.device()
    async with world.running() as gateway:
        position, _, outlets = await place_region(gateway, [device, colleague])
        digests = (b"d" * 32, random.Random(5).randbytes(limits.BINARY_BYTES))
        photos = rows_of(
            "photo",
            *({"id": MAKER.new(), "position_id": position, "sha256": one} for one in digests),
        )
        brought = [*order(outlets[0]), Change(Operation.INSERT, photos, [])]
        await world.talk(gateway, colleague, colleague.hello(FAST), [colleague.pack(brought)])
        talk = await world.talk(gateway, device, device.hello(FULL))
        assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
        unpacked = [unpack_frame(frame) for frame in FrameReader().feed(talk.content())]
        shown = {
            frame.rows.table: frame.rows.row_count
            for frame in unpacked
            if frame.kind is FrameKind.PROVISIONAL
        }
        assert shown == {"sales_order": 1, "order_line": 2, "photo": 1}
