"""Cells of CSV files."""

import pytest

from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.exchange.csv_values import BadValueError, parse_value

PRICE, PRODUCT, STOCK = TABLES["price"], TABLES["product"], TABLES["stock"]


@pytest.mark.parametrize(
    ("table", "column", "text", "value"),
    [
        ("price", "amount", "1.25", 125_000),
        ("price", "amount", "1,25", 125_000),
        ("price", "amount", "+01", 100_000),
        ("price", "amount", ",5", 50_000),
        ("price", "amount", "5.", 500_000),
        ("price", "valid_from", "2026-01-31", "2026-01-31"),
        ("product", "excise", "yes", 1),
        ("org_unit", "time_zone", "Europe/Sofia", "Europe/Sofia"),
        ("product", "excise", "не", 0),
        ("product", "volume_ml", "750", 750),
        ("stock", "as_of", "1970-01-01T00:00:01Z", 1_000_000),
        ("stock", "as_of", "1970-01-01T02:00:00+02:00", 0),
        ("outlet", "latitude", "-41.5", -41_500_000),
    ],
)
def test_cells_become_values(table: str, column: str, text: str, value: Value) -> None:
    """Without it files of partners could not be read."""
    assert parse_value(TABLES[table].column(column), text) == value


@pytest.mark.parametrize(
    ("table", "column", "text", "reason"),
    [
        ("price", "amount", "abc", "not a number"),
        ("price", "amount", "1.123456", "more than 5 digits"),
        ("price", "amount", "NaN", "NaN is not a number"),
        ("price", "amount", "-Infinity", "not a number"),
        ("price", "amount", "1e3", "not a number of digits with at most one point or comma"),
        ("price", "amount", "1_000", "not a number"),
        ("price", "amount", "1,234.50", "not a number"),
        ("price", "amount", "1 000", "not a number"),
        ("price", "amount", "１２", "not a number"),
        ("price", "amount", "٣", "not a number"),
        ("price", "amount", "-", "not a number"),
        ("price", "amount", ",", "not a number"),
        ("price", "amount", "9" * 4_000, "9… is too large"),
        ("price", "amount", "0." + "3" * 4_000, "more than 5 digits"),
        ("product", "volume_ml", "７５０", "not a whole number"),
        ("price", "valid_from", "31.01.2026", "not a date"),
        ("product", "excise", "maybe", "neither yes nor no"),
        ("org_unit", "time_zone", "Sofia time", "Sofia time is no time zone"),
        ("org_unit", "time_zone", "Europe", "no time zone"),
        ("warehouse", "time_zone", "../etc/passwd", "no time zone"),
        ("product", "volume_ml", "7.5", "not a whole number"),
        ("product", "name", "x" * 1_000, "longer than"),
        ("product", "name", "a\x1fb", "control character"),
        ("stock", "as_of", "2026-01-01T00:00:00", "no time zone"),
    ],
)
def test_a_bad_cell_says_why(table: str, column: str, text: str, reason: str) -> None:
    """Without it a person would not know what to correct."""
    with pytest.raises(BadValueError, match=reason):
        parse_value(TABLES[table].column(column), text)
