"""Questions to the columnar copy: one that takes too long ends, alone, and keeps nobody and nothing back."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType

import pytest

from fieldmesh.basics.errors import Retry
from fieldmesh.data.types import Value
from hub.config import HubSettings
from hub.fleet.office import make_office
from hub.storage.changes import writing
from hub.storage.columnar import asking, feed
from hub.storage.columnar.columns import NAME, Columns, Limits
from hub.storage.columnar.file import ColumnarFile
from tests.kit.company import SmallCompany

LIMIT_S = 0.2
HEAVY = (
    "SELECT count(*) FROM range(10000000) AS a, range(10000000) AS b WHERE a.range + b.range = ?"
)
LIGHT = "SELECT sum(range) FROM range(1000000) WHERE range < ?"
MOST_S = 5.0


@pytest.fixture
async def columns(tmp_path: Path) -> AsyncIterator[Columns]:
    """A copy whose questions may take a fifth of a second."""
    office = await make_office(tmp_path / "hub", HubSettings(), "")
    limits = Limits(question_s=LIMIT_S)
    found = Columns(office.database, office.home.analysis, office.clock, limits)
    try:
        yield found
    finally:
        await found.close()
        await office.database.close()


async def running(count: int) -> None:
    """Returns as soon as so many threads stand in a question to the copy."""
    until = time.monotonic() + MOST_S
    while sum(map(is_asking, sys._current_frames().values())) != count:
        assert time.monotonic() < until, f"other than {count} run"
        await asyncio.sleep(0.01)


def is_asking(frame: FrameType | None) -> bool:
    """Whether a thread stands in a question to the copy."""
    while frame is not None:
        if frame.f_code.co_name in {"rows", "ask"} and "columnar" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


async def refused(columns: Columns, code: str) -> None:
    """A question that would take hours is refused for that."""
    with pytest.raises(Retry) as caught:
        await columns.ask(HEAVY, [-1])
    assert caught.value.code == code


async def test_a_question_over_its_time_ends_and_others_are_answered_meanwhile(
    columns: Columns,
) -> None:
    """Each reload of a heavy report would keep a thread busy for hours, until nobody can sign in."""
    assert await columns.ask(LIGHT, [3]) == [(3,)]
    async with asyncio.TaskGroup() as group:
        group.create_task(refused(columns, "question_too_heavy"))
        group.create_task(refused(columns, "question_too_heavy"))
        await running(2)
        assert await columns.ask(LIGHT, [4]) == [(6,)]
    await running(0)
    assert await columns.ask(LIGHT, [5]) == [(10,)]


async def test_a_question_whose_asker_has_left_ends(columns: Columns) -> None:
    """Whoever closes the page would leave the hub counting for nobody."""
    asker = asyncio.get_running_loop().create_task(columns.ask(HEAVY, [-1]))
    await running(1)
    asker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    await running(0)


async def test_a_copy_that_is_closed_ends_its_questions(tmp_path: Path) -> None:
    """A hub that is stopped while somebody waits for a report would not stop."""
    office = await make_office(tmp_path / "hub", HubSettings(), "")
    columns = Columns(office.database, office.home.analysis, office.clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(refused(columns, "analysis_busy"))
        await running(1)
        await columns.close()
    await running(0)
    await office.database.close()


async def test_more_questions_than_may_wait_are_told_to_come_again(
    columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue without a bound makes everybody wait for what nobody waits for any more."""
    monkeypatch.setattr(asking, "MOST_WAITING", 0)
    await columns.ask(LIGHT, [3])
    async with asyncio.TaskGroup() as group:
        for _ in range(asking.MOST_AT_ONCE):
            group.create_task(refused(columns, "question_too_heavy"))
        await running(asking.MOST_AT_ONCE)
        await refused(columns, "analysis_busy")
    await running(0)


async def test_a_copy_that_cannot_be_written_says_so_and_follows_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A page would break off without words, and nobody would know that figures stand still."""
    company = await SmallCompany.founded(tmp_path)
    columns = Columns(company.database, tmp_path, company.clock)
    await columns.follow()
    memory, threads, _ = Limits()
    beside = ColumnarFile(tmp_path / NAME, memory_bytes=memory, threads=threads)
    try:
        with beside.transaction() as cursor:
            cursor.execute("ALTER TABLE product RENAME TO elsewhere")
        await company.insert("product", ("id", "code", "name"), [(b"2" * 16, "P2", "Tea\r")])
        with pytest.raises(Retry) as caught:
            await columns.recent(0)
        assert caught.value.code == "analysis_behind"
        assert "columns_behind" in caplog.messages
        with beside.transaction() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO product")
        await columns.recent(0)
        assert await columns.ask("SELECT name FROM product ORDER BY code", []) == [
            ("Cola",),
            ("Tea\r",),
        ]
    finally:
        beside.close()
        await columns.close()
        await company.database.close()


async def test_a_row_that_is_archived_while_the_copy_follows_is_not_lost(
    company: SmallCompany,
) -> None:
    """On SQL Server a transaction sees what others commit meanwhile: the order kept its old state in all reports."""
    order = company.identifiers.new()
    names = ("id", "outlet_id", "state")
    await company.insert("sales_order", names, [(order, company.outlets[0], "closed")])
    found: list[Value] = []
    async with company.database.read() as connection:
        partitions = (await feed.touched(connection, 0))["sales_order"]
    assert len(partitions) > 1
    for n, place in enumerate(partitions):
        async with company.database.read() as connection:
            lsn, _ = await feed.standing(connection)
            async for rows in feed.changed(connection, "sales_order", [place], (0, lsn)):
                found += [row[0] for row in rows]
        if not n:
            async with writing(company.database, company.clock) as writer:
                await writer.archive("sales_order", [order])
    assert order in found
