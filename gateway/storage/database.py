"""Opening the gateway's database: made when new, updated when old, refused when too new."""

from __future__ import annotations

import asyncio
import importlib
import secrets
import sqlite3
from typing import TYPE_CHECKING, Any, TypeVar

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.release import RELEASE
from fieldmesh.data.ddl import (
    DIGEST_TABLE,
    Tier,
    add_columns,
    create_statements,
    digest_triggers,
    table_statements,
)
from fieldmesh.data.schema import SCHEMA_COMPAT_VERSION, SCHEMA_VERSION, TABLES
from fieldmesh.service.database import Database
from gateway.storage import partitions
from gateway.storage.room import make_file
from gateway.storage.schema import (
    CACHED_TABLES,
    DATABASE_VERSION,
    PROVISIONAL_TABLES,
    SYSTEM_STATEMENTS,
    WIRE_COLUMNS,
    provisional,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fieldmesh.basics.clock import Clock

T = TypeVar("T")

_NUMBER_BITS = 60
_SKIPPED_BITS = 40
"""Each start skips so many outbox numbers at most: room for seven million starts."""


async def open_database(path: Path, gateway_id: bytes, clock: Clock) -> Database:
    """The gateway's database, ready for use.

    Raises:
        Rejected: ``database_too_new``, or ``database_of_other`` if it is another gateway's.
    """
    await asyncio.to_thread(make_file, path)
    database = Database(path)
    try:
        await database.write(lambda connection: prepare(connection, gateway_id, clock.now()))
    except BaseException:
        await database.close()
        raise
    return database


def prepare(connection: sqlite3.Connection, gateway_id: bytes, now: int) -> None:
    """All tables stand as this version needs them.

    The database of a newer release is taken over when its `compat_version` allows: what was written
    there for columns that this program does not know is loaded anew after the next update.
    """
    made = connection.execute(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'fm_state'"
    ).fetchone()
    if not made:
        _create(connection, gateway_id)
        _sign(connection)
        return
    held = _held(connection)
    _check(held, gateway_id)
    _migrate(connection, held["database_version"])
    _follow_schema(connection, now, grown=held["schema_version"] < SCHEMA_VERSION)
    _sign(connection)
    _skip_numbers(connection)


def read_as_it_is(
    connection: sqlite3.Connection, gateway_id: bytes, read: Callable[[sqlite3.Connection], T]
) -> T:
    """What the read says of a database that an older program may be serving: nothing is made ready for it.

    Raises:
        Rejected: ``database_too_new``, ``database_of_other``; ``database_too_old`` if it lacks what is read.
    """
    held = _held(connection)
    _check(held, gateway_id)
    try:
        return read(connection)
    except sqlite3.OperationalError as problem:
        if held["database_version"] < DATABASE_VERSION or held["schema_version"] < SCHEMA_VERSION:
            raise Rejected("database_too_old", release=held.get("release", "")) from problem
        raise


def _check(held: dict[str, Any], gateway_id: bytes) -> None:
    if held["gateway_id"] != gateway_id:
        raise Rejected("database_of_other", found=held["gateway_id"].hex(), wanted=gateway_id.hex())
    version = held["database_version"]
    if version > DATABASE_VERSION or held.get("compat_version", 1) > SCHEMA_VERSION:
        raise Rejected(
            "database_too_new", version=held["schema_version"], release=held.get("release", "")
        )


def _held(connection: sqlite3.Connection) -> dict[str, Any]:
    """What the database says of itself; an old one lacks some of it."""
    cursor = connection.execute("SELECT * FROM fm_state")
    return dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))


def _sign(connection: sqlite3.Connection) -> None:
    """Who has written the database last, and who can work with it."""
    connection.execute(
        "UPDATE fm_state SET schema_version = ?, compat_version = ?, release = ?",
        (SCHEMA_VERSION, SCHEMA_COMPAT_VERSION, RELEASE),
    )


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


def _skip_numbers(connection: sqlite3.Connection) -> None:
    """No outbox number is used that this database may have used before it was restored from an older image.

    The hub's receipts name entries by their numbers, and the broker drops what comes under a number that it knows.
    """
    connection.execute(
        "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'fm_outbox'",
        (1 + secrets.randbits(_SKIPPED_BITS),),
    )


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    for number in range(version + 1, DATABASE_VERSION + 1):
        step = importlib.import_module(f"gateway.storage.migrations.step_{number}")
        for statement in step.STATEMENTS:
            connection.execute(statement)
        connection.execute("UPDATE fm_state SET database_version = ?", (number,))


def _follow_schema(connection: sqlite3.Connection, now: int, *, grown: bool) -> None:
    """Tables and columns that the replicated schema has gained are there, to be seeded anew.

    ``grown``: an older program has written last, so also columns that are there may lack values.
    """
    changed = grown
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
        for target in targets:
            columns = [TABLES[name].column(column) for column in missing]
            for statement in add_columns(TABLES[name], columns, target):
                connection.execute(statement)
        changed = changed or bool(missing)
    if changed:
        partitions.seed_again(connection, None, now, whole=False)


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
