"""A hub's database that an earlier release made becomes one of this release, without losing a row.

Replicated tables and columns are added as the schema says. Own tables are made when missing; what
else has changed in them is done by the numbered steps of `hub.storage.migrations`.
"""

import importlib

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.release import RELEASE
from fieldmesh.data.ddl import add_hub_columns, table_statements
from fieldmesh.data.model import Tier
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES
from hub.storage.org_tables import ORG_METADATA
from hub.storage.system_tables import SYSTEM_METADATA

DATABASE_VERSION = 7
"""Version of the hub's own tables; `hub.storage.migrations` holds the steps between versions."""


def signature() -> dict[str, int | str]:
    """What a database of this release says of itself in `fm_hub`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "database_version": DATABASE_VERSION,
        "release": RELEASE,
    }


async def is_needed(connection: AsyncConnection, place: str) -> bool:
    """Whether an earlier release made the database.

    A hub does not go back to an older release over its own data: hashes would leave out columns
    that are there. The way back is the backup of before the update; gateways send the rest again.

    Raises:
        Rejected: `database_too_new`: this program can't work with it.
    """
    row = (await connection.exec_driver_sql("SELECT * FROM fm_hub")).mappings().one()
    schema, own = row["schema_version"], row.get("database_version", 1)
    if schema > SCHEMA_VERSION or own > DATABASE_VERSION:
        raise Rejected("database_too_new", place=place, version=schema, release=row["release"])
    return bool(schema < SCHEMA_VERSION or own < DATABASE_VERSION)


async def grow(connection: AsyncConnection) -> None:
    """Everything that this release needs stands, within the caller's write transaction."""
    row = (await connection.exec_driver_sql("SELECT * FROM fm_hub")).mappings().one()
    for number in range(row.get("database_version", 1) + 1, DATABASE_VERSION + 1):
        step = importlib.import_module(f"hub.storage.migrations.step_{number}")
        for statement in step.STATEMENTS:
            said = statement if isinstance(statement, str) else statement[connection.dialect.name]
            await connection.exec_driver_sql(said)
    await connection.run_sync(SYSTEM_METADATA.create_all)
    await connection.run_sync(ORG_METADATA.create_all)
    held = await connection.run_sync(_columns)
    for table in TABLES.values():
        there = held.get(table.name)
        dialect = connection.dialect.name
        missing = [one for one in table.columns_at(Tier.HUB) if there and one.name not in there]
        for statement in (
            add_hub_columns(table, missing, dialect)
            if there
            else table_statements(table, Tier.HUB, dialect)
        ):
            await connection.exec_driver_sql(statement)
    sets = ", ".join(f"{name} = ?" for name in signature())
    await connection.exec_driver_sql(f"UPDATE fm_hub SET {sets}", tuple(signature().values()))


def _columns(connection: sa.Connection) -> dict[str, set[str]]:
    found = sa.inspect(connection).get_multi_columns()
    return {name: {column["name"] for column in columns} for (_, name), columns in found.items()}
