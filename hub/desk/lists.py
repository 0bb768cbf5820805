"""Lists and records as one person sees them. Each begins by asking whether they may.

What is shown of a sensitive list is noted in the journal, once a person, list and ten minutes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.types import Value
from fieldmesh.service.translation import N_
from hub.desk.asking import Ask, is_searchable
from hub.desk.view import Child, View
from hub.desk.views.registry import VIEWS, view_of_table
from hub.fleet.office import Office
from hub.rules.access import Access
from hub.storage import journal, lists
from hub.storage.database import HubDatabase
from hub.storage.lists import Condition, Test, Wanted

CHILD_ROWS = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list.

    Attributes:
        view: of what.
        paths: of the values in each row, after the id.
        rows: the id first, then the values in storage form.
        after: where the next page begins; None = this is the last one.
        total: rows of the whole list, at most one more than are counted.
        counted: so many are, at most.
    """

    view: View
    paths: tuple[str, ...]
    rows: list[tuple[Value, ...]]
    after: tuple[Value, ...] | None
    total: int = 0
    counted: int = lists.COUNTED


@dataclass(frozen=True, slots=True)
class Record:
    """One row with all its columns.

    Attributes:
        view: of what.
        row_id: its id.
        values: column or path → value in storage form.
        label: what it is called, in storage form.
        lsn: of its last change; names this version.
    """

    view: View
    row_id: bytes
    values: dict[str, Value]
    label: tuple[Value, ...]
    lsn: int


async def listed(office: Office, access: Access, view: View, ask: Ask) -> Listed:
    """A page of the view's rows that the person may see, with the number of all, to be shown to them.

    Raises:
        Rejected: `function_missing`, `bad_filter`.
    """
    found = await page_of(office.database, access, view, ask)
    await note_seen(office, access, [view])
    return found


async def page_of(database: HubDatabase, access: Access, view: View, ask: Ask) -> Listed:
    """As `listed`, for what leaves an entry of its own in the journal.

    Raises:
        Rejected: `function_missing`, `bad_filter`.
    """
    access.need(view.function)
    wanted, scope = _wanted(view, ask), access.scope_for(view.function)
    async with database.read() as connection:
        words = await lists.words_of(connection, wanted)
        most = lists.most_counted(wanted.words)
        key = (view.name, scope, wanted.conditions, wanted.words)
        total = most + 1
        if not database.long_lists.take(key):
            total = await lists.count(connection, scope, wanted, words)
            if total > most:
                database.long_lists.add(key)
        page = await lists.page(connection, scope, wanted, many=total > most, words=words)
    return Listed(view, wanted.paths, page.rows, page.after, total, most)


async def count_of(database: HubDatabase, access: Access, view: View, ask: Ask, most: int) -> int:
    """How many rows of the view the person may see, at most one more than ``most``.

    Raises:
        Rejected: `function_missing`, `bad_filter`.
    """
    access.need(view.function)
    async with database.read() as connection:
        scope = access.scope_for(view.function)
        return await lists.count(connection, scope, _wanted(view, ask), most=most)


async def children(office: Office, access: Access, record: Record) -> list[tuple[Child, Listed]]:
    """The first rows of each list that belongs to a record and that the person may see; not counted."""
    found = []
    async with office.database.read() as connection:
        for child in record.view.children:
            view = VIEWS[child.view]
            if not access.may(view.function):
                continue
            belongs = Condition(child.column, Test.IS, (record.row_id,))
            wanted = _wanted(view, Ask((belongs,), most=CHILD_ROWS))
            page = await lists.page(connection, access.scope_for(view.function), wanted)
            shown = Listed(view, wanted.paths, page.rows, page.after, len(page.rows))
            found.append((child, shown))
    await note_seen(office, access, [part.view for _, part in found if part.rows])
    return found


async def opened(office: Office, access: Access, view: View, row_id: bytes) -> Record:
    """One row that the person may see, to be shown to them.

    Raises:
        Rejected: `function_missing`, `not_found`.
    """
    found = await record(office.database, access, view, row_id)
    await note_seen(office, access, [view])
    return found


async def note_seen(office: Office, access: Access, views: Iterable[View]) -> None:
    """That the person has looked at what is sensitive of these stands in the journal."""
    sensitive = [view.name for view in views if view.audited]
    now = office.clock.now()
    due = office.seen.unnoted(access.user_id, sensitive, now) if sensitive else ()
    if not due:
        return
    async with office.database.write() as connection:
        for name in due:
            await journal.append(
                connection, at=now, kind="seen", actor=access.login, payload={"view": name}
            )
    office.seen.noted(access.user_id, due, now)


async def record(
    database: HubDatabase, access: Access, view: View, row_id: bytes, *, to: str = ""
) -> Record:
    """One row that the person may see, and may use the function ``to`` on when one is named; not noted as seen.

    Raises:
        Rejected: `function_missing`; `not_found`, also for rows that one of the two scopes hides.
    """
    access.need(view.function)
    own = tuple(name for name in view.schema.wire_names if name != "id")
    links = tuple(
        f"{column}.{path}"
        for column, table in view.schema.parents
        if (target := view_of_table(table)) is not None
        for path in target.label
    )
    paths = (*own, "received_at", "origin_device_id", *links, *view.label)
    wanted = Wanted(view.table, paths, (Condition("id", Test.IS, (row_id,)),), most=1)
    async with database.read() as connection:
        rows = (await lists.page(connection, access.scope_for(view.function), wanted)).rows
        if to:
            access.need(to)
            reached = await lists.page(connection, access.scope_for(to), replace(wanted, paths=()))
            rows = rows if reached.rows else []
    if not rows:
        raise Rejected("not_found", place=view.name, text=N_("there is no such record for you"))
    values = rows[0][1:]
    label = values[len(values) - len(view.label) :]
    named = dict(zip(paths, values, strict=False))
    lsn = named["lsn"]
    return Record(view, row_id, named, label, lsn if isinstance(lsn, int) else 0)


async def choices(
    database: HubDatabase, access: Access, view: View, words: str, most: int = 20
) -> list[tuple[bytes, tuple[Value, ...]]]:
    """Rows that a link may name, with their labels: for pickers. Where nothing has words, the first of the list."""
    access.need(view.function)
    asked = words.strip() if is_searchable(view) else ""
    wanted = Wanted(view.table, view.label, (), view.ordering, None, None, most, asked)
    async with database.read() as connection:
        page = await lists.page(connection, access.scope_for(view.function), wanted)
    return [(row[0], row[1:]) for row in page.rows if isinstance(row[0], bytes)]


async def labels(
    database: HubDatabase, access: Access, view: View, ids: Sequence[bytes]
) -> list[tuple[bytes, tuple[Value, ...]]]:
    """What those of the rows are called that the person may see."""
    if not access.may(view.function):
        return []
    wanted = Wanted(view.table, view.label, ids=ids, most=len(ids))
    async with database.read() as connection:
        page = await lists.page(connection, access.scope_for(view.function), wanted)
    return [(row[0], row[1:]) for row in page.rows if isinstance(row[0], bytes)]


def _wanted(view: View, ask: Ask) -> Wanted:
    """What a list of the view shows of what somebody asks for."""
    return Wanted(
        view.table, _list_paths(view), ask.conditions, view.ordering, ask.after,
        most=ask.most, words=ask.words,
    )  # fmt: skip


def _list_paths(view: View) -> tuple[str, ...]:
    """The columns of the list, and behind them the ids of the rows that links name."""
    links = [path.rpartition(".")[0] for path in view.columns if "." in path]
    return (*view.columns, *dict.fromkeys(links))
