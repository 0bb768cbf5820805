"""A CSV file → rows through the change path.

Every bad line is reported as file:line:column: reason.

Good lines are loaded in transactions of at most 10,000 rows, or, all or nothing, in one after the
whole file was found good. Loading a file again changes nothing.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from fieldmesh.basics.clock import Clock
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from fieldmesh.service.translation import _
from hub.exchange.csv_kinds import Field, Kind
from hub.exchange.csv_lookup import Codes, Key, ids_by_key
from hub.exchange.csv_reading import check_file, fields_of, opened, reader
from hub.exchange.csv_values import BadValueError, parse_value
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase
from hub.storage.org_changes import head_office_write
from hub.storage.rows import Connection

BATCH_ROWS = 10_000
MOST_PROBLEMS = 1_000
_PERSON = b"fieldmesh csv"

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a cell or a line can't be loaded."""

    file: str
    line: int
    column: str
    reason: str

    @override
    def __str__(self) -> str:
        """file:line:column: reason."""
        return f"{self.file}:{self.line}:{self.column}: {self.reason}"


@dataclass(slots=True)
class Imported:
    """What became of a file.

    Attributes:
        lines: lines read, without the heading.
        loaded: lines that stand in the database now.
        changed: rows that were made or changed by that.
        bad: lines that could not be loaded.
        problems: the first 1,000 problems.
    """

    lines: int = 0
    loaded: int = 0
    changed: int = 0
    bad: int = 0
    problems: list[LineProblem] = field(default_factory=list)


@dataclass(slots=True)
class _Reading:
    """A file being read: headings, codes and keys known so far."""

    file: str
    kind: Kind
    fields: list[Field | None]
    codes: Mapping[str, dict[str, bytes]]
    keys: dict[Key, bytes]
    done: Imported
    seen: set[bytes] = field(default_factory=set)


async def import_csv(
    database: HubDatabase,
    kind: Kind,
    path: Path,
    *,
    clock: Clock,
    actor: str,
    progress: Progress | None = None,
) -> Imported:
    """The good lines of the file stand in the database.

    Args:
        database: the hub's.
        kind: what the file holds.
        path: UTF-8, first line headings, comma or semicolon between cells.
        clock: time of the rows.
        actor: who loads it, for the journal.
        progress: told the number of lines done.

    Returns:
        Counts and problems.

    Raises:
        Rejected: `file_unreadable`; `csv_invalid`: the file as a whole can't be loaded, and
            nothing of it was: encoding, quotes or headings.
    """
    check_file(kind, path)
    async with database.read() as connection:
        reading = await _begin(connection, kind, path)
    about = {"kind": kind.name, "file": path.name}
    for batch in _batches(reading, path):
        if batch:
            async with head_office_write(
                database, clock, actor=actor, kind="csv_loaded", about={**about, "rows": len(batch)}
            ) as writer:
                await _write(writer, reading, batch)
        if progress is not None:
            progress(reading.done.lines)
    return reading.done


async def import_all_or_nothing(
    database: HubDatabase, work: Sequence[tuple[Kind, Path]], *, clock: Clock, actor: str
) -> list[Imported]:
    """All lines of all files stand in the database, in one transaction, or none of them.

    Raises:
        Rejected: as `import_csv`.
    """
    for kind, path in work:
        check_file(kind, path)
    results: list[Imported] = []
    about = {"files": [path.name for _kind, path in work]}
    try:
        async with head_office_write(
            database, clock, actor=actor, kind="csv_loaded", about=about
        ) as writer:
            for kind, path in work:
                reading = await _begin(writer.connection, kind, path)
                results.append(reading.done)
                for batch in _batches(reading, path):
                    if batch:
                        await _write(writer, reading, batch)
            _give_up_if_bad(results)
    except _NothingIsLoadedError:
        for one in results:
            one.loaded = one.changed = 0
    return results


class _NothingIsLoadedError(Exception):
    """A line was bad: the transaction is given up."""


def _give_up_if_bad(results: Sequence[Imported]) -> None:
    if any(one.bad for one in results):
        raise _NothingIsLoadedError


