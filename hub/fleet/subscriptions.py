"""refresh(): after a change of the organisation everyone's scope is true again. Promise 6 (Scope).

    assignments ─▶ patches of outlets and legal parties ─▶ subscription rows of positions ─▶
    partitions of gateways

It runs in the transaction of the change itself, so that what moved and who may see it have the
same LSN.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from hub.fleet.facts import organisation_facts, position_tree, stand_ins
from hub.fleet.patch_refresh import Moved, refresh_outlets, refresh_parties
from hub.rules.subscriptions import Links, Target, subscriptions
from hub.rules.territory import PositionTree
from hub.storage import nodes
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase
from hub.storage.days_begun import day_of
from hub.storage.org_changes import delete_rows, head_office_write, upsert_rows
from hub.storage.rows import all_rows, page_of_rows, rows_where
from hub.storage.scopes import (
    change_gateway_partitions,
    gateway_partitions,
    targets_of_positions,
)

PAGE_ROWS = 5_000
_ACTIVE = ("active", "suspended", "spare", "standing_in", "locked")


@dataclass(frozen=True, slots=True)
class Affected:
    """What an organisation change touched.

    Attributes:
        outlets: their assignments, legal party or distributor changed.
        parties: their contracts changed.
        positions: the position, its place in the tree, its people or devices changed.
        gateways: their devices or leases changed.
    """

    outlets: frozenset[bytes] = frozenset()
    parties: frozenset[bytes] = frozenset()
    positions: frozenset[bytes] = frozenset()
    gateways: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Refreshed:
    """What `refresh` did: rows that moved, subscriptions and gateway partitions won and lost."""

    moved: int = 0
    gained: int = 0
    lost: int = 0
    gateway_gained: int = 0
    gateway_lost: int = 0
    gateways: set[bytes] = field(default_factory=set)


async def refresh(
    writer: ChangeWriter, affected: Affected, *, clock: Clock, identifiers: IdentifierMaker
) -> Refreshed:
    """Patches, subscriptions and gateway partitions are true for everything that was touched.

    Ordering: after the change itself, in the same transaction. Repeating it changes nothing.
    """
    done, moved = Refreshed(), Moved(parties=set(affected.parties))
    day = today(clock)
    if affected.outlets:
        await refresh_outlets(writer, affected.outlets, day, moved)
    if moved.parties:
        await refresh_parties(writer, moved.parties, day, moved)
    done.moved = moved.rows
    contracts = await _positions_of_parties(writer, affected.parties)
    touched = moved.positions | affected.positions | contracts
    await _refresh_positions(writer, touched, affected.gateways, identifiers, done, day=day)
    return done


async def refresh_everything(
    database: HubDatabase, *, clock: Clock, identifiers: IdentifierMaker
) -> Refreshed:
    """As `refresh`, for the whole company: after bulk imports, and at the begin of each day.

    Patches are moved in transactions of at most 5,000 rows, then all subscriptions in one.
    """
    total = 0
    for table, step in (("outlet", refresh_outlets), ("legal_party", refresh_parties)):
        after = b""
        while True:
            async with database.read() as connection:
                page = await page_of_rows(connection, table, (), after=after, most=PAGE_ROWS)
            if not page:
                break
            ids = [row[0] for row in page if isinstance(row[0], bytes)]
            after = ids[-1]
            about = {"table": table, "rows": len(ids)}
            async with head_office_write(
                database, clock, actor="hub", kind="patches_refreshed", about=about
            ) as writer:
                moved = Moved()
                await step(writer, ids, today(clock), moved)
                total += moved.rows
    async with head_office_write(
        database, clock, actor="hub", kind="subscriptions_refreshed", about={"moved": total}
    ) as writer:
        tree = await position_tree(writer.connection)
        known = await nodes.gateways(writer.connection)
        held = await all_rows(writer.connection, "subscription", ("position_id",))
        everyone = {row[0] for row in held if isinstance(row[0], bytes)} | set(tree.positions())
        done = Refreshed(moved=total)
        gateways = frozenset(one.gateway_id for one in known)
        await _refresh_positions(writer, everyone, gateways, identifiers, done, day=today(clock))
    return done


def today(clock: Clock) -> str:
    """The day by the hub's clock, UTC, YYYY-MM-DD."""
    return day_of(clock.now())


async def _positions_of_parties(writer: ChangeWriter, parties: Iterable[bytes]) -> set[bytes]:
    rows = await rows_where(writer.connection, "outlet", ("id",), "legal_party_id", sorted(parties))
    outlets = [row[0] for row in rows]
    served = await rows_where(
        writer.connection, "outlet_assignment", ("position_id",), "outlet_id", outlets
    )
    return {row[0] for row in served if isinstance(row[0], bytes)}


