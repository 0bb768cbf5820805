"""Opening the gateway's database: made when new, updated when old, refused when too new."""

from __future__ import annotations

import importlib
import secrets
from typing import TYPE_CHECKING

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.ddl import (
    DIGEST_TABLE,
    Tier,
    create_statements,
    digest_triggers,
    table_statements,
)
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES
from fieldmesh.service.database import Database
from gateway.storage import partitions
from gateway.storage.schema import (
    CACHED_TABLES,
    DATABASE_VERSION,
    PROVISIONAL_TABLES,
    SYSTEM_STATEMENTS,
    WIRE_COLUMNS,
    provisional,
)

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from fieldmesh.basics.clock import Clock

_NUMBER_BITS = 60


async def open_database(path: Path, gateway_id: bytes, clock: Clock) -> Database:
    """The gateway's database, ready for use.

    Raises:
        Rejected: ``database_too_new``, or ``database_of_other`` if it is another gateway's.
    """
    database = Database(path)
    try:
        await database.write(lambda connection: prepare(connection, gateway_id, clock.now()))
    except BaseException:
        await database.close()
        raise
    return database


def prepare(connection: sqlite3.Connection, gateway_id: bytes, now: int) -> None:
    """All tables stand as this version needs them."""
    made = connection.execute(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'fm_state'"
    ).fetchone()
    if not made:
        _create(connection, gateway_id)
        return
    row = connection.execute("SELECT gateway_id, database_version FROM fm_state").fetchone()
    if row[0] != gateway_id:
        raise Rejected("database_of_other", found=row[0].hex(), wanted=gateway_id.hex())
    if row[1] > DATABASE_VERSION:
        raise Rejected("database_too_new", version=row[1])
    _migrate(connection, row[1])
    _follow_schema(connection, now)


def _create(connection: sqlite3.Connection, gateway_id: bytes) -> None:
    connection.execute(DIGEST_TABLE)
    for statement in create_statements(Tier.GATEWAY, "sqlite"):
        connection.execute(statement)
    for statement in SYSTEM_STATEMENTS:
        connection.execute(statement)
    for name in CACHED_TABLES:
        for statement in digest_triggers(TABLES[name]):
            connection.execute(statement)
    connection.execute(
        "INSERT INTO fm_state (only_row, gateway_id, database_version, schema_version)"
        " VALUES (1, ?, ?, ?)",
        (gateway_id, DATABASE_VERSION, SCHEMA_VERSION),
    )
    # A gateway that lost its disk must not use an outbox number again, whatever its clock says now.
    connection.execute(
        "INSERT INTO sqlite_sequence (name, seq) VALUES ('fm_outbox', ?)",
        (secrets.randbits(_NUMBER_BITS),),
    )


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number in range(version + 1, DATABASE_VERSION + 1):
        step = importlib.import_module(f"gateway.storage.migrations.step_{number}")
        for statement in step.STATEMENTS:
            connection.execute(statement)
        connection.execute("UPDATE fm_state SET database_version = ?", (number,))


def _follow_schema(connection: sqlite3.Connection, now: int) -> None:
    """Tables and columns that the replicated schema has gained are there, to be seeded anew."""
    changed = False
    for name in CACHED_TABLES:
        held = _columns(connection, name)
        if not held:
            for statement in (
                *table_statements(TABLES[name], Tier.GATEWAY, "sqlite"),
                *digest_triggers(TABLES[name]),
            ):
                connection.execute(statement)
            changed = True
            continue
        missing = [column for column in WIRE_COLUMNS[name] if column not in held]
        targets = [name, provisional(name)] if name in PROVISIONAL_TABLES else [name]
        for column in missing:
            kind = TABLES[name].column(column).kind.sqlite
            for target in targets:
                connection.execute(f"ALTER TABLE {target} ADD COLUMN {column} {kind}")
            changed = True
    if changed:
        partitions.seed_again(connection, None, now, whole=False)
    connection.execute("UPDATE fm_state SET schema_version = ?", (SCHEMA_VERSION,))


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
