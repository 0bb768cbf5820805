"""Administration: CSV files loaded, settings looked at, backups made."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.problems import fill, problem_of
from fieldmesh.service import config
from fieldmesh.service.translation import _
from hub.config import load_settings
from hub.desk.authority import BY_FILE, refused_rows
from hub.exchange.csv_import import import_all_or_nothing
from hub.exchange.csv_kinds import KEYS, SHAPES_SCOPE, SHAPES_SIGN_IN, all_kinds, kind_named
from hub.exchange.csv_reading import check_file
from hub.fleet.office import Office
from hub.fleet.people import refresh_sign_ins
from hub.fleet.subscriptions import refresh_everything
from hub.rules.access import Access
from hub.storage.org_changes import head_office_write
from hub.storage.rows import Connection


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a file: lines, rows loaded and changed, and what is wrong in words with the line."""

    lines: int
    loaded: int
    changed: int
    problems: tuple[str, ...]


def kinds() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """(name, needed headings, all headings) of each kind of file, in an order in which they can be loaded."""
    return [(kind.name, kind.needed, tuple(kind.fields)) for kind in all_kinds()]


async def load_csv(office: Office, access: Access, kind: str, path: Path) -> Loaded:
    """The file is loaded whole; when a line is wrong nothing of it is, and all that is wrong is told.

    A line that gives, or takes, rights above the person's own is wrong.

    Raises:
        Rejected: `function_missing`, `more_than_own` (the file decides who sees what, and the person reaches a part of
            the company), `not_found` (no such kind), `csv_invalid` (no CSV file of that kind).
    """
    access.need("data.import")
    if kind not in KEYS:
        raise Rejected(
            "not_found", place="kind", text=_("there is no kind {name}").format(name=kind[:80])
        )
    function = BY_FILE.get(kind, "data.import")
    if kind in SHAPES_SCOPE or kind in BY_FILE:
        access.need_everywhere("data.import")
        access.need_everywhere(function)
    named = kind_named(kind)
    await asyncio.to_thread(check_file, named, path)

    async def guard(connection: Connection, table: str, ids: set[bytes]) -> Mapping[bytes, str]:
        refused = await refused_rows(connection, access, table, ids, function)
        return {row_id: fill(_(problem_of(one).title), one, _) for row_id, one in refused.items()}

    [done] = await import_all_or_nothing(
        office.database, [(named, path)], clock=office.clock, actor=access.login, guard=guard
    )
    if not done.bad:
        await _settle(office, kind, access)
    return Loaded(done.lines, done.loaded, done.changed, tuple(str(one) for one in done.problems))


async def _settle(office: Office, table: str, access: Access) -> None:
    """Scopes and sign-in follow what was loaded."""
    if table in SHAPES_SIGN_IN:
        async with head_office_write(
            office.database,
            office.clock,
            actor=access.login,
            kind="sign_ins_refreshed",
            about={"tables": [table]},
        ) as writer:
            await refresh_sign_ins(writer, office.maker, None)
    if table in SHAPES_SCOPE:
        await refresh_everything(
            office.database, clock=office.clock, identifiers=office.maker.identifiers
        )


async def settings(office: Office, access: Access) -> list[tuple[str, str, str]]:
    """(setting, value, where it comes from); secrets are masked.

    Raises:
        Rejected: `function_missing`.
    """
    access.need("setting.view")
    loaded = await asyncio.to_thread(load_settings, office.home)
    shown = config.show(loaded.settings, loaded.origins)
    return [(name, str(one["value"]), str(one["origin"])) for name, one in shown.items()]


@dataclass(frozen=True, slots=True)
class Room:
    """Free and whole space of the hub's disk, and the size of its database, in bytes."""

    free: int
    whole: int
    database: int


async def room(office: Office, access: Access) -> Room:
    """How much space there is.

    Raises:
        Rejected: `function_missing`.
    """
    access.need("setting.view")
    usage = await asyncio.to_thread(shutil.disk_usage, office.home.folder)
    file = office.home.database_file
    size = await asyncio.to_thread(lambda: file.stat().st_size if file.exists() else 0)
    return Room(usage.free, usage.total, size)
