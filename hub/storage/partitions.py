"""Where rows live, worked out in bulk and remembered within one transaction.

A row has a *home*, which its table's rule gives, and a partition that it *holds*: the home, or 0 when it or its
parent stays at the hub only (retention). Rights ask for the home, distribution for what is held.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import (
    Follows,
    Global,
    Keyed,
    Own,
    PartitionKind,
    PartitionRule,
    Patched,
    rule_column,
    rule_columns,
    rules_of,
)
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.replica.partition import GLOBAL, NOWHERE, partition_id
from hub.storage.bulk import columns_of, fetch_in


@lru_cache(maxsize=200_000)
def _keyed(kind: PartitionKind, key: bytes) -> int:
    return partition_id(kind, key)


class Homes:
    """Homes and held partitions of the rows that a transaction has seen."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Nothing was asked yet."""
        self._connection = connection
        self._home: dict[str, dict[Value, int]] = {name: {} for name in TABLES}
        self._held: dict[str, dict[Value, int]] = {name: {} for name in TABLES}

    async def of(self, table: ReplicatedTable, rows: TableRows) -> tuple[list[int], list[int]]:
        """Home and held partition of each row, before its own retention.

        Args:
            table: of the rows.
            rows: with `id` and the columns that the table's rule reads.
        """
        count = rows.row_count
        homes, held = [NOWHERE] * count, [NOWHERE] * count
        open_places: Sequence[int] = range(count)
        for rule in rules_of(table.policy.partition):
            column = rule_column(rule)
            places = open_places
            if column is not None:
                values = rows.column(column)
                if len(open_places) < count or None in values:
                    places = [place for place in open_places if values[place] is not None]
            await self._apply(rule, rows, places, homes, held)
            if column is None or len(places) == len(open_places):
                break
            taken = set(places)
            open_places = [place for place in open_places if place not in taken]
        return homes, held

    async def _apply(
        self,
        rule: PartitionRule,
        rows: TableRows,
        places: Sequence[int],
        homes: list[int],
        held: list[int],
    ) -> None:
        match rule:
            case Global():
                found = [GLOBAL] * len(places)
            case Own(kind):
                ids = rows.column("id")
                found = [_keyed(kind, _key(ids[place])) for place in places]
            case Keyed(kind, column):
                keys = rows.column(column)
                found = [_keyed(kind, _key(keys[place])) for place in places]
            case Patched(column):
                keys = rows.column(column)
                found = [_keyed(PartitionKind.PATCH, _key(keys[place])) for place in places]
            case Follows(parent, column):
                await self._follow(parent, rows.column(column), places, homes, held)
                return
            case _:  # HubOnly; First was taken apart by rules_of
                return
        for place, partition in zip(places, found, strict=True):
            homes[place] = held[place] = partition

    async def _follow(
        self,
        parent: str,
        keys: list[Value],
        places: Sequence[int],
        homes: list[int],
        held: list[int],
    ) -> None:
        home, hold = self._home[parent], self._held[parent]
        if len(places) == len(keys):
            await self.look_up(parent, set(keys))
            homes[:] = map(home.__getitem__, keys)
            held[:] = map(hold.__getitem__, keys)
            return
        await self.look_up(parent, {keys[place] for place in places})
        for place in places:
            homes[place] = home[keys[place]]
            held[place] = hold[keys[place]]

    async def look_up(self, name: str, ids: Iterable[Value]) -> None:
        """Home and held partition of these rows are known; of rows that don't exist both are 0."""
        home, hold = self._home[name], self._held[name]
        missing = set(ids).difference(home)
        if not missing:
            return
        home.update(dict.fromkeys(missing, NOWHERE))
        hold.update(dict.fromkeys(missing, NOWHERE))
        table = TABLES[name]
        names = ("id", "partition", *rule_columns(table.policy.partition))
        head = f'SELECT {", ".join(names)} FROM "{name}" WHERE deleted = 0 AND id'
        rows = await fetch_in(self._connection, head, missing, columns_of(table, names))
        at_hub = []
        for row in rows:
            if row[1]:
                home[row[0]] = hold[row[0]] = int(row[1])
            else:
                at_hub.append(row)
        if at_hub:
            stayed = from_rows(table, names, at_hub)
            homes, _ = await self.of(table, stayed)
            home.update(zip(stayed.column("id"), homes, strict=True))

    def home(self, name: str, row_id: Value) -> int:
        """The home of a row that was looked up or remembered."""
        return self._home[name].get(row_id, NOWHERE)

    def remember(
        self, name: str, ids: Iterable[Value], homes: Iterable[int], held: Iterable[int]
    ) -> None:
        """These rows are there now."""
        ids = list(ids)
        self._home[name].update(zip(ids, homes, strict=True))
        self._held[name].update(zip(ids, held, strict=True))

    def withdraw(self, name: str, ids: Iterable[Value]) -> None:
        """These rows are held nowhere but at the hub; where their home is has not changed."""
        self._held[name].update(dict.fromkeys(ids, NOWHERE))

    def forget(self, name: str, ids: Iterable[Value]) -> None:
        """These rows must be looked up again."""
        for row_id in ids:
            self._home[name].pop(row_id, None)
            self._held[name].pop(row_id, None)


def _key(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""
