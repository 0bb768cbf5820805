"""What the workplace asks its database can be said to SQL Server, too; seen without one."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.compiler import SQLCompiler

from hub.desk.lists import is_searchable
from hub.desk.views.registry import VIEWS
from hub.storage.prepared import Prepared
from hub.storage.rows import Connection
from tests.kit.workplace import SUPERVISOR, Site, site

Asked = dict[str, tuple[Any, Mapping[str, Any]]]
PAGES = (
    "today", "today/map", "journal?q=outlet", "schedule", "move-outlets?q=a", "account", "settings", "analysis",
)  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Every statement that is run, by its text, with values that it was run with."""
    found: Asked = {}
    rows = Prepared.rows

    async def noted(self: Prepared, connection: Connection, values: Mapping[str, object]) -> Any:
        found[str(self._statement)] = (self._statement, values)
        return await rows(self, connection, values)

    def note(_: object, statement: Any, many: Any, values: Any, __: object) -> None:
        if isinstance(statement, sa.ClauseElement):
            found[str(statement)] = (statement, dict(values) or (dict(many[0]) if many else {}))

    monkeypatch.setattr(Prepared, "rows", noted)
    sa.event.listen(sa.Engine, "before_execute", note)
    yield found
    sa.event.remove(sa.Engine, "before_execute", note)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """A small company."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def test_each_statement_of_the_workplace_can_be_said_to_sql_server(
    asked: Asked, company: Site
) -> None:
    """Every list was refused on SQL Server: what counts its rows could not be put into its words."""
    for login in ("admin", SUPERVISOR):  # whose scopes are of different kinds
        async with company.person(login) as person:
            for view in VIEWS.values():
                status, found = await person.json(f"/api/v1/{view.name}?limit=1")
                for row in found["rows"] if status == 200 else ():
                    await person.get(f"/{view.name}/{row['id']}")
                    await person.get(f"/{view.name}?limit=1&after={found['after'] or ''}")
                    await person.get(f"/choices/{view.name}?q=a")
                    status, _ = await person.get(f"/{view.name}?q=a")
                    assert status == (200 if is_searchable(view) else 400), view.name
            for page in PAGES:
                assert (await person.get(f"/{page}"))[0] in {200, 403}, page
    assert len(asked) > len(VIEWS)
    wrong = {text[:200]: why for text, one in asked.items() if (why := unsaid(*one))}
    assert not wrong


def unsaid(statement: Any, values: Mapping[str, Any]) -> str:
    """Why the statement can't be run there with its values; empty = it can."""
    dialect = mssql.dialect()  # type: ignore[no-untyped-call]
    try:
        if isinstance(statement, sa.schema.ExecutableDDLElement):
            statement.compile(dialect=dialect)
            return ""
        named = list(values) if isinstance(statement, sa.Insert | sa.Update) else None
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=named)
        for name, process in compiled._bind_processors.items():
            given = compiled.construct_params(values)[name]
            for one in given if isinstance(given, list | tuple) else [given]:
                process(one)  # type: ignore[operator]
    except (CompileError, ValueError, TypeError) as error:
        return str(error)
    return ""
