"""Session records from the wire: each is kept, cut to what its columns hold, and none stops its shard."""

import pytest

from fieldmesh.wire.v1 import replication_pb2
from hub.ingest import ingest
from tests.kit.company import GATEWAY_ID, SmallCompany
from tests.kit.lane import Delivered, consumer_of


def recorded(**values: object) -> Delivered:
    """A session record of ``values`` on the bus."""
    record = replication_pb2.SessionRecord(**values)  # type: ignore[arg-type]
    up = replication_pb2.UpMessage(gateway_id=GATEWAY_ID, outbox_number=1, session=record)
    return Delivered(up.SerializeToString())


async def test_a_record_of_strange_values_stands_cut(company: SmallCompany) -> None:
    """Promise 9: a count above 2^63 failed its transaction, again at each redelivery, and its shard stood still."""
    strange = recorded(
        session_id=b"s" * 16, tier="gateway", device_id=b"short", gateway_id=GATEWAY_ID,
        rows_up=1 << 63, bytes_up=7, network="wifi\x1f" + "x" * 60, ended_at=1 << 62,
    )  # fmt: skip
    await consumer_of(company).take([strange])  # type: ignore[list-item]
    assert strange.acknowledged
    kept = await company.query("SELECT device_id, rows_up, bytes_up, network FROM sync_session")
    assert kept == [(None, (1 << 63) - 1, 7, "wifi " + "x" * 15)]


async def test_a_record_that_can_not_be_written_is_kept_apart(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 7: what one record breaks must not keep the batches and records of all others from head office."""
    device = await company.device()
    good, bad = (recorded(session_id=one * 16, tier="gateway") for one in (b"g", b"b"))
    record = ingest.record_sessions

    async def broken(writer: object, sessions: list[object], new: object) -> int:
        if any(one.values["session_id"] == b"b" * 16 for one in sessions):  # type: ignore[attr-defined]
            raise OverflowError
        return await record(writer, sessions, new)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest, "record_sessions", broken)
    batch = Delivered(device.pack(device.order(company.outlets[0])).payload)
    await consumer_of(company).take([bad, good, batch])  # type: ignore[list-item]
    assert (bad.acknowledged, good.acknowledged, batch.acknowledged) == (True, True, True)
    assert await company.query("SELECT session_id FROM sync_session") == [(b"g" * 16,)]
    assert await company.query("SELECT payload FROM fm_quarantine") == [(bad.data,)]
    assert await company.query("SELECT count(*) FROM sales_order") == [(1,)]
