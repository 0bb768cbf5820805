"""Which rows of a batch are out of its writer's reach. Promise 6 (Scope).

A document for an outlet that the position has served and that has moved to another rep meanwhile is accepted: it was
made when it was right, and nothing that a rep has done may be lost because head office was quicker.
"""

from collections.abc import Collection, Iterable, Sequence

from fieldmesh.codec.columns import TableRows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import PartitionKind, rule_columns
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.replica.partition import partition_id
from hub.rules.rights import Writer, why_not_row
from hub.storage.changes import ChangeWriter
from hub.storage.presence import ids_present
from hub.storage.writers import DeviceWriter, former_outlets


class Scopes:
    """Homes of the rows that a group of batches brings, against what their writers may see."""

    def __init__(self, writer: ChangeWriter) -> None:
        """Homes are worked out and remembered by ``writer``."""
        self._writer = writer
        self._former: dict[tuple[bytes, str], set[Value]] = {}

    async def outside(
        self, device: DeviceWriter, writer: Writer, table: ReplicatedTable, rows: TableRows
    ) -> list[int]:
        """Places of new rows that the writer may not make. The homes of all of them are remembered."""
        full = rows
        for column in rule_columns(table.policy.partition):
            if not rows.has(column):
                full = full.with_column(column, [None] * rows.row_count)
        homes, held = await self._writer.homes.of(table, full)
        self._writer.homes.remember(table.name, rows.column("id"), homes, held)
        out = {home for home in set(homes) if why_not_row(writer, table, home) is not None}
        places = [place for place, home in enumerate(homes) if home in out] if out else []
        return await self._not_former(device, table, full, places)

    async def _not_former(
        self, device: DeviceWriter, table: ReplicatedTable, rows: TableRows, places: Sequence[int]
    ) -> list[int]:
        if not places or device.position_id is None:
            return list(places)
        for column, parent in table.follows:
            if not rows.has(column):
                continue
            keys = rows.column(column)
            wanted = {keys[place] for place in places if keys[place] is not None}
            accepted = self._former.setdefault((device.device_id, parent), set())
            accepted |= await self._formerly_served(device.position_id, parent, wanted - accepted)
            fine = [place for place in places if keys[place] in accepted]
            mine = self._former.setdefault((device.device_id, table.name), set())
            mine.update(rows.column("id")[place] for place in fine)
            places = [place for place in places if keys[place] not in accepted]
        return list(places)

    async def outside_held(
        self, device: DeviceWriter, writer: Writer, table: ReplicatedTable, ids: Iterable[Value]
    ) -> list[Value]:
        """Those of the existing rows that the writer may not change. Rows that don't exist are left out."""
        found = []
        wanted = list(ids)
        await self._writer.homes.look_up(table.name, wanted)
        accepted = self._former.get((device.device_id, table.name), set())
        homes = {one: self._writer.homes.home(table.name, one) for one in wanted}
        nowhere = [one for one, home in homes.items() if not home]
        alive = await ids_present(self._writer.connection, table, nowhere, alive=True)
        for row_id in wanted:
            home = homes[row_id]
            there = bool(home) or row_id in alive
            if there and row_id not in accepted and why_not_row(writer, table, home) is not None:
                found.append(row_id)
        return await self._without_former(device, table, found)

    async def of_others(
        self, writer: Writer, table: ReplicatedTable, ids: Iterable[Value]
    ) -> list[Value]:
        """Those of the existing rows that belong to a position beside the writer's."""
        if table.policy.owner is None:
            return []
        owners = await self._writer.links(table.name, table.policy.owner, ids)
        return [
            row_id
            for row_id, owner in owners.items()
            if isinstance(owner, bytes)
            and owner != writer.position_id
            and partition_id(PartitionKind.POSITION, owner) not in writer.partitions
        ]

    async def moved_outside(
        self, device: DeviceWriter, writer: Writer, table: ReplicatedTable, rows: TableRows
    ) -> list[Value]:
        """Those of the existing rows that these values would move to where the writer may not write.

        A row that was made and deleted, and comes again because its batch was signed anew, is nowhere now.
        """
        keys = rule_columns(table.policy.partition)
        if not set(keys) & set(rows.names):
            return []
        ids = rows.column("id")
        await self._writer.homes.look_up(table.name, ids)
        full = rows.only(("id",))
        for column in keys:
            if rows.has(column):
                values = rows.column(column)
            else:
                held = await self._writer.links(table.name, column, ids)
                values = [held.get(one) for one in ids]
            full = full.with_column(column, values)
        homes, _ = await self._writer.homes.of(table, full)
        places = [
            place
            for place, (row_id, home) in enumerate(zip(ids, homes, strict=True))
            if home != self._writer.homes.home(table.name, row_id)
            and why_not_row(writer, table, home) is not None
        ]
        return [ids[place] for place in await self._not_former(device, table, full, places)]

    async def _without_former(
        self, device: DeviceWriter, table: ReplicatedTable, ids: list[Value]
    ) -> list[Value]:
        if not ids or table.name == "outlet" or device.position_id is None:
            return ids
        former = await self._formerly_served(device.position_id, table.name, set(ids))
        return [one for one in ids if one not in former]

    async def _formerly_served(
        self, position_id: bytes, name: str, ids: Collection[Value]
    ) -> set[Value]:
        """Those of the rows that are, or hang on, an outlet which the position has ever served."""
        if not ids:
            return set()
        if name == "outlet":
            return await former_outlets(self._writer.connection, position_id, ids)
        found: set[Value] = set()
        for column, parent in TABLES[name].follows:
            links = await self._writer.links(name, column, ids)
            keys = {key for key in links.values() if key is not None}
            served = await self._formerly_served(position_id, parent, keys)
            found.update(one for one, key in links.items() if key in served)
        return found
