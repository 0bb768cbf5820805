"""Addresses of gateways, and what was measured of them."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

DDL = """
CREATE TABLE fm_gateway (
  address TEXT PRIMARY KEY NOT NULL,
  gateway_id BLOB NOT NULL,
  name TEXT NOT NULL,
  enrolment_address TEXT NOT NULL,
  source TEXT NOT NULL,
  latency_us INTEGER NOT NULL,
  measured_at INTEGER NOT NULL,
  failed_at INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """One way to a gateway. Times are microseconds UTC; 0 = never."""

    address: str
    gateway_id: bytes
    name: str
    enrolment_address: str = ""
    source: str = "hub"
    latency_us: int = 0
    measured_at: int = 0
    failed_at: int = 0


_COLUMNS = (
    "address, gateway_id, name, enrolment_address, source, latency_us, measured_at, failed_at"
)


def known_gateways(connection: sqlite3.Connection) -> list[GatewayRow]:
    """All ways that are known."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM fm_gateway ORDER BY address")  # noqa: S608
    return [GatewayRow(*row) for row in rows]


def replace_hub_list(connection: sqlite3.Connection, gateways: Iterable[GatewayRow]) -> None:
    """The hub's list is what it says now; measurements of addresses that stay are kept."""
    rows = list(gateways)
    if not rows:
        return
    held = {row.address: row for row in known_gateways(connection)}
    connection.execute("DELETE FROM fm_gateway WHERE source = 'hub'")
    for row in rows:
        known = held.get(row.address, row)
        save_gateway(
            connection,
            GatewayRow(
                address=row.address,
                gateway_id=row.gateway_id,
                name=row.name,
                enrolment_address=row.enrolment_address,
                source="hub",
                latency_us=known.latency_us,
                measured_at=known.measured_at,
                failed_at=known.failed_at,
            ),
        )


def save_gateway(connection: sqlite3.Connection, row: GatewayRow) -> None:
    """The way is known as given."""
    connection.execute(
        f"INSERT OR REPLACE INTO fm_gateway ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            row.address,
            row.gateway_id,
            row.name,
            row.enrolment_address,
            row.source,
            row.latency_us,
            row.measured_at,
            row.failed_at,
        ),
    )


def forget_source(connection: sqlite3.Connection, source: str) -> None:
    """Ways known from there are forgotten: ``local`` ones are found again, ``given`` ones told again."""
    connection.execute("DELETE FROM fm_gateway WHERE source = ?", (source,))
