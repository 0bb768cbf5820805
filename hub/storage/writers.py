"""Who stands behind a device: its state, its position's role and scope. Read in bulk for many devices at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.types import Value, as_bytes
from fieldmesh.replica.partition import partition_id
from hub.storage.rows import rows_where


@dataclass(frozen=True, slots=True)
class DeviceWriter:
    """A device as ingest sees it.

    Attributes:
        role_kind: kind of its position's role, empty when it has none.
        partitions: what the position may see, with the device's own.
        people: users who fill the position, or did.
    """

    device_id: bytes
    code: str
    kind: str
    state: str
    position_id: bytes | None
    stands_in_for: bytes | None
    role_kind: str
    partitions: frozenset[int]
    people: frozenset[bytes] = frozenset()


async def device_writers(
    connection: AsyncConnection, devices: Iterable[bytes]
) -> dict[bytes, DeviceWriter]:
    """The devices that exist."""
    names = ("id", "code", "kind", "state", "position_id", "stands_in_for")
    rows = await rows_where(connection, "device", names, "id", sorted(devices))
    positions = {row[4] for row in rows if row[4] is not None}
    roles = await _role_kinds(connection, positions)
    scopes: dict[Value, set[int]] = {}
    targets = await rows_where(
        connection, "subscription", ("position_id", "target_partition"), "position_id", positions
    )
    for position, target in targets:
        scopes.setdefault(position, set()).add(int(target or 0))
    people: dict[Value, set[bytes]] = {}
    filled = await rows_where(
        connection, "assignment", ("position_id", "user_id"), "position_id", positions
    )
    for position, user in filled:
        people.setdefault(position, set()).add(as_bytes(user))
    found = {}
    for device_id, code, kind, state, position, first in rows:
        own = partition_id(PartitionKind.DEVICE, as_bytes(device_id))
        found[as_bytes(device_id)] = DeviceWriter(
            as_bytes(device_id),
            str(code),
            str(kind),
            str(state),
            position if isinstance(position, bytes) else None,
            first if isinstance(first, bytes) else None,
            roles.get(position, ""),
            frozenset({own, *scopes.get(position, ())}),
            frozenset(people.get(position, ())),
        )
    return found


async def former_outlets(
    connection: AsyncConnection, position_id: bytes, outlets: Iterable[Value]
) -> set[Value]:
    """Those of the outlets that the position has ever served, also when the assignment has ended."""
    result = await connection.exec_driver_sql(
        "SELECT outlet_id FROM outlet_assignment WHERE position_id = ?", (position_id,)
    )
    served = {bytes(row[0]) for row in result.fetchall()}
    return {outlet for outlet in outlets if outlet in served}


async def _role_kinds(connection: AsyncConnection, positions: Iterable[Value]) -> dict[Value, str]:
    rows = await rows_where(connection, "position", ("id", "role_id"), "id", positions)
    roles = {row[1] for row in rows}
    held = await rows_where(connection, "role", ("id", "kind"), "id", roles)
    kinds = {row[0]: str(row[1]) for row in held}
    return {row[0]: kinds.get(row[1], "") for row in rows}
