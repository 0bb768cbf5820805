"""A table or a column that comes later says since when, so that older nodes are understood."""

import re

import pytest

from fieldmesh.basics.release import RELEASE
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.schema import SCHEMA_COMPAT_VERSION, SCHEMA_VERSION, TABLES
from tests.house.sources import text
from tests.upgrades.frozen import frozen

FIRST = frozen("release_1", "hub")
_TABLE = re.compile(r'CREATE TABLE "(\w+)" \((.*?)\n\) STRICT', re.DOTALL)
_COLUMN = re.compile(r'^\s*"(\w+)"', re.MULTILINE)
HELD = {table[1]: set(_COLUMN.findall(table[2])) for table in _TABLE.finditer(FIRST)}


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_what_the_first_release_did_not_have_says_since_when(table: ReplicatedTable) -> None:
    """Without it older nodes would be told digests of tables that they don't have, and hashes that they can't count."""
    held = HELD.get(table.name)
    assert (table.since > 1) == (held is None)
    columns = table.columns
    later = {column.name for column in columns if column.since > table.since}
    assert later == ({column.name for column in columns} - held if held is not None else set())
    assert all(column.since <= SCHEMA_VERSION for column in columns)
    order = [column.since for column in columns]
    assert order == sorted(order), "captured changes name columns by their place: add at the end"


def test_the_release_of_the_code_is_that_of_the_package() -> None:
    """It stands in databases and hellos."""
    assert f'\nversion = "{RELEASE}"\n' in text("pyproject.toml")
    assert SCHEMA_COMPAT_VERSION <= SCHEMA_VERSION
