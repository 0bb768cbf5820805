"""Quarantine, gaps and conflicts: counted and listed without what devices had sent, in pages."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldmesh.basics.errors import Retry
from fieldmesh.codec.columns import from_rows
from fieldmesh.replica.watermark import Watermark
from hub.desk.hands import Applied, Note
from hub.desk.operation import perform
from hub.desk.operations.registry import operation_named
from hub.desk.oversight import PAGE, release_gap, retry
from hub.desk.people import access_of
from hub.exchange.sample.generated import Size
from hub.fleet.subscriptions import today
from hub.storage import inbox, journal, quarantine
from hub.storage.inbox import Waiting
from hub.storage.org_changes import head_office_write
from hub.storage.quarantine import Quarantined
from hub.storage.system_tables import CONFLICT, QUARANTINE
from tests.kit.workplace import Site, hands_of, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
HELD, BYTES = PAGE + 3, 20_000
DEVICES = (b"d" * 16, b"e" * 16)
_NUMBER = re.compile(r'data-title="Number">(\d+)')


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """More stands in quarantine than fits on a page, and two devices have a gap."""
    async with site(tmp_path, SMALL) as found:
        await found.add("admin", "administrator")
        async with found.office.database.write() as connection:
            for number in range(HELD):
                entry = Quarantined(
                    0, DEVICES[0], 1, number, bytes(32), b"x" * BYTES, "bad_message", "no such table", None, 1,
                    quarantine.RELEASED if number == 0 else quarantine.OPEN,
                )  # fmt: skip
                assert await quarantine.put(connection, entry)
            for device in DEVICES:
                for epoch, sequence in ((2, 1), (1, 9), (1, 7)):
                    held = Waiting(device, epoch, sequence, bytes(32), b"x" * BYTES, sequence)
                    await inbox.park(connection, held)
            await inbox.set_mark(connection, DEVICES[1], Watermark(1, 5))
            for number in range(HELD):
                values = {one.name: "x" for one in CONFLICT.c if one.name != "number"}
                values |= {"at": 1, "lsn": 1, "state": "open", "column_name": f"name{number:03}"}  # type: ignore[dict-item]
                values |= {
                    name: bytes(16) for name in ("row_id", "standing_writer", "losing_writer")
                }  # type: ignore[misc]
                await connection.execute(sa.insert(CONFLICT).values(**values))
        yield found


async def asked(company: Site, address: str) -> tuple[str, list[str]]:
    """The page, and the statements that it has sent to the database."""
    statements: list[str] = []

    def note(_line: object, _cursor: object, statement: str, *_others: object) -> None:
        statements.append(statement)

    engine = company.office.database._engine.sync_engine
    async with company.person("admin") as admin:
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            status, text = await admin.get(address)
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
    assert status == 200, text
    return text, statements


@pytest.mark.parametrize("address", ["/today", "/oversight/quarantine", "/oversight/gaps"])
async def test_no_page_reads_what_devices_had_sent(company: Site, address: str) -> None:
    """A morning's board that reads every spoiled batch is slow when head office looks most."""
    text, statements = await asked(company, address)
    asks = [one.lower() for one in statements if "fm_quarantine" in one or "fm_waiting" in one]
    assert asks
    plain = [re.sub(r"length\([\w.]*payload\)", "", one) for one in asks]
    assert not any("payload" in one for one in plain), plain
    if address == "/today":
        assert f"{HELD - 1} batches in quarantine" in text
        assert "2 devices with a gap" in text
        assert f"{HELD} open conflicts" in text


async def test_quarantine_and_conflicts_are_shown_in_pages_and_every_entry_once(
    company: Site,
) -> None:
    """A page with ten thousand entries is none; an entry between two pages is decided by nobody."""
    async with company.person("admin") as admin:
        for query, wanted in (("", range(2, HELD + 1)), ("?all=1", range(1, HELD + 1))):
            found: list[int] = []
            address = f"/oversight/quarantine{query}"
            while address:
                _, text = await admin.get(address)
                shown = [int(one) for one in _NUMBER.findall(text)]
                assert len(shown) <= PAGE
                found += shown
                following = re.search(r'href="([^"]+)" rel="next"', text)
                address = following[1].replace("&amp;", "&") if following else ""
            assert found == list(wanted)
        _, first = await admin.get("/oversight/conflicts")
        following = re.search(r'href="([^"]+)" rel="next"', first)
        assert following is not None
        _, second = await admin.get(following[1])
        assert first.count("/keep") == PAGE
        assert second.count("/keep") == HELD - PAGE


