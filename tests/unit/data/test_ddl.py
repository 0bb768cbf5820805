"""The SQL that is made from the schema."""

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import mssql
from sqlcipher3 import dbapi2

from fieldmesh.basics.identifiers import from_text
from fieldmesh.data import ddl
from fieldmesh.data.model import ReplicatedTable, Tier
from fieldmesh.data.schema import TABLES
from fieldmesh.data.sql_types import StorageForm
from fieldmesh.data.types import WireType
from tests.kit import golden
from tests.kit.databases import device_database


def test_sql_for_sql_server_is_that_of_the_golden_file() -> None:
    """No SQL Server can be reached from here: a change of the file is read by a person."""
    assert golden.sqlserver_text() == golden.SQLSERVER.read_text(encoding="utf-8")


def test_decimal_defaults_on_sql_server_are_not_scaled() -> None:
    """A unit's factor of 1 would be 1000 otherwise."""
    text = ddl.create_table(TABLES["product_unit"], Tier.HUB, "mssql")
    assert "[factor] NUMERIC(14, 3) NOT NULL DEFAULT 1.000" in text


@pytest.mark.parametrize("tier", list(Tier))
def test_every_statement_runs_on_sqlite(tier: Tier) -> None:
    """A node that can't make its tables can't start."""
    connection = dbapi2.connect(":memory:")
    for statement in ddl.create_statements(tier, "sqlite"):
        connection.execute(statement)
    made = {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        if not name.startswith(ddl.PROVISIONAL_PREFIX)
    }
    assert made == {table.name for table in TABLES.values() if table.is_at(tier)}


def test_identifiers_made_by_sql_are_uuids_of_version_7_in_order() -> None:
    """A program may insert without an id; the order by time keeps indexes small."""
    connection = device_database()
    for _ in range(20):
        connection.execute("INSERT INTO visit (outlet_id) VALUES (zeroblob(16))")
    made = [one for (one,) in connection.execute("SELECT id FROM visit ORDER BY rowid")]
    assert len(set(made)) == 20
    for one in made:
        text = one.hex()
        assert len(one) == 16
        assert text[12] == "7"
        assert text[16] in "89ab"
    assert [one[:6] for one in made] == sorted(one[:6] for one in made)
    assert from_text(made[0].hex()) == made[0]


def test_times_made_by_sql_are_microseconds_of_now() -> None:
    """created_at of a row that a foreign program inserts is the device's clock."""
    connection = device_database()
    connection.execute("INSERT INTO visit (outlet_id) VALUES (zeroblob(16))")
    made, now = connection.execute(
        "SELECT created_at, CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000 FROM visit"
    ).fetchone()
    assert abs(made - now) < 60_000_000


def test_snapshot_tables_differ_from_those_of_a_device_by_the_default_of_the_id_only() -> None:
    """SQLite copies between equal tables page by page; anything else is ten times slower."""
    device = [
        ddl.create_table(table, Tier.DEVICE, "sqlite")
        for table in TABLES.values()
        if table.is_at(Tier.DEVICE)
    ]
    snapshot = ddl.snapshot_statements()
    assert len(device) == len(snapshot)
    for one, other in zip(device, snapshot, strict=True):
        first, rest = one.split("\n", 2)[1], one.split("\n", 2)[2]
        assert other.split("\n", 2)[2] == rest
        assert first.startswith('  "id" BLOB PRIMARY KEY NOT NULL DEFAULT (')
        assert other.split("\n", 2)[1] == '  "id" BLOB PRIMARY KEY NOT NULL,'
        assert "unhex" not in other
        assert "unixepoch" not in other


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_column_can_be_added_to_a_table_that_has_rows(table: ReplicatedTable) -> None:
    """A device whose database is older than the release keeps its rows."""
    connection = dbapi2.connect(":memory:")
    connection.execute(f'CREATE TABLE "{table.name}" (id BLOB PRIMARY KEY NOT NULL) STRICT')
    connection.execute(f'INSERT INTO "{table.name}" VALUES (zeroblob(16))')
    for statement in ddl.add_columns(table, table.columns):
        connection.execute(statement)
    row = connection.execute(f'SELECT * FROM "{table.name}"').fetchone()
    assert row[1:] == tuple(column.neutral for column in table.columns)


def test_values_reach_sql_server_in_its_own_types_and_come_back() -> None:
    """Storage form is the same on both databases for all code above."""
    dialect = mssql.dialect()  # type: ignore[no-untyped-call]
    for wire, precision, scale, value in (
        (WireType.DECIMAL, 15, 5, 1_234_567),
        (WireType.DECIMAL, 15, 2, -5),
        (WireType.TIME, 0, 0, 1_795_000_000_123_456),
        (WireType.DATE, 0, 0, "2026-11-23"),
        (WireType.TEXT, 40, 0, "кафе"),
        (WireType.IDENTIFIER, 0, 0, bytes(range(16))),
        (WireType.BOOLEAN, 0, 0, 1),
        (WireType.INTEGER, 0, 0, 1 << 62),
    ):
        form = StorageForm(wire, precision, scale)
        bound = form.process_bind_param(value, dialect)
        assert form.process_result_value(bound, dialect) == value
        assert form.process_bind_param(None, dialect) is None


def test_tables_of_sqlalchemy_have_the_columns_of_their_tier() -> None:
    """The hub reads and writes through them."""
    table = TABLES["outlet"].sql_table(Tier.HUB)
    assert list(table.columns.keys()) == [one.name for one in TABLES["outlet"].columns_at(Tier.HUB)]
    assert "outlet.class" in str(select(table.c["class"]))
