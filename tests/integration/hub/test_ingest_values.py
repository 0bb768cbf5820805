"""A value that a column can't hold costs its own row, with a reason; nothing else."""

import random

import pytest

from fieldmesh.basics import limits
from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import decode_table, encode_table, from_rows
from tests.kit.company import SmallCompany
from tests.kit.lane import Delivered, consumer_of


def _contacts(company: SmallCompany, *names: str) -> Change:
    rows = [(company.identifiers.new(), company.outlets[0], name) for name in names]
    return Change(Operation.INSERT, from_rows("contact", ("id", "outlet_id", "name"), rows), [])


async def test_a_text_that_is_too_long_is_refused_alone(company: SmallCompany) -> None:
    """SQL Server would fail the transaction of everyone in the group, again at each redelivery."""
    device = await company.device()
    batch = device.pack([_contacts(company, "Ann", "x" * 300, "a\x1fb")])
    result = await company.ingest.apply([batch])
    assert (result.applied, result.refused) == (1, 2)
    assert await company.query("SELECT name FROM contact") == [("Ann",)]
    said = "name can't hold this value. Enter it again: shorter, or within its range."
    assert await company.query('SELECT code, text FROM "reject"') == [("value_invalid", said)] * 2


async def test_an_id_of_zeros_is_refused_alone(company: SmallCompany) -> None:
    """It was taken for an id, so two clients with one mistake wrote one row."""
    device = await company.device()
    rows = [
        (bytes(16), company.outlets[0], "Nobody"),
        (company.identifiers.new(), company.outlets[0], "Ann"),
    ]
    change = Change(Operation.INSERT, from_rows("contact", ("id", "outlet_id", "name"), rows), [])
    result = await company.ingest.apply([device.pack([change])])
    assert (result.applied, result.refused) == (1, 1)
    assert await company.query("SELECT name FROM contact") == [("Ann",)]
    ((code, row_id, fields),) = await company.query('SELECT code, row_id, fields FROM "reject"')
    assert (code, row_id) == ("value_invalid", bytes(16))
    assert '"column": "id"' in str(fields)


async def test_a_picture_in_the_place_of_its_digest_is_refused_alone(
    company: SmallCompany, caplog: pytest.LogCaptureFixture
) -> None:
    """Its row fitted no frame, and the whole lane stood still: a quarter of the company got no second tick."""
    device, other = await company.device("D1"), await company.device("D2")
    new, noise = company.identifiers.new, random.Random(5).randbytes(limits.BINARY_BYTES)
    photos = [(new(), company.position_id, one) for one in (b"d" * 32, noise)]
    rows = from_rows("photo", ("id", "position_id", "sha256"), photos)
    messages = [
        Delivered(other.pack(other.order(company.outlets[0], number="N1")).payload),
        Delivered(device.pack([Change(Operation.INSERT, rows, [])]).payload),
        Delivered(other.pack(other.order(company.outlets[1], number="N2")).payload),
    ]
    result = await consumer_of(company).take(messages)  # type: ignore[arg-type]
    assert (result.applied, result.refused, result.quarantined) == (3, 1, 0)
    assert all(one.acknowledged for one in messages)
    assert await company.query("SELECT count(*) FROM photo") == [(1,)]
    assert await company.query('SELECT code FROM "reject"') == [("value_invalid",)]
    assert not caplog.records


async def test_an_update_to_a_value_that_does_not_fit_leaves_the_row(company: SmallCompany) -> None:
    """What head office holds stands, and the device hears it again."""
    device = await company.device()
    contact = company.identifiers.new()
    await company.insert(
        "contact", ("id", "outlet_id", "name"), [(contact, company.outlets[0], "Ann")]
    )
    rows = from_rows("contact", ("id", "name"), [(contact, "x" * 201)])
    result = await company.ingest.apply([device.pack([Change(Operation.UPDATE, rows, [1 << 60])])])
    assert result.refused == 1
    assert await company.query("SELECT name FROM contact") == [("Ann",)]


async def test_what_was_refused_always_fits_the_wire(company: SmallCompany) -> None:
    """A reject that no gateway can read would stop the stream to all of them."""
    device = await company.device()
    await company.ingest.apply([device.pack([_contacts(company, "ж" * 31_000, "ж" * 20_000)])])
    lines = await company.query('SELECT id, "row" FROM "reject"')
    assert len(lines) == 2
    assert max(len(str(line[1]).encode()) for line in lines) <= limits.TEXT_BYTES
    rows = from_rows("reject", ("id", "row"), [tuple(line) for line in lines])
    assert decode_table(encode_table(rows)) == rows
