"""Codes and keys → ids, of the rows that some lines of a file name: tables are long, and a file may be short.

A table is read as a whole only when the lines name more rows of it than one statement can, by a column without an
index.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable
from fieldmesh.data.policy import Keyed, PartitionKind
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType
from fieldmesh.replica.partition import partition_id
from hub.exchange.csv_kinds import KEYS, SEPARATOR, Kind
from hub.storage.rows import PARAMETERS, Connection, Row, all_rows, rows_where

Key = tuple[Value, ...]
Name = TypeVar("Name", str, Key)
_FEW = 100
"""Values of each column of a key that a statement asks for besides those that it looks up."""
_Rank = tuple[bool, int]
_SAME_RANK: _Rank = (True, 0)


async def ids_by_code(
    connection: Connection, table: str, codes: Collection[str]
) -> dict[str, bytes | None]:
    """Code → id of the row that it names, None = it names several rows; what is not there is left out.

    Parts of longer codes are joined by ``/``.
    """
    names = KEYS[table]
    if len(names) == 1:
        most = TABLES[table].column(names[0]).kind.precision
        short = {code for code in codes if len(code) <= most}
        rows = await _rows(connection, table, (names[0], "id"), names[0], short)
        return _named((str(row[0]), _SAME_RANK, row[1]) for row in rows if row[0] in short)
    owner = "product" if table == "product_unit" else "position"
    most = TABLES[owner].column("code").kind.precision
    heads = {
        code[:place]
        for code in codes
        for place, one in enumerate(code[: most + 1])
        if one == SEPARATOR
    }
    owners = await ids_by_code(connection, owner, heads)
    titles: dict[Value, str] = {row_id: code for code, row_id in owners.items() if row_id}
    rows = await _rows(connection, table, (*names, "id"), names[0], titles)
    whole = ((f"{titles[row[0]]}{SEPARATOR}{row[1]!s}", row[2]) for row in rows if row[0] in titles)
    return _named((code, _SAME_RANK, row_id) for code, row_id in whole if code in codes)


async def ids_by_key(
    connection: Connection, kind: Kind, key: Sequence[str], wanted: Iterable[Key]
) -> dict[Key, bytes | None]:
    """Values of the headings of a key → id of the row that they name; None = they name several rows.

    A file without versions of targets means the newest one that is not past.
    """
    columns = [kind.fields[heading].column for heading in key]
    rank_by = () if "version" in key or kind.may_lack != "version" else ("state", "version")
    names = (*(one.name for one in columns), *rank_by, "id")
    by_place: dict[int, set[Key]] = defaultdict(set)
    for one in wanted:
        by_place[_place(kind.table, columns, one)].add(one)
    found: dict[Key, bytes | None] = {}
    for place, keys in by_place.items():
        by, values = _way(kind.table, columns[place], {one[place] for one in keys})
        rows = await _rows(connection, kind.name, names, by, values, also=_few(columns, keys))
        ranked = (
            (tuple(row[: len(columns)]), _rank(row[len(columns) : -1]), row[-1]) for row in rows
        )
        found |= _named(one for one in ranked if one[0] in keys)
    return found


def _place(table: ReplicatedTable, columns: Sequence[ReplicatedColumn], key: Key) -> int:
    """By which of its values a key is looked up: one that few rows have, and that stands in an index."""
    held = [place for place, value in enumerate(key) if value is not None]
    indexed = [
        place for place in held if _is_indexed(columns[place]) and not _is_day(columns[place])
    ]
    homes = [place for place in held if _home(table, columns[place]) is not None]
    return (indexed or homes or held)[0]


def _way(
    table: ReplicatedTable, column: ReplicatedColumn, values: Collection[Value]
) -> tuple[str, Collection[Value]]:
    """The column by which rows with these values are found: where there is no index, their partition."""
    home = _home(table, column)
    if home is None or _is_indexed(column):
        return column.name, values
    return "partition", {partition_id(home, one) for one in values if isinstance(one, bytes)}


def _home(table: ReplicatedTable, column: ReplicatedColumn) -> PartitionKind | None:
    """The kind of partition in which the rows of one value stand."""
    rule = table.policy.partition
    return rule.kind if isinstance(rule, Keyed) and rule.column == column.name else None


def _few(columns: Sequence[ReplicatedColumn], keys: Collection[Key]) -> dict[str, set[Value]]:
    """The columns of which the keys have few values."""
    found = {one.name: {key[place] for key in keys} for place, one in enumerate(columns)}
    return {
        name: values for name, values in found.items() if len(values) <= _FEW and None not in values
    }


async def _rows(
    connection: Connection,
    table: str,
    names: Sequence[str],
    column: str,
    values: Collection[Value],
    *,
    also: Mapping[str, Collection[Value]] = MappingProxyType({}),
) -> list[Row]:
    indexed = column == "partition" or _is_indexed(TABLES[table].column(column))
    if len(values) > PARAMETERS and not indexed:
        return await all_rows(connection, table, names)
    return await rows_where(connection, table, names, column, values, also=also)


def _is_indexed(column: ReplicatedColumn) -> bool:
    return column.indexed or column.ordered


def _is_day(column: ReplicatedColumn) -> bool:
    return column.wire_type is WireType.DATE


def _rank(by: Sequence[Value]) -> _Rank:
    if not by:
        return _SAME_RANK
    state, version = by
    return state != "past", version if isinstance(version, int) else 0


def _named(rows: Iterable[tuple[Name, _Rank, Value]]) -> dict[Name, bytes | None]:
    """Name → the row of the highest rank; None when there are several."""
    found: dict[Name, list[tuple[_Rank, Value]]] = defaultdict(list)
    for name, rank, row_id in rows:
        found[name].append((rank, row_id))
    return {name: _highest(ranked) for name, ranked in found.items()}


def _highest(ranked: Sequence[tuple[_Rank, Value]]) -> bytes | None:
    highest = max(rank for rank, _row_id in ranked)
    best = [row_id for rank, row_id in ranked if rank == highest]
    return best[0] if len(best) == 1 and isinstance(best[0], bytes) else None
