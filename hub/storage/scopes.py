"""Patches, what positions may see, and what gateways hold: the rows behind promise 6 (Scope)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from hub.storage.org_tables import (
    GATEWAY_PARTITION,
    PATCH,
    PATCH_POSITION,
    replicated_table,
)
from hub.storage.rows import Connection, pieces


async def patches_of_positions(
    connection: Connection, positions: Iterable[bytes]
) -> dict[bytes, frozenset[bytes]]:
    """Patch → all positions of its set, for every patch that holds one of ``positions``."""
    patches: set[bytes] = set()
    for piece in pieces(positions):
        query = sa.select(PATCH_POSITION.c.patch_id).where(PATCH_POSITION.c.position_id.in_(piece))
        patches.update(row[0] for row in (await connection.execute(query)).all())
    return await positions_of_patches(connection, patches)


async def positions_of_patches(
    connection: Connection, patches: Iterable[bytes]
) -> dict[bytes, frozenset[bytes]]:
    """Patch → the positions of its set."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for piece in pieces(patches):
        query = sa.select(PATCH_POSITION.c.patch_id, PATCH_POSITION.c.position_id)
        query = query.where(PATCH_POSITION.c.patch_id.in_(piece))
        for patch, position in (await connection.execute(query)).all():
            found[patch].add(position)
    return {patch: frozenset(positions) for patch, positions in found.items()}


async def add_patches(connection: Connection, patches: Mapping[bytes, frozenset[bytes]]) -> None:
    """The patches are on record; those that were there stay."""
    known: set[bytes] = set()
    for piece in pieces(patches):
        query = sa.select(PATCH.c.patch_id).where(PATCH.c.patch_id.in_(piece))
        known.update(row[0] for row in (await connection.execute(query)).all())
    missing = {patch: positions for patch, positions in patches.items() if patch not in known}
    if not missing:
        return
    lines = [
        {"patch_id": patch, "positions": len(positions)} for patch, positions in missing.items()
    ]
    members = [
        {"patch_id": patch, "position_id": position}
        for patch, positions in missing.items()
        for position in sorted(positions)
    ]
    await connection.execute(sa.insert(PATCH), lines)
    await connection.execute(sa.insert(PATCH_POSITION), members)


async def distinct_by_partition(
    connection: Connection, table: str, column: str, partitions: Iterable[int]
) -> dict[int, frozenset[bytes]]:
    """Partition → the different values of a link column of its rows that are not deleted."""
    target = replicated_table(table)
    found: dict[int, set[bytes]] = defaultdict(set)
    for piece in pieces(partitions):
        query = sa.select(target.c.partition, target.c[column]).distinct()
        query = query.where(target.c.partition.in_(piece), target.c.deleted == 0)
        query = query.where(target.c[column].is_not(None))
        for partition, value in (await connection.execute(query)).all():
            found[partition].add(value)
    return {partition: frozenset(values) for partition, values in found.items()}


async def targets_of_positions(connection: Connection, positions: Iterable[bytes]) -> set[int]:
    """Every partition that one of the positions may see."""
    target = replicated_table("subscription")
    found: set[int] = set()
    for piece in pieces(positions):
        query = sa.select(target.c.target_partition).distinct()
        query = query.where(target.c.position_id.in_(piece), target.c.deleted == 0)
        found.update(row[0] for row in (await connection.execute(query)).all())
    return found


async def gateway_partitions(connection: Connection, gateway_id: bytes) -> set[int]:
    """The partitions that the gateway holds or is to hold."""
    query = sa.select(GATEWAY_PARTITION.c.partition)
    query = query.where(GATEWAY_PARTITION.c.gateway_id == gateway_id)
    return {row[0] for row in (await connection.execute(query)).all()}


async def change_gateway_partitions(
    connection: Connection, gateway_id: bytes, *, gained: Iterable[int], lost: Iterable[int]
) -> None:
    """The gateway's set of partitions has grown by ``gained`` and shrunk by ``lost``."""
    lines = [{"gateway_id": gateway_id, "partition": partition} for partition in gained]
    if lines:
        await connection.execute(sa.insert(GATEWAY_PARTITION), lines)
    mine = GATEWAY_PARTITION.c.gateway_id == gateway_id
    for piece in pieces(lost):
        gone = sa.delete(GATEWAY_PARTITION).where(mine, GATEWAY_PARTITION.c.partition.in_(piece))
        await connection.execute(gone)
