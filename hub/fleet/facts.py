"""Reads the organisation into the facts that subscriptions are worked out from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.types import Value
from fieldmesh.replica.partition import partition_id
from hub.rules.patches import Assignment
from hub.rules.subscriptions import COMPANY, Links, OrganisationFacts, Target, looked_at
from hub.rules.territory import PositionTree
from hub.storage.rows import Connection, Row, all_rows, rows_where
from hub.storage.scopes import distinct_by_partition, patches_of_positions


async def position_tree(connection: Connection) -> PositionTree:
    """All positions and who is below whom."""
    rows = await all_rows(connection, "position", ("id", "parent_position_id"))
    return PositionTree({_id(row[0]): _maybe(row[1]) for row in rows})


async def stand_ins(connection: Connection, day: str) -> dict[bytes, frozenset[bytes]]:
    """Position → the positions that its people stand in for on that day.

    Who stands in without a post of their own works on the device of the absent person.
    """
    names = ("user_id", "position_id", "valid_from", "valid_to")
    rows = await rows_where(connection, "assignment", names, "kind", ["substitute"])
    absent = _people_of(rows, day)
    posts = _people_of(
        await rows_where(connection, "assignment", (*names, "kind"), "user_id", absent), day
    )
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for user, positions in absent.items():
        for own in posts.get(user, set()) - positions:
            found[own] |= positions
    return {position: frozenset(positions) for position, positions in found.items()}


def _people_of(rows: Iterable[Row], day: str) -> dict[bytes, set[bytes]]:
    """Person → the positions that the assignments give them on that day."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for row in rows:
        since, until = (one if isinstance(one, str) else None for one in row[2:4])
        if Assignment(_id(row[0]), _id(row[1]), since, until).holds_on(day):
            found[_id(row[0])].add(_id(row[1]))
    return found


async def organisation_facts(
    connection: Connection, tree: PositionTree, positions: Collection[bytes], absent: Links
) -> OrganisationFacts:
    """What is needed to work out the subscriptions of ``positions``.

    What other positions see is true already: it is taken from their rows, so that a change among a few outlets costs
    as much in a large company as in a small one. Those that stand in for somebody are looked at anew: what they see
    on that account, posts above them do not.

    Args:
        connection: to read by.
        tree: the positions.
        positions: whose subscriptions are wanted.
        absent: position → positions that its people stand in for.
    """
    settled = set(tree.positions()) - set(positions) - set(absent)
    below: set[bytes] = set()
    met: set[bytes] = set()
    for position in positions:
        if position not in below or position in absent:
            more, others = looked_at(position, tree, absent, settled)
            below |= more
            met |= others
    patches = await patches_of_positions(connection, sorted(below))
    of_partition = {partition_id(PartitionKind.PATCH, patch): patch for patch in patches}
    staff, units = await _places(connection, await _units(connection))
    by_distributor, by_unit, by_position = await _warehouses(connection)
    return OrganisationFacts(
        tree=tree,
        patches=patches,
        patch_distributors=_merged(
            await _by_patch(connection, "outlet", "distributor_id", of_partition),
            await _by_patch(connection, "contract", "distributor_id", of_partition),
        ),
        patch_price_lists=await _by_patch(connection, "contract", "price_list_id", of_partition),
        default_price_lists=await _default_price_lists(connection),
        distributor_warehouses=by_distributor,
        unit_warehouses=by_unit,
        van_warehouses=by_position,
        units_above=units,
        staff_of=staff,
        stand_ins=absent,
        held=await _held(connection, met),
    )


async def _held(
    connection: Connection, positions: Collection[bytes]
) -> dict[bytes, frozenset[Target]]:
    """Position → everything that its rows say it sees."""
    found: dict[bytes, set[Target]] = {position: set() for position in positions}
    names = ("position_id", "target_kind", "target_key")
    for row in await rows_where(connection, "subscription", names, "position_id", positions):
        found[_id(row[0])].add(Target(PartitionKind(str(row[1])), _id(row[2])))
    return {position: frozenset(targets) for position, targets in found.items()}


async def _by_patch(
    connection: Connection, table: str, column: str, of_partition: Mapping[int, bytes]
) -> dict[bytes, frozenset[bytes]]:
    found = await distinct_by_partition(connection, table, column, of_partition)
    return {of_partition[partition]: values for partition, values in found.items()}


