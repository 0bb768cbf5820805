"""Rows that stay at the hub only: beyond the last few of their outlet, or older than some days.

Such a row has partition 0 (archived). It leaves devices and gateways by an ordinary removal, so "device = gateway =
hub" stays exact.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import KeepDays, KeepLast, rule_columns
from fieldmesh.data.types import Value, WireType
from fieldmesh.replica.partition import NOWHERE
from hub.storage.bulk import fetch_in
from hub.storage.org_tables import replicated_table
from hub.storage.partitions import Homes

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
    held = replicated_table(table.name)
    old = held.c[rule.column] < oldest_kept(table, rule, now)
    query = sa.select(held.c.id).where(held.c.partition > NOWHERE, old).limit(most)
    return [bytes(row[0]) for row in (await connection.execute(query)).all()]


@dataclass(frozen=True, slots=True)
class Portion:
    """Some of the rows that may have to come back; ``last`` = (age, id) to go on after, None at the end."""

    ids: list[bytes]
    last: tuple[Value, Value] | None


async def strayed(
    connection: AsyncConnection,
    table: ReplicatedTable,
    now: int,
    most: int,
    after: tuple[Value, Value] | None = None,
) -> Portion:
    """Rows at the hub only that are young enough to leave it, and that their rule gives a place outside it.

    Only young rows are read, in the order of their age: those that have to stay are passed over once.

    Args:
        connection: of a transaction.
        table: with a rule of days.
        now: UTC microseconds.
        most: rows to look at.
        after: `last` of the portion before.
    """
    rule = table.policy.retention
    if not isinstance(rule, KeepDays):
        return Portion([], None)
    held = replicated_table(table.name)
    age = held.c[rule.column]
    read = rule_columns(table.policy.partition)
    names = tuple(dict.fromkeys(("id", rule.column, *read)))
    oldest = oldest_kept(table, rule, now) if after is None else after[0]
    query = sa.select(*(held.c[name] for name in names)).where(
        held.c.partition == NOWHERE, held.c.deleted == 0, age >= oldest
    )
    if after is not None:
        query = query.where(sa.or_(age > oldest, held.c.id > after[1]))
    found = await connection.execute(query.order_by(age, held.c.id).limit(most))
    lines = [tuple(row) for row in found.all()]
    if not lines:
        return Portion([], None)
    rows = from_rows(table, names, lines)
    _, places = await Homes(connection).of(table, rows)
    ids = [line[0] for line, place in zip(lines, places, strict=True) if place != NOWHERE]
    last = (lines[-1][1], lines[-1][0]) if len(lines) == most else None
    return Portion(ids, last)
