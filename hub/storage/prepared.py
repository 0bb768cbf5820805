"""Statements that people's pages ask again and again: made once, and run without what SQLAlchemy does at each run.

To find a compiled statement again, spread its values and wrap its rows takes SQLAlchemy three times as long as SQLite
takes to answer a page's small questions. Where values stand in the database as they are (SQLite), the text and the
order of its values are kept, and a run goes to the line. Anywhere else, and for a statement whose text depends on its
values, it is run as ever. docs/decisions/0018-statements-that-are-kept.md
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

from fieldmesh.data.sql_types import StorageForm
from hub.storage.sqlite_line import Line

Row = Sequence[Any]
_AS_THEY_ARE = (StorageForm, sa.Integer, sa.String, sa.LargeBinary, sa.types.NullType)
"""Types whose values SQLite takes and gives without a change."""
_NEEDED: Final = object()


class _Text:
    """A statement in SQLite's words: its text, and for each of its values the name and what stands there unsaid."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self.text = str(compiled)
        binds = [compiled.binds[name] for name in compiled.positiontup or ()]
        self._values = [
            (one.key, _NEEDED if one.required else one.effective_value) for one in binds
        ]

    def values(self, given: Mapping[str, object]) -> list[object]:
        """The values in the statement's order.

        Raises:
            KeyError: one that the statement needs is not given.
        """
        found = []
        for name, unsaid in self._values:
            found.append(given[name] if unsaid is _NEEDED else given.get(name, unsaid))
        return found


class Prepared:
    """A query that is kept."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        """Nothing is made before the first run."""
        self._statement = statement
        self._made = False
        self._text: _Text | None = None

    async def rows(
        self, connection: AsyncConnection, values: Mapping[str, object]
    ) -> Sequence[Row]:
        """All rows of the query with these values, in storage form.

        Raises:
            KeyError: on SQLite, a value is missing.
            sqlalchemy.exc.SQLAlchemyError: as of any other run; `HubDatabase` makes typed errors of them.
        """
        line = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr]
        if not isinstance(line, Line):
            return await self._as_ever(connection, values)
        if not self._made:
            self._text, self._made = _prepared(self._statement, connection.dialect), True
        if self._text is None:
            return await self._as_ever(connection, values)
        try:
            return await line.rows(self._text.text, self._text.values(values))
        except sqlite3.Error as error:
            raise OperationalError(self._text.text, None, error) from error

    async def _as_ever(
        self, connection: AsyncConnection, values: Mapping[str, object]
    ) -> Sequence[Row]:
        found: Sequence[Row] = (await connection.execute(self._statement, values)).all()
        return found

    async def value(self, connection: AsyncConnection, values: Mapping[str, object]) -> Any:
        """The first value of the only row."""
        return (await self.rows(connection, values))[0][0]


def _prepared(statement: sa.Select[Any], dialect: Dialect) -> _Text | None:
    """The statement's text; None = it depends on the values, or a value is not in storage form."""
    compiled: SQLCompiler = statement.compile(dialect=dialect)
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None
    kinds = [one.type for one in compiled.binds.values()]
    kinds += [one.type for one in statement.selected_columns]
    return _Text(compiled) if all(isinstance(one, _AS_THEY_ARE) for one in kinds) else None
