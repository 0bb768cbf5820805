"""Column writes that lost, and what a person makes of them."""

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.storage import conflicts
from hub.storage.changes import ChangeWriter, writing
from tests.kit.company import SmallCompany


async def lost(company: SmallCompany) -> bytes:
    """A contact whose phone is 2; that it be 3 has lost, as conflict 1."""
    one, two = await company.device("D1"), await company.device("D2")
    contact, now = company.identifiers.new(), company.clock.now()
    names = ("id", "outlet_id", "phone")
    await company.insert("contact", names, [(contact, company.outlets[0], "1")])
    company.clock.advance(3_600_000_000)
    for device, phone, at in ((two, "2", now + 9), (one, "3", now + 5)):
        rows = from_rows("contact", ("id", "phone"), [(contact, phone)])
        change = Change(Operation.UPDATE, rows, [at << CLOCK_COUNTER_BITS])
        await company.ingest.apply([device.pack([change])])
    return contact


async def phone(company: SmallCompany) -> list[tuple[Value, ...]]:
    """What stands, and what became of the conflict."""
    return await company.query("SELECT phone, deleted, c.state FROM contact, fm_conflict AS c")


async def overturned(company: SmallCompany) -> None:
    """The value that lost stands."""
    async with writing(company.database, company.clock) as writer:
        await conflicts.overturn(writer, 1)


async def test_a_value_that_lost_can_be_let_stand(company: SmallCompany) -> None:
    """The later writer is not always the one who is right."""
    await lost(company)
    await overturned(company)
    assert await phone(company) == [("3", 0, "overturned")]


@pytest.mark.parametrize("change", [ChangeWriter.update, ChangeWriter.delete])
async def test_a_conflict_whose_outcome_is_history_is_not_overturned(
    company: SmallCompany, change: object
) -> None:
    """Who overturned it saw Monday's value, and replaced Tuesday's; of a deleted row it said that it was done."""
    contact = await lost(company)
    async with writing(company.database, company.clock) as writer:
        await change(writer, "contact", from_rows("contact", ("id", "phone"), [(contact, "4")]))  # type: ignore[operator]
    before = await phone(company)
    with pytest.raises(Rejected) as caught:
        await overturned(company)
    assert caught.value.code == "conflict_outdated"
    assert await phone(company) == before
    assert before[0][2] == "open"
