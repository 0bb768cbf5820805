"""A revoked device stays revoked, whatever becomes of the spare that stood in for it. Promise 7 (Authority)."""

import json

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.batch import Event, EventKind
from hub.fleet.carried import Ended, carry_over
from hub.fleet.registry import Maker, authorise_spare, revoke_device
from hub.storage import journal, nodes
from hub.storage.changes import writing
from tests.kit.company import PackingDevice, SmallCompany


async def pair(company: SmallCompany) -> tuple[PackingDevice, PackingDevice]:
    """A device, and a spare that may stand in for it."""
    first = await company.device("D1")
    spare = await company.device("S1", kind="spare", stands_in_for=first.device_id, state="spare")
    return first, spare


async def hears(company: SmallCompany, spare: PackingDevice, kind: EventKind, of: bytes) -> None:
    """Head office has the spare's batch with that event."""
    result = await company.ingest.apply([spare.pack([], event=Event(kind, of))])
    assert result.applied == 1


async def revoke(company: SmallCompany, code: str) -> None:
    """The device was stolen."""
    async with writing(company.database, company.clock) as writer:
        device = await nodes.named_device(writer.connection, code)
        maker = Maker(company.clock, company.identifiers)
        await revoke_device(writer, maker, device, wipe_order=b"order")


async def states(company: SmallCompany) -> dict[object, object]:
    """Code of each device → its state."""
    return dict(await company.query("SELECT code, state FROM device ORDER BY code"))


async def last_note(company: SmallCompany) -> tuple[str, dict[str, object]]:
    """The newest entry of the journal: kind and content."""
    async with company.database.read() as connection:
        entry = (await journal.entries(connection, after=0, most=1000))[-1]
    return entry.kind, json.loads(entry.payload)


async def test_it_stays_revoked_when_its_spare_hands_over(company: SmallCompany) -> None:
    """A thief had the whole position again, months after the loss was told."""
    first, spare = await pair(company)
    await hears(company, spare, EventKind.TAKEOVER, first.device_id)
    await revoke(company, "D1")
    await hears(company, spare, EventKind.HANDOVER, first.device_id)
    assert await states(company) == {"D1": "revoked", "S1": "spare"}
    kind, about = await last_note(company)
    assert (kind, about["stay_revoked"]) == ("spare_handed_over", [first.device_id.hex()])


async def test_it_stays_revoked_when_its_spare_takes_over(company: SmallCompany) -> None:
    """A suspended device may sync and upload."""
    first, spare = await pair(company)
    await revoke(company, "D1")
    await hears(company, spare, EventKind.TAKEOVER, first.device_id)
    assert await states(company) == {"D1": "revoked", "S1": "standing_in"}


async def test_it_stays_revoked_when_its_spare_is_revoked_too(company: SmallCompany) -> None:
    """Both were in the same bag."""
    first, spare = await pair(company)
    await hears(company, spare, EventKind.TAKEOVER, first.device_id)
    await revoke(company, "D1")
    await revoke(company, "S1")
    assert await states(company) == {"D1": "revoked", "S1": "revoked"}


async def test_it_stays_revoked_when_a_restored_hub_revokes_both(company: SmallCompany) -> None:
    """The list that is printed said that it was revoked, and it was active."""
    first, spare = await pair(company)
    await hears(company, spare, EventKind.TAKEOVER, first.device_id)
    async with company.database.read() as connection:
        beginning = (await journal.entries(connection, after=0, most=1))[0].hash
    orders = {one.device_id: b"order" for one in (first, spare)}
    ended = Ended(beginning, frozenset(), orders, frozenset(), (), frozenset())
    async with writing(company.database, company.clock) as writer:
        done = await carry_over(writer, Maker(company.clock, company.identifiers), ended)
    assert sorted(done) == ["D1", "S1"]
    assert await states(company) == {"D1": "revoked", "S1": "revoked"}


@pytest.mark.parametrize("kind", [EventKind.TAKEOVER, EventKind.HANDOVER])
async def test_a_revoked_spare_stays_so_when_an_operator_takes_in_what_it_sent(
    company: SmallCompany, kind: EventKind
) -> None:
    """What a stolen spare had sent may be wanted; its word on who works is not."""
    first, spare = await pair(company)
    await revoke(company, "S1")
    batch = spare.pack([], event=Event(kind, first.device_id))
    assert (await company.ingest.apply([batch])).quarantined == 1
    assert (await company.ingest.retry(batch.payload)).applied == 1
    assert await states(company) == {"D1": "active", "S1": "revoked"}


async def test_one_device_has_one_spare(company: SmallCompany) -> None:
    """The first hand-over of two made the first device work beside the other spare."""
    first, _spare = await pair(company)
    await company.device("S2", kind="spare", state="spare")

    async def second_spare() -> None:
        async with writing(company.database, company.clock) as writer:
            maker = Maker(company.clock, company.identifiers)
            spare = await nodes.named_device(writer.connection, "S2")
            held = await nodes.named_device(writer.connection, "D1")
            await authorise_spare(writer, maker, spare=spare, first=held)

    with pytest.raises(Rejected) as refused:
        await second_spare()
    assert (refused.value.code, refused.value.fields["device"]) == ("position_has_spare", "S1")
    await revoke(company, "S1")
    await second_spare()
    held = await company.query("SELECT stands_in_for FROM device WHERE code = 'S2'")
    assert held == [(first.device_id,)], "what was lost with the first spare stops nobody"
