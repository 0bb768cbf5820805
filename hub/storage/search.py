"""Finding rows by words: beginnings of words of a name, a code, an address, in any order.

`fm_word` holds each word of the searched columns of reference tables; the change path keeps it. Documents are
found by the beginning of their number. Works the same on SQLite and SQL Server.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.codec.columns import TableRows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.storage.bulk import Row
from hub.storage.org_tables import replicated_table
from hub.storage.prepared import Prepared
from hub.storage.system_tables import WORD

SEARCHED: dict[str, tuple[str, ...]] = {
    "org_unit": ("code", "name"),
    "territory": ("code", "name"),
    "position": ("code", "name"),
    "app_user": ("login", "person"),
    "role": ("code", "name"),
    "workplace": ("code", "name"),
    "gateway": ("code", "name"),
    "device": ("code", "hardware_id"),
    "legal_party": ("code", "name", "tax_number"),
    "distributor": ("code", "name"),
    "outlet": ("code", "name", "address", "city"),
    "contact": ("name", "phone"),
    "contract": ("code",),
    "product_group": ("code", "name"),
    "product": ("code", "name", "brand"),
    "product_barcode": ("gtin",),
    "product_xref": ("local_code",),
    "price_list": ("code", "name"),
    "assortment": ("code",),
    "promotion": ("code", "name"),
    "warehouse": ("code", "name"),
    "route": ("code", "name"),
    "survey_template": ("code", "name"),
    "equipment_model": ("code", "maker"),
    "equipment": ("inventory_number", "serial_number", "barcode"),
}
"""Table → columns whose words are kept."""
NUMBERED: dict[str, str] = {
    name: "number" for name, table in TABLES.items() if table.has_column("number")
}
"""Table → column whose beginning is looked for."""
MOST_CHARACTERS, MOST_WORDS = 40, 32
FEW, COUNTED = 5_000, 50_000
"""So many rows are gathered by a word and sorted; of more, the words are gone through in their order. And so many are
counted to know which beginning is of the fewest."""
ESCAPE = "/"
WORDS = (WORD.c.word, WORD.c.row_id)
"""The order of rows that `along_words` finds."""
_SURROGATES, _AFTER_SURROGATES = 0xD800, 0xE000
"""Between these stand no signs."""
_SPLIT = re.compile(r"[^\w]+")


def words_of(values: Iterable[Value]) -> set[str]:
    """The words of some texts: folded, without signs."""
    found: set[str] = set()
    for value in values:
        if isinstance(value, str):
            plain = unicodedata.normalize("NFKC", value).casefold()
            found.update(word[:MOST_CHARACTERS] for word in _SPLIT.split(plain) if word)
    return set(sorted(found)[:MOST_WORDS]) if len(found) > MOST_WORDS else found


def is_searchable(table: str) -> bool:
    """Whether rows of the table are found by words or numbers."""
    return table in SEARCHED or table in NUMBERED


def beginnings(table: str, asked: str) -> tuple[str, ...]:
    """What is looked for, the longest first: the beginning of a number, or of words, each in another word."""
    if table not in SEARCHED:
        return (asked.strip(),)
    return tuple(sorted(words_of([asked]), key=len, reverse=True))


async def rarest_first(
    connection: AsyncConnection, table: str, begins: Sequence[str]
) -> tuple[tuple[str, ...], bool]:
    """The beginnings, that of the fewest words first; and whether even that one is of more than `FEW`."""
    if table not in SEARCHED:
        return tuple(begins), False
    held: dict[str, int] = {}
    for text in begins:
        held[text] = await _counted(table).value(connection, bounds(table, [text]))
    return tuple(sorted(begins, key=lambda text: held[text])), min(held.values(), default=0) > FEW


@cache
def _counted(table: str) -> Prepared:
    """How many of the table's rows have the first beginning."""
    found = _with_first(table).limit(COUNTED).subquery()
    return Prepared(sa.select(sa.func.count()).select_from(found))


