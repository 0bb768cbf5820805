"""Made-up documents in a hub, what its reports say of them, and small helpers of those who count independently."""

import datetime
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from fieldmesh.data.types import Value
from hub.analysis.answers import Analyst, Answer
from hub.analysis.question import Question
from hub.config import HubSettings
from hub.fleet.office import make_office
from hub.rules.access import Access, Post
from hub.rules.functions import FUNCTIONS, RoleKind
from hub.storage.columnar.columns import Columns
from hub.storage.org_changes import head_office_write
from tests.kit.field_documents import FIRST, LAST, Row, Tables, table_rows

ZONE = ZoneInfo("Europe/Sofia")
DAY_US = 86_400_000_000
Found = dict[str, Fraction | None]


@dataclass
class Asked:
    """Somebody of head office who asks."""

    analyst: Analyst
    access: Access

    async def answer(self, measures: Iterable[str], *rows: str) -> Answer:
        """Figures of the month by the rows; at most a dozen at once."""
        question = Question(tuple(measures), rows, since=FIRST, until=LAST)
        return await self.analyst.answer(self.access, question, ZONE)


@asynccontextmanager
async def asked(folder: Path, tables: Tables) -> AsyncIterator[Asked]:
    """The documents stand in a hub whose reports can be asked."""
    office = await make_office(folder / "hub", HubSettings(), "")
    columns = Columns(office.database, office.home.analysis, office.clock)
    try:
        async with head_office_write(
            office.database, office.clock, actor="test", kind="made", about={}
        ) as writer:
            for rows in table_rows(tables):
                await writer.insert(rows.table, rows)
        post = Post(b"p" * 16, RoleKind.ANALYST, functions={code: {} for code in FUNCTIONS})
        yield Asked(Analyst(columns, office.clock), Access(b"u" * 16, "ann", "Ann", (post,)))
    finally:
        await columns.close()
        await office.database.close()


def of_month(rows: Iterable[Row], name: str) -> list[Row]:
    """Rows whose day, or local day of whose moment, lies in the month."""
    return [row for row in rows if row[name] is not None and FIRST <= day_of(row[name]) <= LAST]


def day_of(value: Value) -> datetime.date:
    """A day; the local day of a moment."""
    if isinstance(value, int):
        return datetime.datetime.fromtimestamp(value / 1_000_000, ZONE).date()
    return datetime.date.fromisoformat(str(value))


def clock_us(value: Value) -> int:
    """Microseconds from the local midnight to a moment."""
    moment = datetime.datetime.fromtimestamp(number(value) / 1_000_000, ZONE)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return (moment - midnight) // datetime.timedelta(microseconds=1)


def by_id(rows: Iterable[Row]) -> dict[Value, Row]:
    """Rows by their id."""
    return {row["id"]: row for row in rows}


def number(value: Value) -> int:
    """A number that is there."""
    assert isinstance(value, int)
    return value


def share(part: Fraction | int, of: Fraction | int, times: int = 1) -> Fraction | None:
    """One by the other; None when that is nothing."""
    return Fraction(part) * times / Fraction(of) if of else None


def narrowed(tables: Tables, position: bytes) -> Tables:
    """Documents of one position only, and everything that is nobody's."""
    return {
        table: rows if table == "outlet" else [
            row for row in rows if "position_id" not in row or row["position_id"] == position
        ]
        for table, rows in tables.items()
    }  # fmt: skip


def compared(figures: Found, expected: Found, where: object) -> None:
    """Every figure is what was counted; of nothing, 0 and none are alike."""
    for name, value in expected.items():
        assert (figures[name] or 0) == (value or 0), (where, name, figures[name], value)
