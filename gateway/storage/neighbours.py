"""Gateways where devices may sync, as the hub has told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One gateway. Addresses are host:port, best first."""

    gateway_id: bytes
    name: str
    addresses: tuple[str, ...]
    enrolment_address: str


def read_neighbours(
    connection: sqlite3.Connection, gateway_id: bytes, *, most: int
) -> list[Neighbour]:
    """This gateway first, then those of the same office or distributor, at most ``most`` in all."""
    rows = connection.execute(
        "SELECT g.id, coalesce(g.name, g.code), g.addresses, coalesce(g.enrolment_address, '')"
        " FROM gateway AS g LEFT JOIN gateway AS own ON own.id = ?1"
        " WHERE g.addresses <> '' AND (g.id = ?1 OR g.org_unit_id = own.org_unit_id"
        " OR g.distributor_id = own.distributor_id)"
        " ORDER BY g.id <> ?1, g.code LIMIT ?2",
        (gateway_id, most),
    )
    return [
        Neighbour(row[0], row[1], tuple(row[2].replace(",", " ").split()), row[3]) for row in rows
    ]
