"""The device's database: made, grown, and checked before it is used.

Replicated tables, their capture triggers and the trigger switches come from the schema of the
company (`fieldmesh.data`); the agent's own tables stand beside the code that uses them.
"""

import importlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from device_agent.storage import (
    gateways,
    held,
    numbers,
    outbox,
    photos,
    rows,
    sessions,
    state,
    ticks,
)
from device_agent.storage.database import connect
from device_agent.storage.state import DeviceState, insert_state, update_state
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.release import RELEASE
from fieldmesh.data import ddl
from fieldmesh.data.capture import capture_triggers
from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable
from fieldmesh.data.schema import SCHEMA_VERSION

AGENT_VERSION = 4
"""Version of the agent's own tables (PRAGMA user_version); migrations/ holds the steps."""


def agent_statements() -> Iterable[str]:
    """The agent's own tables."""
    for text in (
        state.DDL,
        outbox.DDL,
        ticks.DDL,
        rows.DDL,
        sessions.DDL,
        gateways.DDL,
        photos.DDL,
        numbers.DDL,
    ):
        yield from (part for part in text.split(";") if part.strip())


def create_tables(connection: sqlite3.Connection) -> None:
    """All tables stand, without triggers and secondary indexes: filling them is quickest so."""
    for statement in ddl.SYNC_STATEMENTS:
        connection.execute(statement)
    for statement in agent_statements():
        connection.execute(statement)
    for table in held.device_tables():
        connection.execute(ddl.create_table(table, ddl.Tier.DEVICE, "sqlite"))
    connection.execute(f"PRAGMA user_version = {AGENT_VERSION}")


def create_triggers(connection: sqlite3.Connection) -> None:
    """Indexes stand, and triggers for every connection that is opened from now on.

    The triggers' text goes straight into the schema table: measured, 600 CREATE TRIGGER statements
    take 40 ms, because each one has the schema read again; this takes 2 ms. The connection itself
    does not know them: it is closed after filling the database.
    """
    triggers: list[tuple[str, str, str]] = []
    for table in held.device_tables():
        for statement in ddl.create_indexes(table, ddl.Tier.DEVICE, "sqlite"):
            connection.execute(statement)
        triggers += [
            (statement.split(None, 3)[2].strip('"'), table.name, statement)
            for statement in _trigger_statements(table)
        ]
    connection.execute("PRAGMA writable_schema = ON")
    connection.executemany(
        "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql)"
        " VALUES ('trigger', ?, ?, 0, ?)",
        triggers,
    )
    connection.execute("PRAGMA writable_schema = OFF")


def create_empty(path: Path, key: bytes) -> None:
    """A database with all tables and no rows stands at the path; it belongs to no device yet."""
    _create(path, key, lambda _: None)


def create_database(
    path: Path,
    key: bytes,
    device: DeviceState,
    more: Callable[[sqlite3.Connection], None],
) -> None:
    """An empty database of this device stands at the path, durable. An earlier file is replaced.

    Args:
        path: where.
        key: the database key.
        device: where the device stands.
        more: writes what else belongs into it, in the same transaction.
    """

    def fill(connection: sqlite3.Connection) -> None:
        insert_state(connection, device)
        update_state(connection, schema_version=SCHEMA_VERSION, release=RELEASE)
        more(connection)

    _create(path, key, fill)


def needs_growth(connection: sqlite3.Connection) -> bool:
    """Whether this release knows a newer schema than the database has.

    A device does not go back to an older release: it would overwrite what it can't see, in rows
    that then count as proven.

    Raises:
        Rejected: `database_too_new`: a newer release wrote the database.
    """
    agent = connection.execute("PRAGMA user_version").fetchone()[0]
    held = connection.execute("SELECT schema_version FROM fm_device").fetchone()[0]
    if agent > AGENT_VERSION or held > SCHEMA_VERSION:
        release = connection.execute("SELECT release FROM fm_device").fetchone()[0]
        raise Rejected("database_too_new", place="database", version=held, release=release)
    return bool(agent < AGENT_VERSION or held < SCHEMA_VERSION)


def grow(connection: sqlite3.Connection) -> None:
    """The database has the tables, columns and triggers of this release; runs where changes are not captured.

    Rows of a table that gained a column count as not proven (hash 0), so that the next full sync
    brings their values of the new column.
    """
    _migrate(connection)
    for (trigger,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        connection.execute(f'DROP TRIGGER "{trigger}"')
    for table in held.device_tables():
        there = {line[1] for line in connection.execute(f"PRAGMA table_info({table.name})")}
        if not there:
            connection.execute(ddl.create_table(table, ddl.Tier.DEVICE, "sqlite"))
            for statement in ddl.create_indexes(table, ddl.Tier.DEVICE, "sqlite"):
                connection.execute(statement)
        missing = [column for column in table.columns if there and column.name not in there]
        if missing:
            _widen(connection, table, missing)
        for statement in _trigger_statements(table):
            connection.execute(statement)
    update_state(connection, schema_version=SCHEMA_VERSION, release=RELEASE)


def _migrate(connection: sqlite3.Connection) -> None:
    """The agent's own tables are those of this release."""
    held_version = connection.execute("PRAGMA user_version").fetchone()[0]
    for number in range(held_version + 1, AGENT_VERSION + 1):
        step = importlib.import_module(f"device_agent.storage.migrations.step_{number}")
        for statement in step.STATEMENTS:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {AGENT_VERSION}")


def _widen(
    connection: sqlite3.Connection, table: ReplicatedTable, missing: list[ReplicatedColumn]
) -> None:
    for statement in ddl.add_columns(table, missing):
        connection.execute(statement)
    connection.execute(f"DELETE FROM fm_digest WHERE table_no = {table.number}")  # noqa: S608
    connection.execute(f"UPDATE {table.name} SET row_hash = 0 WHERE lsn > 0")  # noqa: S608
    connection.execute(
        "INSERT INTO fm_digest (partition, table_no, rows, low, high)"  # noqa: S608
        f" SELECT partition, {table.number}, count(*), 0, 0 FROM {table.name}"
        " WHERE lsn > 0 GROUP BY partition"
    )


def _create(path: Path, key: bytes, fill: Callable[[sqlite3.Connection], None]) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = connect(path, key, create=True)
    try:
        connection.execute("BEGIN IMMEDIATE")
        create_tables(connection)
        create_triggers(connection)
        fill(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    path.chmod(0o600)


def _trigger_statements(table: ReplicatedTable) -> list[str]:
    statements = [*ddl.digest_triggers(table), *capture_triggers(table)]
    if table.device_writable:
        statements.append(held.remember_deletion(table))
    return statements
