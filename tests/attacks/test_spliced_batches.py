"""Batches put together from pieces of others, shown again, or under another's name: what head office makes of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from fieldmesh.codec.hub_tick import read_tick
from fieldmesh.codec.replication import Forwarded, write_forwarded
from fieldmesh.wire.v1 import replication_pb2
from hub.ingest.verify import Checked
from tests.kit.company import SmallCompany

OTHER_GATEWAY = b"h" * 16


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[SmallCompany]:
    """A company with one rep."""
    made = await SmallCompany.founded(tmp_path)
    yield made
    await made.database.close()


def forwarded(company: SmallCompany, held: Forwarded, **other: bytes) -> Checked:
    """What a gateway forwards, with some of it changed, as the hub reads it."""
    changed = replace(held, **other)  # type: ignore[arg-type]
    return company.verifier.check(changed, write_forwarded(changed))


async def quarantined(company: SmallCompany) -> list[str]:
    """Why what lies in quarantine is there."""
    return [
        str(code) for (code,) in await company.query("SELECT code FROM fm_quarantine ORDER BY code")
    ]


async def test_pieces_of_two_batches_make_no_batch(company: SmallCompany) -> None:
    """Promise 7: header, body and signature belong together, and the right batch still applies afterwards."""
    device, colleague = await company.device("D1"), await company.device("D2")
    first, second = (device.pack(device.order(company.outlets[0], number=n)) for n in "AB")
    theirs = colleague.pack(colleague.order(company.outlets[1], number="C"))
    good, other, foreign = first.forwarded, second.forwarded, theirs.forwarded
    spliced = [
        forwarded(company, good, body=other.body),
        forwarded(company, good, signature=other.signature),
        forwarded(company, good, header=other.header),
        forwarded(company, good, certificate=foreign.certificate),
        forwarded(company, good, signature=foreign.signature, certificate=foreign.certificate),
        forwarded(company, good, certificate=b"no certificate"),
    ]
    for one in spliced:
        await company.ingest.apply([one])
    assert await company.query("SELECT count(*) FROM sales_order") == [(0,)]
    assert set(await quarantined(company)) <= {
        "altered_batch",
        "signature_invalid",
        "foreign_batch",
        "foreign_certificate",
    }
    result = await company.ingest.apply([first, second, theirs])
    assert (result.applied, result.refused) == (3, 0)
    assert await company.query("SELECT count(*) FROM sales_order") == [(3,)]


async def test_a_batch_shown_again_has_no_second_effect_wherever_it_comes_from(
    company: SmallCompany,
) -> None:
    """Promise 2: a recorded batch is worth nothing to whoever plays it again."""
    device = await company.device()
    batch = device.pack(device.order(company.outlets[0]))
    await company.ingest.apply([batch])
    again = forwarded(company, batch.forwarded, gateway_id=OTHER_GATEWAY)
    result = await company.ingest.apply([again, again, batch])
    assert (result.applied, result.repeated, result.quarantined) == (0, 3, 0)
    assert await company.query("SELECT count(*) FROM sales_order") == [(1,)]


async def test_a_batch_of_an_older_life_of_the_device_is_not_applied(company: SmallCompany) -> None:
    """Promise 3: after a new epoch has begun, an old image's other batch is kept for a person, not applied."""
    device = await company.device()
    await company.ingest.apply([device.pack(device.order(company.outlets[0], number="A"))])
    device.epoch, device.sequence = 2, 0
    draft = device.pack(device.order(company.outlets[0], number="B"))
    await company.ingest.apply([draft])
    device.epoch = 1
    old = device.pack(device.order(company.outlets[0], number="OLD"), sequence=1)
    await company.ingest.apply([old])
    assert await quarantined(company) == ["cloned_device"]
    numbers = await company.query("SELECT number FROM sales_order ORDER BY number")
    assert ("OLD",) not in numbers


async def test_every_receipt_of_an_applied_batch_brings_the_devices_proof(
    company: SmallCompany,
) -> None:
    """Promise 1: also a gateway that the device only visits can prove the second tick, a gateway beside it can't."""
    device = await company.device()
    for number in "AB":
        await company.ingest.apply([device.pack(device.order(company.outlets[0], number=number))])
    again = forwarded(company, device.packed[0].forwarded, gateway_id=OTHER_GATEWAY)
    await company.ingest.apply([again])
    payloads = await company.query("SELECT payload FROM fm_down_outbox ORDER BY lsn")
    receipts = [
        receipt
        for (payload,) in payloads
        for receipt in replication_pb2.DownMessage.FromString(payload).receipts  # type: ignore[arg-type]
    ]
    assert [receipt.sequence for receipt in receipts] == [1, 2, 1]
    for receipt in receipts:
        tick = read_tick(receipt.hub_tick, hub_key=company.hub_key, device_id=device.device_id)
        assert (tick.device_epoch, tick.sequence) >= (1, receipt.sequence)
    stands = await company.query("SELECT sequence, proof FROM device_tick")
    proof = stands[0][1]
    assert isinstance(proof, bytes)
    tick = read_tick(proof, hub_key=company.hub_key, device_id=device.device_id)
    assert (tick.sequence, tick.sha256) == (2, device.packed[1].sha256)