async def test_a_gap_begins_with_the_first_batch_that_waits(company: Site) -> None:
    """The number tells a technician which batch to look for on the device."""
    async with company.office.database.read() as connection:
        found = await inbox.gaps(connection)
        assert await inbox.count_gaps(connection) == len(DEVICES)
    assert found == [
        (DEVICES[0], Watermark(), Watermark(1, 7), 3, 1),
        (DEVICES[1], Watermark(1, 5), Watermark(1, 7), 3, 1),
    ]


async def test_the_bytes_come_with_the_one_entry_that_is_asked_for(company: Site) -> None:
    """A retry without the bytes would apply nothing."""
    async with company.office.database.read() as connection:
        [held, *_] = await quarantine.entries(connection, state=quarantine.OPEN, most=1)
        entry = await quarantine.entry(connection, held.number)
    assert entry is not None
    assert entry.payload == b"x" * BYTES
    assert entry.without_bytes() == held


async def test_what_is_decided_is_decided_once_and_only_what_exists(company: Site) -> None:
    """An older page closed an entry that was applied, and kept a conflict that was overturned."""
    async with company.person("admin") as admin:
        _, page = await admin.get("/oversight/conflicts")
        conflict = re.findall(r"/conflicts/(\d+)/keep", page)[0]
        retried = {"state": quarantine.RETRIED}
        async with company.office.database.write() as connection:
            await connection.execute(sa.update(QUARANTINE).where(QUARANTINE.c.number == 3), retried)
        before = len(await entries(company))
        for path, wanted in (
            (f"conflicts/{conflict}/keep", 200), (f"conflicts/{conflict}/keep", 404), ("conflicts/999999/keep", 404),
            ("quarantine/2/release", 200), ("quarantine/2/release", 404), ("quarantine/3/release", 404),
            ("quarantine/999999/release", 404),
        ):  # fmt: skip
            status, text = await admin.post(f"/oversight/{path}", {})
            assert status == wanted, (path, text)
    kinds = [one.kind for one in await entries(company)]
    noted = kinds[: len(kinds) - before]
    assert sorted(noted) == ["conflict_kept", "quarantine_released"]
    async with company.office.database.read() as connection:
        entry = await quarantine.entry(connection, 3)
    assert entry is not None
    assert entry.state == quarantine.RETRIED


async def test_an_act_stands_in_the_journal_also_when_the_hub_stops_right_after(
    company: Site,
) -> None:
    """Promise 9: a gap that was given up can't be given up again, so nobody could ever be named."""
    kit = hands_of(company.office)

    async def and_stops(one: bytes, *note: Note) -> Applied:
        await kit.release(one, *note)
        raise ConnectionError

    async def is_away(*_: object) -> dict[str, object]:
        raise Retry("request_timed_out", place="gateway", delay_s=1.0, subject="", seconds=1)

    hands = replace(kit, retry=and_stops, release=and_stops, command=is_away)
    user = await company.add("boss", "administrator")
    gateway = await gateway_of(company)
    async with company.office.database.read() as connection:
        access = await access_of(connection, user, today(company.office.clock))
        [held, *_] = await quarantine.entries(connection, state=quarantine.OPEN, most=1)
    assert access is not None
    with pytest.raises(ConnectionError):
        await release_gap(hands, access, DEVICES[0])
    with pytest.raises(ConnectionError):
        await retry(hands, access, held.number)
    command = operation_named("gateways", "command", of_record=True)
    with pytest.raises(Retry):
        await perform(command, hands, access, gateway, {"what": "reseed"})
    newest = (await entries(company))[:3]
    assert [(one.kind, one.actor) for one in newest] == [
        ("gateway_commanded", "boss"), ("quarantine_retried", "boss"), ("gap_released", "boss"),
    ]  # fmt: skip
    async with company.office.database.read() as connection:
        entry = await quarantine.entry(connection, held.number)
    assert entry is not None
    assert entry.state == quarantine.RETRIED


async def entries(company: Site) -> list[journal.Entry]:
    """The journal, newest first."""
    async with company.office.database.read() as connection:
        return list(await journal.newest(connection, 1_000))


async def gateway_of(company: Site) -> bytes:
    """A gateway that has enrolled."""
    row_id = company.office.maker.identifiers.new()
    async with head_office_write(
        company.office.database, company.office.clock, actor="test", kind="test", about={}
    ) as writer:
        names = ("id", "code", "status")
        await writer.insert("gateway", from_rows("gateway", names, [(row_id, "G1", "enrolled")]))
    return row_id
