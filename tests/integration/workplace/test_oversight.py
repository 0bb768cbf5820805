"""Quarantine, gaps and conflicts: counted and listed without what devices had sent, in pages."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldmesh.replica.watermark import Watermark
from hub.desk.oversight import PAGE
from hub.exchange.sample.generated import Size
from hub.storage import inbox, quarantine
from hub.storage.inbox import Waiting
from hub.storage.quarantine import Quarantined
from hub.storage.system_tables import CONFLICT
from tests.kit.workplace import Site, site

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
