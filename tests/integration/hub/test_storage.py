"""The hub's storage on a real database: the journal's chain, the outbox in whole transactions, a new hub epoch."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldmesh.basics.epochs import EPOCH_ZERO_S, SECOND_US, hub_epoch_of
from fieldmesh.basics.errors import Rejected
from hub.cli.program import parser
from hub.config import HubSettings
from hub.fleet.office import make_office
from hub.storage import contents, down_outbox, journal
from hub.storage.database import HubDatabase, sqlite_url
from hub.storage.sqlite_line import Cursor, Row
from hub.storage.system_tables import JOURNAL
from tests.kit.company import SmallCompany

EPOCH = 200_000_000
NOW = (EPOCH_ZERO_S + EPOCH - 1) * SECOND_US
"""The second before it."""


async def journal_of_three(company: SmallCompany) -> None:
    """Three entries stand."""
    async with company.database.write() as connection:
        for number in range(3):
            await journal.append(
                connection, at=number, kind="k", actor="a", payload={"number": number}
            )


@pytest.mark.parametrize("column", ["at", "kind", "actor", "payload", "hash", "previous_hash"])
async def test_a_changed_entry_is_found(company: SmallCompany, column: str) -> None:
    """Promise 9: whichever column somebody changes in the database, the proof names the entry."""
    await journal_of_three(company)
    value = 9 if column == "at" else '{"number": 7}'
    async with company.database.write() as connection:
        await connection.execute(
            sa.update(JOURNAL).where(JOURNAL.c.number == 2).values({column: value})
        )
    async with company.database.read() as connection:
        with pytest.raises(Rejected) as caught:
            await journal.verify(connection)
    assert (caught.value.code, caught.value.fields["number"]) == ("journal_broken", 2)


async def test_an_end_that_was_noted_shows_that_the_journal_was_cut_or_written_anew(
    company: SmallCompany,
) -> None:
    """Promise 9: who can write the database can make the chain fit again, or cut off what tells of them."""
    await journal_of_three(company)
    async with company.database.read() as connection:
        noted = await journal.verify(connection)
        assert noted.number == 3
        assert await journal.verify(connection, noted) == noted
    async with company.database.write() as connection:
        await connection.execute(sa.delete(JOURNAL).where(JOURNAL.c.number == 3))
    async with company.database.read() as connection:
        assert (await journal.verify(connection)).number == 2
        with pytest.raises(Rejected) as caught:
            await journal.verify(connection, noted)
    assert (caught.value.code, caught.value.fields["number"]) == ("journal_broken", 3)
    async with company.database.write() as connection:
        await journal.append(connection, at=0, kind="k", actor="another", payload={})
    async with company.database.read() as connection:
        assert (await journal.verify(connection)).number == 3
        with pytest.raises(Rejected, match="3"):
            await journal.verify(connection, noted)


async def test_the_command_says_the_end_and_takes_the_noted_one(tmp_path: Path) -> None:
    """An auditor who can't give what was noted would have to read hashes by eye."""
    await (await make_office(tmp_path / "hub", HubSettings(), "")).database.close()
    words = ["--home", str(tmp_path / "hub"), "audit", "verify"]
    options = parser(words).parse_args(words)
    said = await options.command(options)
    end = said.facts["end"]
    assert end in said.lines[1]
    for noted, code in ((end, ""), (f"{end[:-1]}g", "journal_broken"), ("9:00", "journal_broken")):
        more = [*words, "--noted", noted]
        options = parser(more).parse_args(more)
        if code:
            with pytest.raises(Rejected) as caught:
                await options.command(options)
            assert caught.value.code == code
        else:
            assert (await options.command(options)).facts == said.facts


async def test_signs_of_patterns_stand_for_themselves_in_a_search(company: SmallCompany) -> None:
    """A file's name in brackets found nothing, or other entries, on SQL Server."""
    async with company.database.write() as connection:
        for file in ("[a]%_.csv", "a.csv"):
            await journal.append(connection, at=0, kind="k", actor="a", payload={"file": file})
    async with company.database.read() as connection:
        found = await journal.search(connection, journal.Wanted(words="[a]%_"), 10)
        statement = journal._fitting(sa.select(JOURNAL.c.number), journal.Wanted(words="[a]"))
    assert [one.number for one in found] == [1]
    assert "/[a]" in str(statement.compile().params)


