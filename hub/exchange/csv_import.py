"""A CSV file → rows through the change path.

Every bad line is reported as file:line:column: reason.

Good lines are loaded in transactions of at most 10,000 rows, those of a tree in one, or, all or
nothing, in one after the whole file was found good. Loading a file again changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path

from fieldmesh.basics.clock import Clock
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.exchange.csv_batch import Imported, Line, Reading, placed, rows_of
from hub.exchange.csv_kinds import Kind
from hub.exchange.csv_reading import check_file, fields_of, opened, reader
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase
from hub.storage.org_changes import head_office_write
from hub.storage.rows import Connection

BATCH_ROWS = 10_000

Progress = Callable[[int], None]
Guard = Callable[[Connection, str, set[bytes]], Awaitable[Mapping[bytes, str]]]
"""Why some rows of a table are not for the person who loads them: asked before they are written, and again after."""


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
    reading = _begin(kind, path)
    pieces = _pieces(reading, path)
    while lines := await asyncio.to_thread(next, pieces, None):
        async with database.read() as connection:
            rows = await rows_of(connection, reading, lines)
        if rows:
            about: dict[str, object] = {"kind": kind.name, "file": path.name}
            async with head_office_write(
                database, clock, actor=actor, kind="csv_loaded", about=about
            ) as writer:
                about["rows"] = await _write(writer, reading, rows)
        if progress is not None:
            progress(reading.done.lines)
    return reading.done


async def import_all_or_nothing(
    database: HubDatabase,
    work: Sequence[tuple[Kind, Path]],
    *,
    clock: Clock,
    actor: str,
    guard: Guard | None = None,
) -> list[Imported]:
    """All lines of all files stand in the database, in one transaction, or none of them.

    Args:
        database: the hub's.
        work: files with their kinds.
        clock: time of the rows.
        actor: who loads them, for the journal.
        guard: says which rows the actor may not change, or make what they are then; None = whoever is at the machine
            may change everything.

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
                reading = _begin(kind, path)
                results.append(reading.done)
                pieces = _pieces(reading, path)
                while lines := await asyncio.to_thread(next, pieces, None):
                    rows = await rows_of(writer.connection, reading, lines)
                    if rows:
                        await _write_guarded(writer, reading, rows, guard)
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


def _begin(kind: Kind, path: Path) -> Reading:
    with opened(path) as file:
        headings: list[str] = next(reader(file, path), [])
    return Reading(path.name, kind, fields_of(kind, headings, path.name))


def _pieces(reading: Reading, path: Path) -> Iterator[list[Line]]:
    """Lines for one transaction each; those of a tree all together, since rows name rows further down.

    They are read in threads, so that nobody waits meanwhile.
    """
    piece: list[Line] = []
    with opened(path) as file:
        lines = reader(file, path)
        next(lines, None)
        following = lines.line_num + 1
        for cells in lines:
            began, following = following, lines.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            reading.done.lines += 1
            piece.append((began, cells))
            if len(piece) >= BATCH_ROWS and not reading.kind.refers_to_itself:
                yield piece
                piece = []
    if piece:
        yield piece


async def _write(writer: ChangeWriter, reading: Reading, rows: list[tuple[Value, ...]]) -> int:
    """The rows that have their place stand; returns how many that are."""
    names = ("id", *(one.column.name for one in reading.named))
    good = await placed(writer.connection, reading, rows)
    if good:
        found = from_rows(reading.kind.name, names, good)
        reading.done.changed += await writer.upsert(reading.kind.name, found)
    return len(good)


async def _write_guarded(
    writer: ChangeWriter, reading: Reading, rows: list[tuple[Value, ...]], guard: Guard | None
) -> None:
    ids = {row[0] for row in rows if isinstance(row[0], bytes)}
    if guard is not None:
        ids -= await _refuse(writer.connection, reading, ids, guard)
    await _write(writer, reading, rows)
    if guard is not None:
        await _refuse(writer.connection, reading, ids, guard)


async def _refuse(
    connection: Connection, reading: Reading, ids: set[bytes], guard: Guard
) -> set[bytes]:
    """The rows that the guard refuses are bad lines."""
    refused = await guard(connection, reading.kind.name, ids)
    for row_id in sorted(refused, key=reading.lines.__getitem__):
        reading.report(reading.lines[row_id], "-", refused[row_id])
    reading.done.bad += len(refused)
    return set(refused)
