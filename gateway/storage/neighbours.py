"""Gateways where devices may sync, as the hub has told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One gateway of an office, or of a distributor. Addresses are host:port, best first."""

    gateway_id: bytes
    name: str
    addresses: tuple[str, ...]
    enrolment_address: str
    org_unit_id: bytes | None
    distributor_id: bytes | None

    def is_beside(self, other: Neighbour) -> bool:
        """Whether both stand in one office, or at one distributor."""
        return (self.org_unit_id is not None and self.org_unit_id == other.org_unit_id) or (
            self.distributor_id is not None and self.distributor_id == other.distributor_id
        )


def read_neighbours(connection: sqlite3.Connection) -> list[Neighbour]:
    """All gateways that can be reached and are not revoked, by code."""
    rows = connection.execute(
        "SELECT id, coalesce(name, code), addresses, coalesce(enrolment_address, ''), org_unit_id,"
        " distributor_id FROM gateway WHERE addresses <> '' AND status <> 'revoked' ORDER BY code"
    )
    return [
        Neighbour(row[0], row[1], tuple(row[2].replace(",", " ").split()), *row[3:]) for row in rows
    ]