async def _begin(connection: Connection, kind: Kind, path: Path) -> _Reading:
    with opened(path) as file:
        headings: list[str] = next(reader(file, path), [])
    fields = fields_of(kind, headings, path.name)
    codes = Codes(connection)
    wanted = [one.table for one in fields if one is not None and one.table is not None]
    known = {table: await codes.read(table) for table in wanted}
    keys = await ids_by_key(connection, kind)
    reading = _Reading(path.name, kind, fields, known, keys, Imported())
    if kind.refers_to_itself and kind.key == ("code",):
        _know_own_codes(reading, path, headings.index("code"))
    return reading


def _know_own_codes(reading: _Reading, path: Path, place: int) -> None:
    """Rows may name rows further down the same file."""
    own = reading.codes.get(reading.kind.name)
    if own is None:
        return
    with opened(path) as file:
        lines = reader(file, path)
        next(lines, None)
        for cells in lines:
            code = cells[place].strip() if len(cells) > place else ""
            if code:
                own.setdefault(code, _new_id(reading.kind, (code,)))


def _batches(reading: _Reading, path: Path) -> Iterator[list[tuple[Value, ...]]]:
    batch: list[tuple[Value, ...]] = []
    with opened(path) as file:
        lines = reader(file, path)
        next(lines, None)
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            reading.done.lines += 1
            row = _row(reading, cells, lines.line_num)
            if row is None:
                reading.done.bad += 1
            else:
                reading.done.loaded += 1
                batch.append(row)
            if len(batch) >= BATCH_ROWS:
                yield batch
                batch = []
    yield batch


def _row(reading: _Reading, cells: list[str], line: int) -> tuple[Value, ...] | None:
    if len(cells) != len(reading.fields):
        text = _("{found} cells instead of {wanted}")
        filled = text.format(found=len(cells), wanted=len(reading.fields))
        _report(reading, line, "-", filled)
        return None
    values: dict[str, Value] = {}
    good = True
    for one, cell in zip(reading.fields, cells, strict=True):
        if one is None:
            continue
        try:
            values[one.heading] = _cell(reading, one, cell.strip())
        except BadValueError as reason:
            _report(reading, line, one.heading, str(reason))
            good = False
    if not good:
        return None
    key = tuple(values.get(heading) for heading in reading.kind.key)
    row_id = reading.keys.get(key)
    if row_id is None:
        row_id = _own_id(reading, key)
        reading.keys[key] = row_id
    if row_id in reading.seen:
        _report(reading, line, ",".join(reading.kind.key), _("stands in the file twice"))
        return None
    reading.seen.add(row_id)
    return (row_id, *values.values())


def _cell(reading: _Reading, one: Field, cell: str) -> Value:
    if not cell:
        if one.column.nullable:
            return None
        if one.column.default is None:
            raise BadValueError(_("must not be empty"))
        return one.column.default
    if one.table is None:
        return parse_value(one.column, cell)
    found = reading.codes[one.table].get(cell)
    if found is None:
        title = one.table.replace("_", " ")
        raise BadValueError(_("there is no {table} {code}").format(table=title, code=cell[:80]))
    return found


def _own_id(reading: _Reading, key: Key) -> bytes:
    own = reading.codes.get(reading.kind.name)
    code = key[0]
    if own is not None and len(key) == 1 and isinstance(code, str) and code in own:
        return own[code]
    return _new_id(reading.kind, key)


def _new_id(kind: Kind, key: Key) -> bytes:
    """The same key gets the same id each time, so a load that was cut can be repeated."""
    text = "\x1f".join(one.hex() if isinstance(one, bytes) else str(one) for one in key)
    content = f"{kind.name}\x1e{text}".encode()
    digest = bytearray(hashlib.blake2b(content, digest_size=16, person=_PERSON).digest())
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return bytes(digest)


async def _write(writer: ChangeWriter, reading: _Reading, rows: list[tuple[Value, ...]]) -> None:
    names = ("id", *(one.column.name for one in reading.fields if one is not None))
    reading.done.changed += await writer.upsert(
        reading.kind.name, from_rows(reading.kind.name, names, rows)
    )


def _report(reading: _Reading, line: int, column: str, reason: str) -> None:
    if len(reading.done.problems) < MOST_PROBLEMS:
        reading.done.problems.append(LineProblem(reading.file, line, column, reason))
