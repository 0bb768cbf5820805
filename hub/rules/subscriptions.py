"""What a position may see, as partitions. Pure: facts of the organisation in, targets out.

Promise 6 (Scope).
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from hub.rules.territory import PositionTree

COMPANY = b""
"""Key of `default_price_lists` for lists that belong to no distributor."""


class Target(NamedTuple):
    """One partition that a position may see."""

    kind: PartitionKind
    key: bytes

    @property
    def partition(self) -> int:
        """Number of the partition."""
        return partition_id(self.kind, self.key)


GLOBAL = Target(PartitionKind.GLOBAL, b"")
Links = Mapping[bytes, frozenset[bytes]]


@dataclass(frozen=True)
class OrganisationFacts:
    """What subscriptions are worked out from. A missing key means "none".

    Attributes:
        tree: the positions.
        patches: patch → the positions in its set.
        patch_distributors: patch → distributors of its outlets and of its legal parties' contracts.
        patch_price_lists: patch → price lists of its legal parties' contracts.
        default_price_lists: distributor, or `COMPANY` → lists used where no contract names one.
        distributor_warehouses: distributor → its warehouses.
        unit_warehouses: organisation unit → its warehouses.
        van_warehouses: position → vans of that position.
        units_above: position → organisation units on its path, its own included.
        staff_of: position → the distributor whose staff it is.
        stand_ins: position → positions that its people stand in for today.
        held: position → everything that it may see, where that is known already: nothing below it is looked at.
    """

    tree: PositionTree
    patches: Links = field(default_factory=dict)
    patch_distributors: Links = field(default_factory=dict)
    patch_price_lists: Links = field(default_factory=dict)
    default_price_lists: Links = field(default_factory=dict)
    distributor_warehouses: Links = field(default_factory=dict)
    unit_warehouses: Links = field(default_factory=dict)
    van_warehouses: Links = field(default_factory=dict)
    units_above: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    staff_of: Mapping[bytes, bytes] = field(default_factory=dict)
    stand_ins: Links = field(default_factory=dict)
    held: Mapping[bytes, frozenset[Target]] = field(default_factory=dict)

    def patches_by_position(self) -> dict[bytes, set[bytes]]:
        """Position → the patches that contain it."""
        found: dict[bytes, set[bytes]] = defaultdict(set)
        for patch, positions in self.patches.items():
            for position in positions:
                found[position].add(patch)
        return found


def subscriptions(
    positions: Iterable[bytes], facts: OrganisationFacts
) -> dict[bytes, frozenset[Target]]:
    """Position → everything that it may see; an unknown position sees nothing."""
    by_position = facts.patches_by_position()
    return {position: _targets(position, facts, by_position) for position in positions}


def looked_at(
    position: bytes, tree: PositionTree, stand_ins: Links, held: Container[bytes]
) -> tuple[set[bytes], set[bytes]]:
    """The positions whose own facts count for the position, and the held ones whose targets it has besides."""
    below, met = tree.down_to(position, held)
    for absent in stand_ins.get(position, ()) if position in tree else ():
        more, others = tree.down_to(absent, held)
        below |= more
        met |= others
    return below, met


def _targets(
    position: bytes, facts: OrganisationFacts, patches_of: Mapping[bytes, set[bytes]]
) -> frozenset[Target]:
    below, met = looked_at(position, facts.tree, facts.stand_ins, facts.held)
    if not below and not met:
        return frozenset()
    patches = _gather(below, patches_of)
    distributors = _gather(patches, facts.patch_distributors)
    distributors.update(facts.staff_of[one] for one in below if one in facts.staff_of)
    price_lists = _gather(patches, facts.patch_price_lists)
    price_lists |= _gather([*distributors, COMPANY], facts.default_price_lists)
    units = {unit for one in below for unit in facts.units_above.get(one, ())}
    warehouses = _gather(distributors, facts.distributor_warehouses)
    warehouses |= _gather(units, facts.unit_warehouses) | _gather(below, facts.van_warehouses)
    return frozenset(
        [
            GLOBAL,
            *(Target(PartitionKind.POSITION, key) for key in below),
            *(Target(PartitionKind.PATCH, key) for key in patches),
            *(Target(PartitionKind.DISTRIBUTOR, key) for key in distributors),
            *(Target(PartitionKind.PRICELIST, key) for key in price_lists),
            *(Target(PartitionKind.WAREHOUSE, key) for key in warehouses),
        ]
    ).union(*(facts.held[one] for one in met))


def _gather(keys: Iterable[bytes], links: Mapping[bytes, Iterable[bytes]]) -> set[bytes]:
    return {value for key in keys for value in links.get(key, ())}
