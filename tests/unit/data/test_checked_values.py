"""Promise 1, No loss: a value that can't travel is refused where it is written, not with its whole batch."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlcipher3 import dbapi2

from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.fitting import misfits
from fieldmesh.data.domain import FIRST_TIME_US, LAST_TIME_US, misfit
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType
from tests.kit.databases import captured, device_database

ONE = bytes([1]) * 16
LONG = "\N{CYRILLIC SMALL LETTER ZHE}"
WRONG = [
    ("sales_order", "outlet_id", bytes(15)),
    ("sales_order", "outlet_id", bytes(17)),
    ("sales_order", "number", "7" * 61),
    ("sales_order", "number", "7\x1e8"),
    ("sales_order", "number", "7\x00" + "8" * 240),
    ("sales_order", "delivery_date", "2026-02-30"),
    ("sales_order", "delivery_date", "0000-01-01"),
    ("sales_order", "delivery_date", "26.11.2026"),
    ("sales_order", "created_at", LAST_TIME_US + 1),
    ("sales_order", "changed_at", FIRST_TIME_US - 1),
    ("sales_order", "amount", 10**15),
    ("sales_order", "id", bytes(16)),
    ("sales_order", "id", b"short"),
    ("contact", "consent", 2),
]
REQUIRED: dict[str, dict[str, Value]] = {
    "sales_order": {"number": "K07-1", "outlet_id": ONE},
    "contact": {"outlet_id": ONE, "name": "Ana"},
}


@pytest.fixture
def device() -> dbapi2.Connection:
    """A device without rows."""
    return device_database()


def _insert(device: dbapi2.Connection, table: str, values: dict[str, Value]) -> None:
    marks = ", ".join("?" * len(values))
    names = ", ".join(values)
    device.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))


@pytest.mark.parametrize(("table", "column", "value"), WRONG)
def test_a_value_that_cannot_travel_is_refused_by_name(
    device: dbapi2.Connection, table: str, column: str, value: Value
) -> None:
    """The author of the program reads which column, and what it holds."""
    with pytest.raises(dbapi2.IntegrityError, match=rf"^{table}\.{column}: "):
        _insert(device, table, {**REQUIRED[table], column: value})
    assert captured(device) == []


@pytest.mark.parametrize(("table", "column", "value"), [line for line in WRONG if line[1] != "id"])
def test_a_row_does_not_change_into_one_that_cannot_travel(
    device: dbapi2.Connection, table: str, column: str, value: Value
) -> None:
    """Every way of writing is looked at; the other columns of a row that has such a value may change."""
    _insert(device, table, {**REQUIRED[table], "id": ONE})
    held = device.execute(f"SELECT * FROM {table}").fetchall()
    with pytest.raises(dbapi2.IntegrityError, match=rf"^{table}\.{column}: "):
        device.execute(f"UPDATE {table} SET {column} = ?", (value,))
    assert device.execute(f"SELECT * FROM {table}").fetchall() == held
    device.execute("UPDATE fm_state SET applying = 1")
    device.execute(f"UPDATE {table} SET {column} = ?", (value,))
    device.execute("UPDATE fm_state SET applying = 0")
    device.execute(f"UPDATE {table} SET lsn = lsn, created_at = created_at")
    other = "comment" if table == "sales_order" else "phone"
    device.execute(f"UPDATE {table} SET {other} = 'later'")


def test_the_longest_values_are_taken(device: dbapi2.Connection) -> None:
    """Bounds are in characters, not in bytes; a day of a leap year is a day."""
    _insert(
        device,
        "sales_order",
        {
            "number": LONG * 60,
            "outlet_id": ONE,
            "delivery_date": "2028-02-29",
            "amount": -(10**15) + 1,
        },
    )
    assert len(captured(device)) == 1


_COLUMNS = [
    (table, column)
    for table in TABLES.values()
    for column in table.wire_columns
    if column.wire_type not in {WireType.INTEGER, WireType.IDENTIFIER, WireType.BINARY}
]
_DATES = st.one_of(
    st.dates().map(date.isoformat),
    st.dates().map(lambda day: day.strftime("%Y%m%d")),
    st.integers(0, 400).map(lambda days: (date(2027, 1, 1) + timedelta(days)).isoformat()),
    st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"),
    st.sampled_from(["", "now", "2026-01-01T10:00", " 2026-01-01", "2460000.5", "-001-01-01"]),
)
_ASKING = dbapi2.connect(":memory:")


def _values(column: ReplicatedColumn) -> st.SearchStrategy[Value]:
    match column.wire_type:
        case WireType.DATE:
            return _DATES
        case WireType.TEXT:
            most = column.kind.precision
            near = st.integers(max(most - 2, 0), most + 2).map(lambda length: "a" * length)
            return st.one_of(st.text("a\x1d\x1e\x1f\x20" + LONG, max_size=60), near)
        case _:
            edges = (0, 1, 10**15, 10**18, FIRST_TIME_US, LAST_TIME_US)
            near = st.sampled_from(edges).flatmap(lambda edge: st.integers(edge - 2, edge + 2))
            return st.one_of(st.integers(-(2**63), 2**63 - 1), near)


@given(st.data())
def test_a_device_refuses_what_head_office_would_refuse(data: st.DataObject) -> None:
    """One rule in two languages: neither is stricter than the other."""
    table, column = data.draw(st.sampled_from(_COLUMNS), label="column")
    value = data.draw(_values(column), label="value")
    wrong = misfit(column, "x")
    assert wrong is not None
    (refused,) = _ASKING.execute(f"SELECT {wrong} FROM (SELECT ? AS x)", (value,)).fetchone()
    assert bool(refused) == bool(misfits(from_rows(table.name, (column.name,), [(value,)])))
