"""A device's digest equals what its rows say, whatever happened to them."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlcipher3 import dbapi2

from tests.kit.databases import captured, device_database

PARTITIONS = st.integers(0, 3)
HASHES = st.integers(0, (1 << 62) - 1)
LSNS = st.sampled_from([0, 0, 1, 1 << 40, (1 << 62) - 1])
IDS = st.integers(1, 6)
TABLES_USED = {"contact": 26, "outlet": 22}

applied = st.tuples(
    st.just("applied"), st.sampled_from(sorted(TABLES_USED)), IDS, PARTITIONS, LSNS, HASHES
)
moved = st.tuples(
    st.just("moved"), st.sampled_from(sorted(TABLES_USED)), IDS, PARTITIONS, LSNS, HASHES
)
removed = st.tuples(st.just("removed"), st.sampled_from(sorted(TABLES_USED)), IDS)
written = st.tuples(st.just("written"), IDS, st.text("abc", max_size=1))
replaced = st.tuples(st.just("replaced"), IDS)
deleted = st.tuples(st.just("deleted"), IDS)
steps = st.lists(st.one_of(applied, moved, removed, written, replaced, deleted), max_size=30)

_OPEN: list[dbapi2.Connection] = []


def _device() -> dbapi2.Connection:
    """One database for all examples: making 80 tables takes longer than an example."""
    if not _OPEN:
        _OPEN.append(device_database())
    connection = _OPEN[0]
    connection.execute("BEGIN")
    return connection


def _id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _as_agent(connection: dbapi2.Connection, statement: str, values: tuple[object, ...]) -> None:
    connection.execute("UPDATE fm_state SET applying = 1")
    connection.execute(statement, values)
    connection.execute("UPDATE fm_state SET applying = 0")


def _applied(connection: dbapi2.Connection, table: str, number: int, *columns: int) -> None:
    business = "outlet_id" if table == "contact" else "code"
    value = bytes(16) if table == "contact" else ""
    _as_agent(
        connection,
        f"INSERT INTO {table} (id, partition, lsn, row_hash, {business}) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET partition = excluded.partition, lsn = excluded.lsn,"
        " row_hash = excluded.row_hash",
        (_id(number), *columns, value),
    )


def _moved(connection: dbapi2.Connection, table: str, number: int, *columns: int) -> None:
    _as_agent(
        connection,
        f"UPDATE {table} SET partition = ?, lsn = ?, row_hash = ? WHERE id = ?",
        (*columns, _id(number)),
    )


def _removed(connection: dbapi2.Connection, table: str, number: int) -> None:
    _as_agent(connection, f"DELETE FROM {table} WHERE id = ?", (_id(number),))


def _written(connection: dbapi2.Connection, number: int, name: str) -> None:
    connection.execute(
        "INSERT INTO contact (id, outlet_id, name) VALUES (?, zeroblob(16), ?)"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        (_id(number), name),
    )


def _replaced(connection: dbapi2.Connection, number: int) -> None:
    try:
        connection.execute(
            "INSERT OR REPLACE INTO contact (id, outlet_id) VALUES (?, zeroblob(16))",
            (_id(number),),
        )
    except dbapi2.IntegrityError as refused:
        assert "this row is there" in str(refused)  # noqa: PT017 - either way is right


def _deleted(connection: dbapi2.Connection, number: int) -> None:
    connection.execute("DELETE FROM contact WHERE id = ?", (_id(number),))


_STEPS: dict[str, Callable[..., None]] = {
    "applied": _applied,
    "moved": _moved,
    "removed": _removed,
    "written": _written,
    "replaced": _replaced,
    "deleted": _deleted,
}


def _held(connection: dbapi2.Connection) -> dict[tuple[int, int], tuple[int, int, int]]:
    rows = connection.execute(
        "SELECT partition, table_no, rows, low, high FROM fm_digest"
        " WHERE rows <> 0 OR low <> 0 OR high <> 0"
    )
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}


def _counted(connection: dbapi2.Connection) -> dict[tuple[int, int], tuple[int, int, int]]:
    counted: dict[tuple[int, int], tuple[int, int, int]] = {}
    for table, number in TABLES_USED.items():
        found = connection.execute(f"SELECT partition, row_hash FROM {table} WHERE lsn > 0")
        for partition, row_hash in found:
            rows, low, high = counted.get((partition, number), (0, 0, 0))
            counted[partition, number] = (
                rows + 1,
                low + (row_hash & 0xFFFF_FFFF),
                high + (row_hash >> 32),
            )
    return counted


@settings(max_examples=60, deadline=None)
@given(steps)
def test_the_digest_follows_every_change(done: list[tuple[str, ...]]) -> None:
    """Digests prove that device, gateway and hub are equal; a wrong one hides damage."""
    connection = _device()
    try:
        for name, *values in done:
            _STEPS[name](connection, *values)
        assert _held(connection) == _counted(connection)
    finally:
        connection.execute("ROLLBACK")


@settings(max_examples=60, deadline=None)
@given(steps)
def test_only_what_programs_write_is_captured(done: list[tuple[str, ...]]) -> None:
    """The agent's own writes would go back to the hub as the device's."""
    connection = _device()
    try:
        for name, *values in done:
            before = len(captured(connection))
            _STEPS[name](connection, *values)
            if name in {"applied", "moved", "removed"}:
                assert len(captured(connection)) == before
    finally:
        connection.execute("ROLLBACK")
