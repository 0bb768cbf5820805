"""Patches: outlets that are served by exactly the same set of positions (core.md, section 2)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fieldmesh.replica.partition import patch_id

Positions = frozenset[bytes]
NOBODY: Positions = frozenset()


@dataclass(frozen=True, slots=True)
class Assignment:
    """A position serves an outlet from a day until a day, both included, YYYY-MM-DD.

    None = open.
    """

    outlet_id: bytes
    position_id: bytes
    valid_from: str | None = None
    valid_to: str | None = None

    def holds_on(self, day: str) -> bool:
        """Whether it holds on that day."""
        after_start = self.valid_from is None or self.valid_from <= day
        return after_start and (self.valid_to is None or day <= self.valid_to)


def serving_positions(assignments: Iterable[Assignment], day: str) -> dict[bytes, Positions]:
    """Outlet → the positions that serve it on that day."""
    serving: dict[bytes, set[bytes]] = defaultdict(set)
    for assignment in assignments:
        if assignment.holds_on(day):
            serving[assignment.outlet_id].add(assignment.position_id)
    return {outlet: frozenset(positions) for outlet, positions in serving.items()}


def party_positions(
    party_of_outlet: Mapping[bytes, bytes | None], serving: Mapping[bytes, Positions]
) -> dict[bytes, Positions]:
    """Legal party → the union of the positions of its outlets.

    A chain's contract and debts have one home that everyone who serves one of its outlets
    subscribes to.
    """
    union: dict[bytes, set[bytes]] = defaultdict(set)
    for outlet, party in party_of_outlet.items():
        if party is not None:
            union[party].update(serving.get(outlet, NOBODY))
    return {party: frozenset(positions) for party, positions in union.items()}


def patch_for(positions: Positions) -> bytes | None:
    """The patch of a set of positions; None when nobody serves."""
    return patch_id(positions) if positions else None
