"""Lists as files: every row that the person may see and has asked for, page by page, so that memory stays small.

A file is whole or refused before its first byte: nobody can see what is missing from one.
"""

import asyncio
import datetime
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.money import unscaled
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.types import Value, WireType
from fieldmesh.service.translation import translate
from hub.desk.asking import Ask, id_text
from hub.desk.csv_lines import MARK, line, safe
from hub.desk.lists import count_of, page_of
from hub.desk.view import View
from hub.desk.words import column_title
from hub.desk.workbooks import new_workbook
from hub.fleet.office import Office
from hub.rules.access import Access
from hub.storage import journal
from hub.storage.lists import MOST_ROWS

MOST = 200_000
"""Rows of one export, where the function sets no lower limit; a worksheet takes about a million."""
_AT_ONCE = 500
"""Rows that are written in a thread in one go."""
_SPREADSHEET_EPOCH = 25_569
"""Days from 1899-12-30, from which spreadsheets count, to 1970-01-01."""
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported.

    Attributes:
        view: of what.
        ask: filters and search.
        language: of the headings.
        zone: of times in a workbook; those of a CSV file say themselves that they are UTC.
    """

    view: View
    ask: Ask
    language: str
    zone: datetime.tzinfo = datetime.UTC

    @property
    def headings(self) -> list[str]:
        """The first line of a CSV file."""
        return [translate(column_title(path), self.language) for path in self.view.columns]

    @property
    def zoned_headings(self) -> list[str]:
        """The first line of a workbook, whose times have no zone of their own."""
        return [
            f"{title} ({self.zone})" if column.kind.wire is WireType.TIME else title
            for title, column in zip(self.headings, self.columns, strict=True)
        ]

    @property
    def columns(self) -> list[ReplicatedColumn]:
        """What stands in each place."""
        return [self.view.column(path) for path in self.view.columns]


async def rows(
    office: Office, access: Access, export: Export
) -> AsyncGenerator[Sequence[Value], None]:
    """The rows; how many were given is noted in the journal, also when whoever reads them breaks off.

    Raises:
        Rejected: `function_missing`, of the list or of exports; `export_too_large`, before the first row.
    """
    most = most_rows(access)
    count = await count_of(office.database, access, export.view, export.ask, most)
    check_size(count, most, export.view.name)
    ask, given, wide = replace(export.ask, most=MOST_ROWS, after=None), 0, len(export.view.columns)
    page = await page_of(office.database, access, export.view, ask)  # what is refused gives nothing
    try:
        while True:
            for row in page.rows:
                given += 1
                yield row[1 : wide + 1]
            if page.after is None:
                break
            ask = replace(ask, after=page.after)
            page = await page_of(office.database, access, export.view, ask)
    finally:
        await note_export(office, access, export.view.name, given, export.ask.conditions)


def most_rows(access: Access) -> int:
    """How many rows the person may take along in one file.

    Raises:
        Rejected: `function_missing`, of exports.
    """
    access.need("data.export")
    return min(MOST, access.limit("data.export", "most_rows") or MOST)


def check_size(count: int, most: int, place: str) -> None:
    """So many rows may go into one file.

    Raises:
        Rejected: `export_too_large`.
    """
    if count > most:
        raise Rejected("export_too_large", place=place, most=most)


async def note_export(office: Office, access: Access, name: str, given: int, asked: object) -> None:
    """That so many rows have left the hub stands in the journal.

    Args:
        office: the hub.
        access: who has taken them along.
        name: of the list.
        given: how many rows.
        asked: what they were narrowed by.
    """
    about = {"view": name, "rows": given, "asked": repr(asked)[:400]}
    async with office.database.write() as connection:
        await journal.append(
            connection, at=office.clock.now(), kind="exported", actor=access.login, payload=about
        )


async def as_csv(office: Office, access: Access, export: Export) -> AsyncGenerator[bytes, None]:
    """The export as CSV (RFC 4180, UTF-8 with a mark, so that spreadsheets read Cyrillic), in pieces."""
    columns, begun = export.columns, MARK + line(export.headings)
    async with aclosing(rows(office, access, export)) as found:
        async for row in found:
            texts = [plain_text(one, value) for one, value in zip(columns, row, strict=True)]
            yield begun + line(texts)  # what is refused is refused before anything was sent
            begun = b""
    if begun:
        yield begun


async def as_xlsx(office: Office, access: Access, export: Export) -> Path:
    """The export as a workbook in a temporary file, which the caller removes; what is refused leaves none."""
    with tempfile.NamedTemporaryFile(suffix=".xlsx", delete=False) as file:
        path = Path(file.name)
    book = new_workbook(path)
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    formats = {
        WireType.DATE: book.add_format({"num_format": "yyyy-mm-dd"}),
        WireType.TIME: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    }
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, export.zoned_headings, bold)
    try:
        await _fill(office, access, export, sheet, formats)
    except BaseException:
        await asyncio.to_thread(book.close)
        await asyncio.to_thread(path.unlink)
        raise
    await asyncio.to_thread(book.close)
    return path


async def _fill(
    office: Office,
    access: Access,
    export: Export,
    sheet: Worksheet,
    formats: Mapping[WireType, Format],
) -> None:
    columns, number = export.columns, 0
    held: list[Sequence[Value]] = []

    def write() -> None:
        for offset, row in enumerate(held, number - len(held) + 1):
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                cell = cell_value(column, value, export.zone)
                if cell is not None:
                    sheet.write(offset, place, cell, formats.get(column.kind.wire))
        held.clear()

    async with aclosing(rows(office, access, export)) as found:
        async for row in found:
            number += 1
            held.append(row)
            if len(held) == _AT_ONCE:
                await asyncio.to_thread(write)
    await asyncio.to_thread(write)


def plain_text(column: ReplicatedColumn, value: Value) -> str:
    """A value for a CSV file: a point in decimals, days and times as ISO 8601; what looks like a formula is quoted."""
    if value is None:
        return ""
    match column.kind.wire, value:
        case WireType.DECIMAL, int():
            return str(unscaled(value, column.kind.scale))
        case WireType.TIME, int():
            return iso(value)
        case WireType.IDENTIFIER, bytes():
            return id_text(value)
        case _, str():
            return safe(value)
        case _:
            return str(value)


def cell_value(
    column: ReplicatedColumn, value: Value, zone: datetime.tzinfo
) -> str | float | Decimal | bool | None:
    """A value for a cell of a workbook; times are those of a clock in the zone, as pages show them."""
    match column.kind.wire, value:
        case _, None:
            return None
        case WireType.DECIMAL, int():
            return float(unscaled(value, column.kind.scale))
        case WireType.TIME, int():
            local = _moment(value).astimezone(zone).replace(tzinfo=datetime.UTC)
            return local.timestamp() / _DAY_S + _SPREADSHEET_EPOCH
        case WireType.BOOLEAN, int():
            return bool(value)
        case _, int():
            return value
        case _:
            return plain_text(column, value)


def iso(at: int) -> str:
    """A moment as ISO 8601."""
    return _moment(at).isoformat().replace("+00:00", "Z")


def _moment(at: int) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=at)