async def test_an_entry_that_was_left_out_is_found(company: SmallCompany) -> None:
    """Promise 9: a deletion in the middle breaks the chain."""
    await journal_of_three(company)
    async with company.database.write() as connection:
        await connection.execute(sa.delete(JOURNAL).where(JOURNAL.c.number == 2))
    async with company.database.read() as connection:
        with pytest.raises(Rejected, match=r".+"):
            await journal.verify(connection)


async def test_the_proof_fetches_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page fetched the rest of its table: of five million rows the proof never came to an end."""
    company = await SmallCompany.founded(tmp_path, outlets=40)
    fetched: list[int] = []
    fetchall = Cursor.fetchall

    async def counted(self: Cursor) -> list[Row]:
        rows = await fetchall(self)
        fetched.append(len(rows))
        return rows

    monkeypatch.setattr(Cursor, "fetchall", counted)
    monkeypatch.setattr(contents, "PAGE", 10)
    read: list[int] = []
    async with company.database.read() as connection:
        assert await contents.prove(connection, lambda _, count: read.append(count)) == []
    assert sum(read) >= len(company.outlets)
    assert max(fetched) <= 10
    await company.database.close()


async def test_the_outbox_gives_whole_transactions_in_lsn_order(company: SmallCompany) -> None:
    """Promise 4: a portion that ended inside a transaction would let its mark show half of it."""
    device = await company.device()
    for outlet in company.outlets:
        await company.ingest.apply([device.pack(device.order(outlet))])
    lsns: list[int] = []
    remaining = True
    while remaining:
        async with company.database.write() as connection:
            portion = await down_outbox.next_portion(connection, 1)
            parts = [(one.lsn, one.part) for one in portion.payloads]
            for lsn in {lsn for lsn, _ in parts}:
                left = await connection.exec_driver_sql(
                    "SELECT count(*) FROM fm_down_outbox WHERE lsn = ?", (lsn,)
                )
                assert left.scalar_one() == sum(one == lsn for one, _ in parts)
            assert parts == sorted(parts)
            lsns += [lsn for lsn, _ in parts]
            await down_outbox.forget_up_to(connection, portion.up_to)
            remaining = portion.remaining
    assert lsns == sorted(lsns)
    assert await company.query("SELECT count(*) FROM fm_down_outbox") == [(0,)]


async def test_a_transaction_that_fails_leaves_nothing_and_uses_no_lsn(
    company: SmallCompany,
) -> None:
    """Promise 4: commit order is LSN order, and what was not committed was never told."""
    async with company.database.read() as connection:
        before = await contents.current_lsn(connection)
    outbox = await company.query("SELECT count(*) FROM fm_down_outbox")
    outlet = company.outlets[0]
    with pytest.raises(Rejected, match="refused these rows"):
        await company.insert("outlet", ("id", "code"), [(outlet, "again")])
    async with company.database.read() as connection:
        assert await contents.current_lsn(connection) == before
        assert await contents.prove(connection) == []
    assert await company.query("SELECT count(*) FROM fm_down_outbox") == outbox


async def test_a_new_epoch_stands_above_every_lsn_of_the_lost_future(
    company: SmallCompany,
) -> None:
    """After a restored backup no new commit may have a number that a lost future has used, of whichever restore."""
    async with company.database.read() as connection:
        last = await contents.current_lsn(connection)
    async with company.database.write() as connection:
        assert await down_outbox.start_new_epoch(connection, NOW) == EPOCH
    lsn = await company.insert("product", ("id", "code"), [(company.identifiers.new(), "N")])
    assert hub_epoch_of(lsn) == EPOCH
    async with company.database.read() as connection:
        assert await down_outbox.epochs(connection) == [(1, 0), (EPOCH, last)]


async def test_a_missing_database_is_named_without_its_password(tmp_path: Path) -> None:
    """A person sees which database is missing; nobody's password gets into a log."""
    database = HubDatabase(sqlite_url(tmp_path / "none.db"))
    with pytest.raises(Rejected) as caught:
        await database.follow_release()
    await database.close()
    assert caught.value.code == "database_missing"
    assert "none.db" in caught.value.place
