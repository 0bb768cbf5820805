"""Rows that stay at the hub only: beyond the last few of their outlet, or older than some days.

Such a row has partition 0 (archived). It leaves devices and gateways by an ordinary removal, so "device = gateway =
hub" stays exact.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.codec.columns import TableRows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import KeepDays, KeepLast
from fieldmesh.data.types import Value, WireType
from hub.storage.bulk import fetch_in

_DAY_US = 86_400_000_000
_EPOCH = datetime.date(1970, 1, 1)


def oldest_kept(table: ReplicatedTable, rule: KeepDays, now: int) -> Value:
    """The smallest value of the rule's column with which a row still leaves the hub.

    Args:
        table: of the rule.
        rule: how many days.
        now: UTC microseconds.
    """
    limit = now - rule.days * _DAY_US
    if table.column(rule.column).wire_type is WireType.DATE:
        return (_EPOCH + datetime.timedelta(days=limit // _DAY_US)).isoformat()
    return limit


def at_insert(
    table: ReplicatedTable, rows: TableRows, held: list[int], now: int
) -> tuple[list[int], set[Value]]:
    """Partitions of new rows as far as they decide it among themselves.

    Returns:
        The partitions, and the keys whose older rows must be looked at (`beyond_last`).
    """
    rule = table.policy.retention
    if isinstance(rule, KeepDays):
        oldest = oldest_kept(table, rule, now)
        values = rows.column(rule.column)
        return [
            0 if value is not None and value < oldest else partition  # type: ignore[operator]
            for value, partition in zip(values, held, strict=True)
        ], set()
    if isinstance(rule, KeepLast):
        return _newest_only(rows, held, rule), set(rows.column(rule.column))
    return held, set()


def _newest_only(rows: TableRows, held: list[int], rule: KeepLast) -> list[int]:
    places: dict[Value, list[int]] = defaultdict(list)
    for place, key in enumerate(rows.column(rule.column)):
        places[key].append(place)
    if all(len(group) <= rule.count for group in places.values()):
        return held
    made, ids = rows.column("created_at"), rows.column("id")
    found = [0] * len(held)
    for group in places.values():
        newest = sorted(group, key=lambda place: (made[place], ids[place]), reverse=True)
        for place in newest[: rule.count]:
            found[place] = held[place]
    return found


async def misplaced(
    connection: AsyncConnection, table: ReplicatedTable, keys: Iterable[Value]
) -> tuple[list[bytes], list[bytes]]:
    """Rows of these keys that are out though beyond the last few, and rows that are in though they are not.

    Returns:
        Ids to archive, ids to bring back.
    """
    rule = table.policy.retention
    if not isinstance(rule, KeepLast):
        return [], []
    count = int(rule.count)
    head = (
        'SELECT id, "partition", place FROM (SELECT id, "partition", row_number() OVER (PARTITION BY'
        f' "{rule.column}" ORDER BY created_at DESC, id DESC) AS place FROM "{table.name}"'
        f' WHERE deleted = 0 AND "{rule.column}"'
    )
    tail = f') AS ranked WHERE (place > {count} AND "partition" <> 0) OR (place <= {count} AND "partition" = 0)'
    kinds = (table.column("id"), table.column("partition"), table.column("lsn"))
    rows = await fetch_in(connection, head, keys, kinds, tail)
    archive = [bytes(row[0]) for row in rows if row[1]]  # type: ignore[arg-type]
    restore = [bytes(row[0]) for row in rows if not row[1]]  # type: ignore[arg-type]
    return archive, restore


async def outlived(
    connection: AsyncConnection, table: ReplicatedTable, now: int, most: int
) -> list[bytes]:
    """Rows that have become older than their table keeps them, at most ``most``."""
    rule = table.policy.retention
    if not isinstance(rule, KeepDays):
        return []
    oldest = oldest_kept(table, rule, now)
    head = f'SELECT id FROM "{table.name}" WHERE "partition" <> 0 AND "{rule.column}" < ?'
    result = await connection.exec_driver_sql(head, (oldest,))
    return [bytes(row[0]) for row in result.fetchmany(most)]
