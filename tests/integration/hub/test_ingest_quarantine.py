"""What quarantine keeps: the true bytes of each batch that can't be applied."""

from dataclasses import replace

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.replication import write_forwarded
from tests.kit.company import SmallCompany


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
