"""A gateway that differs widely gets as many ranges as one message holds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from fieldmesh.basics.limits import MESSAGE_BYTES
from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.schema import TABLES
from fieldmesh.wire.v1 import replication_pb2, table_pb2
from hub.config import HubSettings
from hub.fleet.office import make_office
from hub.relay.requests import Desk, Responder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from fieldmesh.codec.frames import RowRange

PARTITION = 7


async def test_an_answer_holds_the_first_ranges_as_many_as_a_message_carries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 5: an answer above 8 MiB was lost, and the gateway asked for the same in vain for ever."""
    names = TABLES["outlet"].wire_names

    async def rows_of_range(_: object, __: RowRange) -> TableRows:
        row = [TABLES["outlet"].column(name).neutral for name in names]
        row[names.index("id")] = os.urandom(16)
        row[names.index("name")] = os.urandom(400_000).hex()
        return from_rows("outlet", names, [tuple(row)])

    async def scope(*_: object) -> set[int]:
        return {PARTITION}

    monkeypatch.setattr("hub.relay.requests.contents.rows_of_range", rows_of_range)
    monkeypatch.setattr("hub.relay.requests.gateway_partitions", scope)
    office = await make_office(tmp_path / "hub", HubSettings(), 'company = "Repairs"\n')
    responder = Responder(
        office.database,
        cast("Any", None),
        office.clock,
        desk=cast("Desk", None),
        seeds=cast("Any", None),
        blobs=cast("Any", None),
        shards=1,
    )
    ranges = [
        table_pb2.Range(
            partition=PARTITION, table="outlet", first_byte=16 * n, last_byte=16 * n + 15
        )
        for n in range(16)
    ] * 2
    request = replication_pb2.RepairRequest(ranges=ranges)
    try:
        said = await responder.answer(
            f"rpc.hub.repair.{bytes(16).hex()}", request.SerializeToString()
        )
    finally:
        await office.database.close()
    assert len(said) <= MESSAGE_BYTES
    reply = replication_pb2.RepairReply.FromString(replication_pb2.Reply.FromString(said).value)
    asked = [(one.first_byte, one.last_byte) for one in ranges]
    answered = [(frame.range.first_byte, frame.range.last_byte) for frame in reply.frames]
    assert 4 < len(answered) < len(ranges)
    assert answered == asked[: len(answered)]
