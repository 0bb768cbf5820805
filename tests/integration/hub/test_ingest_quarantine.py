"""What quarantine keeps: the true bytes of each batch that can't be applied."""

from dataclasses import replace

import pytest

from fieldmesh.basics.errors import Quarantined, Rejected
from fieldmesh.codec.replication import write_forwarded
from fieldmesh.service.tls import make_csr, make_key
from hub.fleet.registry import Maker, NewDevice, add_device
from hub.storage.changes import ChangeWriter, writing
from hub.trust.authority import NodeKind
from tests.kit.company import PackingDevice, SmallCompany
from tests.kit.lane import Delivered, consumer_of


async def test_an_altered_copy_does_not_hide_the_true_batch(company: SmallCompany) -> None:
    """Promise 7: the device forgot its batch, and quarantine held nothing but the bytes that a gateway had altered."""
    device = await company.device()
    batch = device.pack(device.order(company.outlets[0]))
    body = bytearray(batch.forwarded.body)
    body[len(body) // 2] ^= 1
    altered = replace(batch.forwarded, gateway_id=b"e" * 16, body=bytes(body))
    copy = company.verifier.check(altered, write_forwarded(altered))
    unknown = Rejected("unknown_table", place="table loyalty_card", table="loyalty_card")
    true = replace(batch, changes=(), problem=unknown)
    kept = [(await company.ingest.apply([one])).quarantined for one in (copy, copy, true, true)]
    assert kept == [1, 0, 1, 0]
    entries = await company.query("SELECT code, payload FROM fm_quarantine ORDER BY number")
    assert entries == [("altered_batch", copy.payload), ("unknown_table", batch.payload)]
    assert await company.query("SELECT code FROM reject") == [("batch_put_aside",)]
    assert (await company.ingest.retry(batch.payload)).applied == 1


async def test_a_device_of_after_the_backup_is_registered_again_by_its_id_and_its_work_is_taken(
    company: SmallCompany,
) -> None:
    """Promise 1: the restored hub put it aside as of a device that is none, and no retry would ever help."""
    await company.insert("gateway", ("id", "code"), [(company.identifiers.new(), "G1")])
    device_id, key = company.identifiers.new(), make_key()
    issued = company.authority.issue_node(make_csr(key, "D7"), NodeKind.DEVICE, device_id)
    device = PackingDevice(company, device_id, key, issued.der)
    batch = device.pack(device.order(company.outlets[0]))
    assert (await company.ingest.apply([batch])).quarantined == 1
    with pytest.raises(Rejected) as caught:
        await company.ingest.retry(batch.payload)
    assert caught.value.code == "device_unknown"
    maker = Maker(company.clock, company.identifiers)
    known = NewDevice("D7", "R1", "G1", device_id=device_id, document_prefix="AAAX")
    async with writing(company.database, company.clock) as writer:
        assert await add_device(writer, maker, known) == device_id
    assert (await company.ingest.retry(batch.payload)).applied == 1
    held = await company.query("SELECT document_prefix FROM device WHERE id = ?", device_id)
    assert held == [("AAAX",)]
    for other in (
        replace(known, code="D8", document_prefix="AAAY"),
        replace(known, code="D8", device_id=None),
    ):
        async with writing(company.database, company.clock) as writer:
            with pytest.raises(Rejected, match="in use"):
                await add_device(writer, maker, replace(other, spare=True))


@pytest.fixture
def refusing_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written when a transaction ends can't be, while an order BAD is in it."""
    close = ChangeWriter.close

    async def refuse(writer: ChangeWriter) -> int:
        bad = "SELECT count(*) FROM sales_order WHERE number = 'BAD' AND lsn = ?"
        if (await writer.connection.exec_driver_sql(bad, (writer.lsn,))).scalar_one():
            raise Rejected("frame_too_large", place="table sales_order")
        return await close(writer)

    monkeypatch.setattr(ChangeWriter, "close", refuse)


@pytest.mark.usefixtures("refusing_close")
async def test_what_fails_when_its_transaction_ends_stops_no_lane(company: SmallCompany) -> None:
    """Promise 7: nobody was blamed, nothing was acknowledged, and the broker brought all of it again and again."""
    good, bad = await company.device("D1"), await company.device("D2")
    batches = [
        good.pack(good.order(company.outlets[0], number="G1")),
        bad.pack(bad.order(company.outlets[0], number="BAD")),
        good.pack(good.order(company.outlets[1], number="G2")),
    ]
    messages = [Delivered(one.payload) for one in batches]
    result = await consumer_of(company).take(messages)  # type: ignore[arg-type]
    assert (result.applied, result.quarantined) == (2, 1)
    assert all(one.acknowledged for one in messages)
    assert await company.query("SELECT number FROM sales_order ORDER BY id") == [("G1",), ("G2",)]
    kept = await company.query("SELECT payload FROM fm_quarantine")
    assert kept == [(batches[1].payload,)]
    with pytest.raises(Quarantined, match="quarantine"):
        await company.ingest.retry(batches[1].payload)


@pytest.mark.usefixtures("refusing_close")
async def test_of_those_that_waited_the_one_that_fails_is_found(company: SmallCompany) -> None:
    """Promise 7: the batch that let them in would have been blamed, and the lane stood all the same."""
    device = await company.device()
    numbers = ["N1", "N2", "BAD", "N4", "N5"]
    first, *others = [
        device.pack(device.order(company.outlets[0], number=number)) for number in numbers
    ]
    assert (await company.ingest.apply(others)).waiting == 4
    message = Delivered(first.payload)
    result = await consumer_of(company).take([message])  # type: ignore[list-item]
    assert (result.applied, result.quarantined, message.acknowledged) == (4, 1, True)
    orders = await company.query("SELECT number FROM sales_order ORDER BY id")
    assert orders == [("N1",), ("N2",), ("N4",), ("N5",)]
    assert await company.query("SELECT payload FROM fm_quarantine") == [(others[1].payload,)]