@dataclass(frozen=True, slots=True)
class OfficeFacts:
    """Offices, as far as scopes follow them.

    Attributes:
        parents: office → the one above it.
        units_above: position → the offices on its path.
        stocked: offices with warehouses.
    """

    parents: Mapping[bytes, bytes | None]
    units_above: Mapping[bytes, tuple[bytes, ...]]
    stocked: frozenset[bytes]

    def paths_of(self, offices: Iterable[Value]) -> set[bytes]:
        """The offices and all above them."""
        return {
            unit for one in offices if isinstance(one, bytes) for unit in _path(one, self.parents)
        }


async def office_facts(connection: Connection) -> OfficeFacts:
    """Who stands where, and where goods lie."""
    parents = await _units(connection)
    _staff, units = await _places(connection, parents)
    _by_distributor, by_unit, _by_position = await _warehouses(connection)
    return OfficeFacts(parents, units, frozenset(by_unit))


async def shown_by(connection: Connection, table: str, row_id: bytes) -> frozenset[bytes]:
    """The positions whose scope follows from an office, a territory or a price list."""
    if table == "territory":
        rows = await rows_where(connection, "position", ("id",), "territory_id", [row_id])
        return frozenset(_id(row[0]) for row in rows)
    if table == "org_unit":
        above = (await office_facts(connection)).units_above
        return frozenset(position for position, units in above.items() if row_id in units)
    rows = await rows_where(connection, "price_list", ("distributor_id",), "id", [row_id])
    named = [row[0] for row in rows if row[0] is not None]
    if not named:
        return frozenset(_id(row[0]) for row in await all_rows(connection, "position", ("id",)))
    held = partition_id(PartitionKind.DISTRIBUTOR, _id(named[0]))
    names = ("position_id",)
    rows = await rows_where(connection, "subscription", names, "target_partition", [held])
    return frozenset(_id(row[0]) for row in rows)


async def _units(connection: Connection) -> dict[bytes, bytes | None]:
    rows = await all_rows(connection, "org_unit", ("id", "parent_id"))
    return {_id(row[0]): _maybe(row[1]) for row in rows}


async def _places(
    connection: Connection, parents: Mapping[bytes, bytes | None]
) -> tuple[dict[bytes, bytes], dict[bytes, tuple[bytes, ...]]]:
    """Position → its distributor, and position → organisation units on its path."""
    territories = await all_rows(connection, "territory", ("id", "org_unit_id"))
    unit_of_territory = {_id(row[0]): _maybe(row[1]) for row in territories}
    staff: dict[bytes, bytes] = {}
    units: dict[bytes, tuple[bytes, ...]] = {}
    paths: dict[bytes, tuple[bytes, ...]] = {}
    for row in await all_rows(connection, "position", ("id", "territory_id", "distributor_id")):
        position, territory, distributor = _id(row[0]), _maybe(row[1]), _maybe(row[2])
        if distributor is not None:
            staff[position] = distributor
        unit = unit_of_territory.get(territory) if territory is not None else None
        if unit is not None:
            if unit not in paths:
                paths[unit] = _path(unit, parents)
            units[position] = paths[unit]
    return staff, units


def _path(unit: bytes, parents: Mapping[bytes, bytes | None]) -> tuple[bytes, ...]:
    path: list[bytes] = []
    current: bytes | None = unit
    while current is not None and current not in path:
        path.append(current)
        current = parents.get(current)
    return tuple(path)


async def _warehouses(connection: Connection) -> tuple[Links, Links, Links]:
    names = ("id", "distributor_id", "org_unit_id", "position_id")
    rows = await all_rows(connection, "warehouse", names)
    return _linked(rows, 1), _linked(rows, 2), _linked(rows, 3)


async def _default_price_lists(connection: Connection) -> Links:
    rows = await all_rows(connection, "price_list", ("id", "distributor_id", "is_default"))
    defaults = [(row[0], row[1] if row[1] is not None else COMPANY) for row in rows if row[2]]
    return _linked(defaults, 1)


def _linked(rows: Iterable[Row], position: int) -> dict[bytes, frozenset[bytes]]:
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for row in rows:
        key = _maybe(row[position])
        if key is not None:
            found[key].add(_id(row[0]))
    return {key: frozenset(values) for key, values in found.items()}


def _merged(one: Links, other: Links) -> dict[bytes, frozenset[bytes]]:
    nothing: frozenset[bytes] = frozenset()
    keys = set(one) | set(other)
    return {key: one.get(key, nothing) | other.get(key, nothing) for key in keys}


def _id(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _maybe(value: Value) -> bytes | None:
    return value if isinstance(value, bytes) else None
