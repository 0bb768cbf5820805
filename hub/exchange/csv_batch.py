"""Lines of a file → rows to be written, with only those rows of the database read that the lines name.

Bad lines are reported as file:line:column: reason, and left out.
"""

import asyncio
import hashlib
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from fieldmesh.data.types import Value
from fieldmesh.service.translation import _
from hub.exchange.csv_kinds import Field, Kind
from hub.exchange.csv_lookup import Key, ids_by_code, ids_by_key
from hub.exchange.csv_tree import misplaced
from hub.exchange.csv_values import BadValueError, parse_value
from hub.storage.logins import kept_logins, spelled
from hub.storage.rows import Connection, all_rows, rows_where

MOST_PROBLEMS = 1_000
_PERSON = b"fieldmesh csv"

Line = tuple[int, list[str]]
"""Number of the line, and its cells."""
Codes = Mapping[str, Mapping[str, bytes | None]]
"""Table → code → id of the row that it names; None = it names several."""

_LOGINS = frozenset({"app_user", "app_user.login"})
"""Tables and columns of a file that say who somebody is by their login."""


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
class Reading:
    """A file being read.

    Attributes:
        file: its name.
        kind: what it holds.
        fields: what each of its columns holds; None = a column without a heading.
        done: what became of it so far.
        lines: row → the line that it stands on.
        titles: row → its code, of a tree.
    """

    file: str
    kind: Kind
    fields: list[Field | None]
    done: Imported = field(default_factory=Imported)
    lines: dict[bytes, int] = field(default_factory=dict)
    titles: dict[bytes, str] = field(default_factory=dict)

    @property
    def named(self) -> list[Field]:
        """The columns that have a heading, in order: a row holds its id and then these."""
        return [one for one in self.fields if one is not None]

    @property
    def key(self) -> tuple[str, ...]:
        """The headings that tell its rows apart."""
        return self.kind.key_among([one.heading for one in self.named])

    def report(self, line: int, column: str, reason: str) -> None:
        """A line is bad, for this reason among others."""
        if len(self.done.problems) < MOST_PROBLEMS:
            problem = LineProblem(self.file, line, column, reason)
            insort(self.done.problems, problem, key=lambda one: one.line)


async def rows_of(
    connection: Connection, reading: Reading, lines: Sequence[Line]
) -> list[tuple[Value, ...]]:
    """The rows that the good lines mean: id, then the values of the named columns."""
    lines = await _spelled(connection, reading, lines)
    codes = await _codes(connection, reading, lines)
    read = await asyncio.to_thread(_read, reading, codes, lines)
    keys = [key for key, _line, _values in read]
    ids = await ids_by_key(connection, reading.kind, reading.key, keys)
    ids |= await _new_ids(connection, reading.kind, reading.key, set(keys) - ids.keys())
    rows: list[tuple[Value, ...]] = []
    for key, line, values in read:
        row_id = ids[key]
        if row_id is None or row_id in reading.lines:
            again = _("stands in the file twice")
            reason = again if row_id is not None else _("there are several such rows")
            reading.report(line, ",".join(reading.key), reason)
        else:
            reading.lines[row_id] = line
            rows.append((row_id, *values))
    reading.done.loaded += len(rows)
    reading.done.bad += len(lines) - len(rows)
    return rows


async def _spelled(
    connection: Connection, reading: Reading, lines: Sequence[Line]
) -> Sequence[Line]:
    """Logins in the lines as the hub keeps them, or will keep them."""
    places = {
        place
        for place, one in enumerate(reading.fields)
        if one is not None and (one.table or f"{reading.kind.name}.{one.heading}") in _LOGINS
    }
    if not places:
        return lines
    kept = await kept_logins(connection)
    return [
        (line, [spelled(kept, cell) if at in places else cell for at, cell in enumerate(cells)])
        for line, cells in lines
    ]


async def _codes(connection: Connection, reading: Reading, lines: Sequence[Line]) -> Codes:
    """What the cells of the lines name."""
    asked: dict[str, set[str]] = defaultdict(set)
    kind, own = reading.kind, set[str]()
    for _line, cells in lines:
        for one, cell in zip(reading.fields, cells, strict=False):
            text = cell.strip()
            if one is not None and one.table is not None:
                asked[one.table].add(text)
            elif one is not None and kind.refers_to_itself and one.heading == "code":
                own.add(text)
    if kind.name in asked:
        asked[kind.name] |= own
    found = {
        table: await ids_by_code(connection, table, texts - {""}) for table, texts in asked.items()
    }
    if kind.name in asked:
        of_tree = found[kind.name]
        new: set[Key] = {(text,) for text in own - of_tree.keys() - {""}}
        made = await _new_ids(connection, kind, ("code",), new)
        of_tree.update({str(key[0]): row_id for key, row_id in made.items()})
        reading.titles.update(
            {row_id: text for text, row_id in of_tree.items() if row_id is not None}
        )
    return found


