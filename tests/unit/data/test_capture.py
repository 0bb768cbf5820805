"""Promise 1, No loss: what any program writes on a device is captured, or refused in words."""

import pytest
from sqlcipher3 import dbapi2

from fieldmesh.data import ddl
from fieldmesh.data.capture import DELETE, INSERT, UPDATE
from fieldmesh.data.schema import TABLES
from tests.kit.databases import captured, device_database

ONE = bytes([1]) * 16
OUTLET = bytes([9]) * 16


@pytest.fixture
def device() -> dbapi2.Connection:
    """A device with one captured contact."""
    connection = device_database()
    _insert(connection, ONE)
    return connection


def _insert(connection: dbapi2.Connection, row_id: bytes, verb: str = "INSERT") -> None:
    connection.execute(
        f"{verb} INTO contact (id, outlet_id, name) VALUES (?, ?, 'Ana')", (row_id, OUTLET)
    )


def _bit(column: str) -> int:
    names = [one.name for one in TABLES["contact"].columns]
    return 1 << names.index(column)


def test_a_change_is_captured_in_the_transaction_that_makes_it(device: dbapi2.Connection) -> None:
    """Otherwise a cut between the two would lose one of them."""
    device.execute("BEGIN")
    device.execute("UPDATE contact SET name = 'Bea'")
    device.execute("ROLLBACK")
    assert captured(device) == [(INSERT, 0)]


def test_an_update_is_captured_with_the_columns_that_changed(device: dbapi2.Connection) -> None:
    """Merging is by column; a column that did not change must not win over another device's."""
    device.execute("UPDATE contact SET name = 'Ana', phone = '1', consent = 1")
    assert captured(device)[1:] == [(UPDATE, _bit("phone") | _bit("consent"))]


def test_a_column_that_becomes_null_is_captured(device: dbapi2.Connection) -> None:
    """Null is a value that people can set."""
    device.execute("UPDATE contact SET phone = '1'")
    device.execute("UPDATE contact SET phone = NULL")
    assert captured(device)[1:] == [(UPDATE, _bit("phone"))] * 2


def test_an_update_that_changes_nothing_is_not_captured(device: dbapi2.Connection) -> None:
    """It would win over a real change of another device."""
    device.execute("UPDATE contact SET name = name")
    assert captured(device) == [(INSERT, 0)]


def test_a_deletion_is_captured(device: dbapi2.Connection) -> None:
    """Also when every row goes at once."""
    device.execute("DELETE FROM contact")
    assert captured(device) == [(INSERT, 0), (DELETE, 0)]


def test_clocks_grow_when_the_devices_clock_goes_back(device: dbapi2.Connection) -> None:
    """The later change of one device always wins over its earlier one."""
    ahead = (1 << 63) - (1 << 50)
    device.execute("UPDATE fm_state SET clock = ?", (ahead,))
    device.execute("UPDATE contact SET phone = '1'")
    device.execute("UPDATE contact SET phone = '2'")
    clocks = [one for (one,) in device.execute("SELECT clock FROM fm_change ORDER BY change_no")]
    assert clocks[1:] == [ahead + 1, ahead + 2]


def test_what_the_agent_applies_is_not_captured(device: dbapi2.Connection) -> None:
    """It would go back to the hub as the device's own."""
    device.execute("UPDATE fm_state SET applying = 1")
    device.execute("UPDATE contact SET name = 'Hub', lsn = 5, partition = 7, row_hash = 3")
    device.execute("INSERT INTO outlet (id, code) VALUES (zeroblob(16), 'A')")
    device.execute("UPDATE fm_state SET applying = 0")
    assert captured(device) == [(INSERT, 0)]


@pytest.mark.parametrize(
    ("switch", "words"), [("retired", "was replaced"), ("locked", "has handed over")]
)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contact SET name = 'Bea'",
        "DELETE FROM contact",
        "INSERT INTO contact (outlet_id, name) VALUES (zeroblob(16), 'C')",
    ],
)
def test_a_replaced_or_locked_database_refuses_writes(
    device: dbapi2.Connection, switch: str, words: str, statement: str
) -> None:
    """What is written there would never be sent."""
    device.execute(f"UPDATE fm_state SET {switch} = 1")
    with pytest.raises(dbapi2.IntegrityError, match=words):
        device.execute(statement)
    assert captured(device) == [(INSERT, 0)]