async def _refresh_positions(
    writer: ChangeWriter,
    touched: set[bytes],
    gateways: frozenset[bytes],
    identifiers: IdentifierMaker,
    done: Refreshed,
    *,
    day: str,
) -> None:
    tree = await position_tree(writer.connection)
    absent = await stand_ins(writer.connection, day)
    positions = tree.with_above(touched) | touched
    positions |= {one for one, others in absent.items() if others & positions}
    if positions:
        await _refresh_subscriptions(writer, tree, positions, identifiers, done, absent=absent)
    serving = await _refresh_homes(writer, positions, identifiers)
    for gateway in sorted(serving | gateways):
        await refresh_gateway(writer, gateway, done)


async def _refresh_subscriptions(
    writer: ChangeWriter,
    tree: PositionTree,
    positions: set[bytes],
    identifiers: IdentifierMaker,
    done: Refreshed,
    *,
    absent: Links,
) -> None:
    facts = await organisation_facts(writer.connection, tree, positions, absent)
    wanted = subscriptions(positions, facts)
    names = ("id", "position_id", "target_partition")
    rows = await rows_where(
        writer.connection, "subscription", names, "position_id", sorted(positions)
    )
    held = {(row[1], row[2]): row[0] for row in rows}
    keep: set[tuple[object, object]] = set()
    new: list[tuple[bytes, bytes, int, str, bytes | None]] = []
    for position, targets in wanted.items():
        for target in sorted(targets):
            place = (position, target.partition)
            keep.add(place)
            if place not in held:
                new.append(_subscription(identifiers.new(), position, target))
    gone = [row_id for place, row_id in held.items() if place not in keep]
    columns = ("id", "position_id", "target_partition", "target_kind", "target_key")
    done.gained += await upsert_rows(writer, "subscription", columns, new)
    done.lost += await delete_rows(
        writer, "subscription", [one for one in gone if isinstance(one, bytes)]
    )


def _subscription(
    row_id: bytes, position: bytes, target: Target
) -> tuple[bytes, bytes, int, str, bytes | None]:
    return (row_id, position, target.partition, target.kind.value, target.key or None)


async def _refresh_homes(
    writer: ChangeWriter, positions: set[bytes], identifiers: IdentifierMaker
) -> set[bytes]:
    """The home rows of `gateway_position` follow the devices.

    Returns the gateways that serve the positions.
    """
    devices = await nodes.devices(writer.connection, positions=sorted(positions))
    wanted = {
        (one.gateway_id, one.position_id)
        for one in devices
        if one.gateway_id and one.position_id and one.state in _ACTIVE
    }
    names = ("id", "gateway_id", "position_id", "kind")
    rows = await rows_where(
        writer.connection, "gateway_position", names, "position_id", sorted(positions)
    )
    homes = {(row[1], row[2]): row[0] for row in rows if row[3] == "home"}
    new = [
        (identifiers.new(), gateway, position, "home")
        for gateway, position in sorted(wanted - set(homes))
    ]
    gone = [row_id for place, row_id in homes.items() if place not in wanted]
    await upsert_rows(writer, "gateway_position", names, new)
    await delete_rows(writer, "gateway_position", [one for one in gone if isinstance(one, bytes)])
    serving = {row[1] for row in rows if isinstance(row[1], bytes)}
    return serving | {gateway for gateway, _ in wanted}


async def refresh_gateway(writer: ChangeWriter, gateway_id: bytes, done: Refreshed) -> None:
    """The gateway's set of partitions is what its positions may see.

    The relay hears of what came and went.

    Ordering: the relay changes the gateway's filter before it publishes anything above this LSN.
    """
    gateway = await nodes.gateway(writer.connection, gateway_id)
    wanted: set[int] = set()
    if gateway is not None and gateway.status != "revoked":
        wanted = await _gateway_scope(writer, gateway_id)
    held = await gateway_partitions(writer.connection, gateway_id)
    gained, lost = sorted(wanted - held), sorted(held - wanted)
    if not gained and not lost:
        return
    await change_gateway_partitions(writer.connection, gateway_id, gained=gained, lost=lost)
    for partition in gained:
        await writer.scope_change(gateway_id, partition, gained=True)
    for partition in lost:
        await writer.scope_change(gateway_id, partition, gained=False)
    done.gateway_gained += len(gained)
    done.gateway_lost += len(lost)
    done.gateways.add(gateway_id)


async def _gateway_scope(writer: ChangeWriter, gateway_id: bytes) -> set[int]:
    rows = await rows_where(
        writer.connection, "gateway_position", ("position_id",), "gateway_id", [gateway_id]
    )
    positions = sorted({row[0] for row in rows if isinstance(row[0], bytes)})
    wanted = await targets_of_positions(writer.connection, positions)
    wanted.add(partition_id(PartitionKind.GLOBAL))
    wanted.add(partition_id(PartitionKind.GATEWAY, gateway_id))
    wanted.update(partition_id(PartitionKind.POSITION, one) for one in positions)
    for device in await nodes.devices(writer.connection, positions=positions):
        wanted.add(partition_id(PartitionKind.DEVICE, device.device_id))
    return wanted
