"""One wrong value costs its own row and no other."""

import pytest

from fieldmesh.codec.columns import TableRows
from fieldmesh.codec.fitting import misfits
from fieldmesh.data.domain import FIRST_TIME_US, LAST_TIME_US
from fieldmesh.data.types import Value
from tests.kit.rows import contacts, row_id


def test_rows_that_fit_are_not_found() -> None:
    """A refusal of a good row would be work lost."""
    assert misfits(contacts(50)) == {}
    assert misfits(contacts(0)) == {}


@pytest.mark.parametrize(
    ("table", "column", "fits", "wrong"),
    [
        ("contact", "consent", 1, 2),
        ("contact", "consent", 0, -1),
        ("contact", "name", "x" * 200, "x" * 201),
        ("contact", "name", "Иван", "a\x1fb"),
        ("contact", "phone", None, "a\x1eb"),
        ("photo", "sha256", b"x" * 32, b"x" * 33),
        ("photo", "sha256", b"", bytes(1 << 20)),
        ("contact", "created_at", LAST_TIME_US, LAST_TIME_US + 1),
        ("contact", "created_at", FIRST_TIME_US, FIRST_TIME_US - 1),
        ("sales_order", "amount", 10**15 - 1, 10**15),
        ("sales_order", "amount", -(10**15) + 1, -(10**15)),
        ("sales_order", "date", "2026-11-23", "2026-02-30"),
        ("sales_order", "date", None, "20261123"),
        ("sales_order", "date", "2024-02-29", "2026-W01-1"),
        ("sales_order", "date", "0001-01-01", ""),
    ],
)
def test_a_value_that_its_column_cannot_hold_is_found_with_its_row(
    table: str, column: str, fits: Value, wrong: Value
) -> None:
    """SQL Server would refuse it, and with it the batches of everyone in the same transaction."""
    ids: list[Value] = [row_id(1), row_id(2), row_id(3)]
    rows = TableRows(table, ("id", column), [ids, [fits, wrong, fits]])
    assert misfits(rows) == {1: column}


def test_an_id_of_zeros_is_no_id() -> None:
    """It is what a null is on the wire: the rows of all who make that mistake would be one row."""
    ids: list[Value] = [row_id(1), bytes(16)]
    rows = TableRows("contact", ("id", "outlet_id"), [ids, [bytes(16), row_id(2)]])
    assert misfits(rows) == {1: "id"}


def test_a_row_with_two_wrong_values_is_named_once() -> None:
    """A person reads one reason."""
    columns: list[list[Value]] = [[row_id(1)], ["x" * 500], [7]]
    assert misfits(TableRows("contact", ("id", "name", "consent"), columns)) == {0: "name"}