@pytest.mark.parametrize("column", ["id", "partition", "lsn", "row_hash"])
def test_columns_of_sync_can_be_written_by_the_agent_only(
    device: dbapi2.Connection, column: str
) -> None:
    """A forged lsn would keep the hub's version out."""
    value = ONE if column == "id" else 5
    with pytest.raises(dbapi2.IntegrityError, match="kept by the sync agent"):
        device.execute(
            f"UPDATE contact SET {column} = ?", (bytes(16) if column == "id" else value,)
        )
    if column != "id":
        with pytest.raises(dbapi2.IntegrityError, match="kept by the sync agent"):
            device.execute(
                f"INSERT INTO contact (outlet_id, name, {column}) VALUES (zeroblob(16), 'x', 5)"
            )


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO price (price_list_id, product_unit_id) VALUES (zeroblob(16), zeroblob(16))",
        "UPDATE price SET amount = 1",
        "DELETE FROM price",
    ],
)
def test_tables_of_head_office_refuse_writes(device: dbapi2.Connection, statement: str) -> None:
    """In words that say why."""
    device.execute("UPDATE fm_state SET applying = 1")
    device.execute(
        "INSERT INTO price (price_list_id, product_unit_id, amount)"
        " VALUES (zeroblob(16), zeroblob(16), 5)"
    )
    device.execute("UPDATE fm_state SET applying = 0")
    with pytest.raises(dbapi2.IntegrityError, match="price is written by head office only"):
        device.execute(statement)


def test_replacing_a_row_that_is_there_is_refused(device: dbapi2.Connection) -> None:
    """SQLite would delete the old row without telling any trigger: digests would lie."""
    before = device.execute("SELECT * FROM fm_state").fetchone()
    with pytest.raises(dbapi2.IntegrityError, match="use UPDATE"):
        _insert(device, ONE, "INSERT OR REPLACE")
    assert captured(device) == [(INSERT, 0)]
    assert device.execute("SELECT * FROM fm_state").fetchone() == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO contact (rowid, outlet_id, name) VALUES (1, randomblob(16), 'x')",
        "REPLACE INTO contact (_rowid_, outlet_id, name) VALUES (1, randomblob(16), 'x')",
        "UPDATE OR REPLACE contact SET rowid = 1 WHERE rowid = 2",
        "UPDATE contact SET oid = 3 WHERE oid = 1",
    ],
)
def test_a_row_is_not_replaced_by_its_rowid(device: dbapi2.Connection, statement: str) -> None:
    """The old row would go from the device and stay at head office, for no trigger hears of it."""
    _insert(device, bytes([2]) * 16)
    before = device.execute("SELECT rowid, * FROM contact").fetchall()
    with pytest.raises(dbapi2.IntegrityError, match=r"use UPDATE|rowid is kept"):
        device.execute(statement)
    assert device.execute("SELECT rowid, * FROM contact").fetchall() == before


def test_replacing_nothing_is_an_insert(device: dbapi2.Connection) -> None:
    """Programs that say REPLACE by habit still work for new rows."""
    _insert(device, bytes([2]) * 16, "REPLACE")
    assert captured(device) == [(INSERT, 0), (INSERT, 0)]


def test_an_upsert_is_captured_as_an_update(device: dbapi2.Connection) -> None:
    """The usual way of programs to write a row that may be there."""
    device.execute(
        "INSERT INTO contact (id, outlet_id, name) VALUES (?, ?, 'Cia')"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        (ONE, OUTLET),
    )
    assert captured(device) == [(INSERT, 0), (UPDATE, _bit("name"))]
    _insert(device, ONE, "INSERT OR IGNORE")
    assert len(captured(device)) == 2


def test_every_table_of_a_device_has_triggers() -> None:
    """A table without them would lose what is written there."""
    connection = device_database()
    with_triggers = {
        name
        for (name,) in connection.execute(
            "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger'"
        )
    }
    assert with_triggers == {one.name for one in TABLES.values() if one.is_at(ddl.Tier.DEVICE)}