def _read(
    reading: Reading, codes: Codes, lines: Sequence[Line]
) -> list[tuple[Key, int, tuple[Value, ...]]]:
    """Key, number and values of each good line; in a thread, because 10,000 lines take a seventh of a second."""
    found = []
    for line, cells in lines:
        values = _values(reading, codes, line, cells)
        if values is not None:
            key = tuple(values.get(heading) for heading in reading.key)
            found.append((key, line, tuple(values.values())))
    return found


def _values(reading: Reading, codes: Codes, line: int, cells: list[str]) -> dict[str, Value] | None:
    if len(cells) != len(reading.fields):
        text = _("{found} cells instead of {wanted}")
        filled = text.format(found=len(cells), wanted=len(reading.fields))
        reading.report(line, "-", filled)
        return None
    values: dict[str, Value] = {}
    good = True
    for one, cell in zip(reading.fields, cells, strict=True):
        if one is None:
            continue
        try:
            values[one.heading] = _cell(codes, one, cell.strip())
        except BadValueError as reason:
            reading.report(line, one.heading, str(reason))
            good = False
    return values if good else None


def _cell(codes: Codes, one: Field, cell: str) -> Value:
    if not cell:
        if one.column.nullable:
            return None
        if one.column.default is None:
            raise BadValueError(_("must not be empty"))
        return one.column.default
    if one.table is None:
        return parse_value(one.column, cell)
    if cell not in codes[one.table]:
        raise BadValueError(_no_such(one.table, cell))
    found = codes[one.table][cell]
    if found is None:
        raise BadValueError(_("there are several such rows"))
    return found


def _no_such(table: str, code: str) -> str:
    title = table.replace("_", " ")
    return _("there is no {table} {code}").format(table=title, code=code[:80])


async def _new_ids(
    connection: Connection, kind: Kind, headings: Sequence[str], keys: set[Key]
) -> dict[Key, bytes]:
    """Ids of rows that were not found: that of a file before, if it still has the key, as a row that is archived.

    Never one of a living row that had the key before somebody changed it.
    """
    columns = [kind.fields[heading].column.name for heading in headings]
    found: dict[Key, bytes] = {}
    turn = 0
    while keys:
        made = await asyncio.to_thread(_made, kind, keys, turn)
        rows = await rows_where(connection, kind.name, ("id", *columns), "id", made)
        taken = {row[0] for row in rows if tuple(row[1:]) != made[bytes(row[0])]}  # type: ignore[arg-type]
        found.update({key: row_id for row_id, key in made.items() if row_id not in taken})
        keys, turn = {key for row_id, key in made.items() if row_id in taken}, turn + 1
    return found


def _made(kind: Kind, keys: set[Key], turn: int) -> dict[bytes, Key]:
    return {_new_id(kind, key, turn): key for key in keys}


def _new_id(kind: Kind, key: Key, turn: int) -> bytes:
    """The same key gets the same id each time, so a load that was cut can be repeated."""
    text = "\x1f".join(one.hex() if isinstance(one, bytes) else str(one) for one in key)
    content = f"{kind.name}\x1e{text}{chr(30) + str(turn) if turn else ''}".encode()
    digest = bytearray(hashlib.blake2b(content, digest_size=16, person=_PERSON).digest())
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return bytes(digest)


async def placed(
    connection: Connection, reading: Reading, rows: Sequence[tuple[Value, ...]]
) -> list[tuple[Value, ...]]:
    """The rows without those that would stand below nothing, or below themselves: these are bad lines."""
    table = reading.kind.name
    places = [place for place, one in enumerate(reading.named, 1) if one.table == table]
    if not places:
        return list(rows)
    above = reading.named[places[0] - 1]
    held = await all_rows(connection, table, ("id", above.column.name))
    coming = _parents(rows, places[0])
    nowhere, in_ring = misplaced(_parents(held, 1), coming)
    for row_id in sorted(nowhere | in_ring, key=reading.lines.__getitem__):
        reason = _("would stand above itself")
        if row_id in nowhere:
            reason = _no_such(table, reading.titles[coming[row_id] or b""])
        reading.report(reading.lines[row_id], above.heading, reason)
    bad = len(nowhere | in_ring)
    reading.done.bad += bad
    reading.done.loaded -= bad
    return [row for row in rows if row[0] not in nowhere | in_ring]


def _parents(rows: Iterable[Sequence[Value]], place: int) -> dict[bytes, bytes | None]:
    """Row → the row above it, whose id stands at the place."""
    return {
        row[0]: above if isinstance(above, bytes) else None
        for row in rows
        for above in (row[place],)
        if isinstance(row[0], bytes)
    }
