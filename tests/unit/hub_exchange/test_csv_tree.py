"""Rows below rows of their own table."""

import pytest

from hub.exchange.csv_tree import misplaced

Plain = dict[str, str]


def _ids(rows: Plain) -> dict[bytes, bytes | None]:
    return {row.encode(): above.encode() or None for row, above in rows.items()}


@pytest.mark.parametrize(
    ("standing", "coming", "nowhere", "in_ring"),
    [
        ({"a": ""}, {"b": "a", "c": "b"}, "", ""),
        ({}, {"c": "b", "b": "a", "a": ""}, "", ""),
        ({}, {"c": "b", "b": "a"}, "bc", ""),
        ({"b": ""}, {"c": "b", "b": "a"}, "b", ""),
        ({}, {"a": "a"}, "", "a"),
        ({}, {"a": "b", "b": "a", "c": "b", "d": ""}, "c", "ab"),
        ({"a": "b", "b": ""}, {"b": "a"}, "", "b"),
        ({"a": "b", "b": "", "c": ""}, {"a": "c", "c": "a", "b": "a"}, "", "abc"),
        ({"a": "b", "b": "a"}, {"c": "a"}, "", ""),
        ({"a": "b", "b": "a"}, {"a": ""}, "", ""),
    ],
)
def test_no_row_stands_below_nothing_or_below_itself(
    standing: Plain, coming: Plain, nowhere: str, in_ring: str
) -> None:
    """Without it a row that keeps its place could close a ring, and a ring that stands could never be opened."""
    found = misplaced(_ids(standing), _ids(coming))
    assert found == ({row.encode() for row in nowhere}, {row.encode() for row in in_ring})
