"""Tables of the hub on SQL Server, seen without one."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from hub.storage.org_tables import ORG_METADATA, replicated_table
from hub.storage.system_tables import SYSTEM_METADATA, WORD


@pytest.mark.parametrize(
    "table", [*SYSTEM_METADATA.sorted_tables, *ORG_METADATA.sorted_tables], ids=lambda one: one.name
)
def test_texts_are_compared_sign_by_sign(table: sa.Table) -> None:
    """Words that end with 9, z or я were found by nobody: the sign above the last one stands below it there."""
    dialect = mssql.dialect()  # type: ignore[no-untyped-call]
    text = str(sa.schema.CreateTable(table).compile(dialect=dialect))
    for line in text.splitlines():
        assert "VARCHAR" not in line or "COLLATE Latin1_General_100_BIN2" in line, line


def test_words_and_codes_of_forty_characters_have_room_also_when_these_are_emoji() -> None:
    """A name of two hundred characters with one emoji among them was refused with its whole transaction."""
    dialect = mssql.dialect()  # type: ignore[no-untyped-call]
    for column in (WORD.c.word, replicated_table("outlet").c.code):
        assert "NVARCHAR(80)" in column.type.compile(dialect=dialect)