def _has_word(since: sa.ColumnElement[Any], until: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the row has a word between the two.

    Without the table's number: ids say enough, and the index of rows is the one that serves.
    """
    words = WORD.alias()
    found: sa.Select[Any] = sa.select(sa.literal_column("1")).where(
        words.c.row_id == WORD.c.row_id, words.c.word >= since, words.c.word < until
    )
    return found.exists()


def _has_others(count: int) -> list[sa.ColumnElement[bool]]:
    """The row has a word of each beginning but the first."""
    return [_has_word(*_bounds(place)) for place in range(1, count)]


def _bounds(place: int) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    return sa.bindparam(f"from_{place}"), sa.bindparam(f"until_{place}")


def matching(table: str, count: int) -> sa.Select[Any]:
    """A query for the ids of rows with so many beginnings, run with their `bounds`; scope is for the caller to add."""
    if table not in SEARCHED:
        target = replicated_table(table)
        number = target.c[NUMBERED[table]]
        ways = [sa.and_(number >= since, number < until) for since, until in map(_bounds, (0, 1))]
        return sa.select(target.c.id).where(sa.or_(*ways))
    if not count:
        return sa.select(WORD.c.row_id).where(sa.false())
    return _with_first(table).where(*_has_others(count))


def along_words(
    rows: sa.Select[Any], table: str, count: int, row_id: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """The rows that have so many beginnings, each at its first word of the first one.

    In the order of `WORDS`, whoever stops early has looked at few of them. Words are compared before any row is read.
    """
    first, _ = _bounds(0)
    rows = rows.add_columns(row_id).where(WORD.c.row_id == row_id, *_of_first(table))
    return rows.where(*_has_others(count), ~_has_word(first, WORD.c.word))


def _with_first(table: str) -> sa.Select[Any]:
    """Ids of the table's rows that have the first beginning."""
    return sa.select(WORD.c.row_id).where(*_of_first(table))


def _of_first(table: str) -> list[sa.ColumnElement[bool]]:
    """The word is of the table, and has the first beginning."""
    since, until = _bounds(0)
    of_table = WORD.c.table_no == TABLES[table].number
    return [of_table, WORD.c.word >= since, WORD.c.word < until]


def bounds(table: str, begins: Sequence[str]) -> dict[str, object]:
    """The values of a query that `matching` made."""
    if not begins:
        return {}
    if table not in SEARCHED:
        begins = (begins[0], begins[0].upper())  # as typed, and as numbers mostly are written
    found: dict[str, object] = {}
    for place, text in enumerate(begins):
        found[f"from_{place}"] = text
        found[f"until_{place}"] = _behind(text)
    return found


def _behind(text: str) -> str:
    """The first text behind all those that begin with it."""
    sign = ord(text[-1]) + 1
    return text[:-1] + chr(_AFTER_SURROGATES if sign == _SURROGATES else min(sign, sys.maxunicode))


def pattern(text: str) -> str:
    """For LIKE: what begins with the text, in which every sign stands for itself."""
    for sign in (ESCAPE, "%", "_", "["):
        text = text.replace(sign, ESCAPE + sign)
    return f"{text}%"


async def follow(
    connection: AsyncConnection,
    table: ReplicatedTable,
    old: TableRows | None,
    new: TableRows,
) -> None:
    """The words follow rows that came (None before) or changed, in the caller's transaction.

    Words of deleted rows stay: lists leave such rows out, and the row may come back.
    """
    if table.name not in SEARCHED:
        return
    has = _words(table, new)
    had = _words(table, old) if old is not None else [set[str]() for _ in has]
    gone: list[Row] = []
    come: list[Row] = []
    for row_id, before, after in zip(new.column("id"), had, has, strict=True):
        gone += [(table.number, word, row_id) for word in before - after]
        come += [(table.number, word, row_id) for word in after - before]
    if gone:
        await connection.exec_driver_sql(
            "DELETE FROM fm_word WHERE table_no = ? AND word = ? AND row_id = ?", gone
        )
    if come:
        await connection.exec_driver_sql(
            "INSERT INTO fm_word (table_no, word, row_id) VALUES (?, ?, ?)", come
        )


def _words(table: ReplicatedTable, rows: TableRows) -> list[set[str]]:
    columns = (rows.column(name) for name in SEARCHED[table.name])
    return [words_of(values) for values in zip(*columns, strict=True)]
