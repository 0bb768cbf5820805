"""Real device and gateway databases with all tables and triggers."""

from sqlcipher3 import dbapi2

from fieldmesh.data import ddl
from fieldmesh.data.capture import capture_triggers
from fieldmesh.data.schema import TABLES


def device_database() -> dbapi2.Connection:
    """An empty device database in memory, with capture and digest triggers."""
    connection = dbapi2.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA key = \"x'" + "11" * 32 + "'\"")
    for statement in (*ddl.SYNC_STATEMENTS, *ddl.create_statements(ddl.Tier.DEVICE, "sqlite")):
        connection.execute(statement)
    for table in TABLES.values():
        if table.is_at(ddl.Tier.DEVICE):
            for statement in (*capture_triggers(table), *ddl.digest_triggers(table)):
                connection.execute(statement)
    return connection


def captured(connection: dbapi2.Connection) -> list[tuple[int, int]]:
    """(operation, columns) of every captured change, in order."""
    rows = connection.execute("SELECT operation, columns FROM fm_change ORDER BY change_no")
    return list(rows.fetchall())
