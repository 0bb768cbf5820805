"""A sample company into the hub, through the same change path as everything else."""

import json
from collections.abc import Callable
from pathlib import Path

from fieldmesh.basics.clock import Clock
from fieldmesh.codec.columns import TableRows
from hub.exchange.sample.source import CompanySource
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase
from hub.storage.org_changes import head_office_write

TRANSACTION_ROWS = 20_000

Progress = Callable[[str, int], None]
"""Is told the table and how many of its rows were loaded."""


async def load_company(
    database: HubDatabase, clock: Clock, source: CompanySource, progress: Progress
) -> dict[str, int]:
    """All rows of the company stand in the hub; loading it again changes nothing.

    Scopes are not worked out here: refresh the organisation afterwards.

    Returns:
        Table → rows loaded.
    """
    loaded: dict[str, int] = {}
    held: list[TableRows] = []
    size = 0
    for rows in source.tables():
        held.append(rows)
        size += rows.row_count
        if size >= TRANSACTION_ROWS:
            await _store(database, clock, held, loaded, progress)
            held, size = [], 0
    await _store(database, clock, held, loaded, progress)
    return loaded


async def _store(
    database: HubDatabase,
    clock: Clock,
    held: list[TableRows],
    loaded: dict[str, int],
    progress: Progress,
) -> None:
    if not held:
        return
    about = {"rows": sum(rows.row_count for rows in held)}
    async with head_office_write(
        database, clock, actor="sample", kind="sample_loaded", about=about
    ) as writer:
        for rows in held:
            await _upsert(writer, rows)
    for rows in held:
        loaded[rows.table] = loaded.get(rows.table, 0) + rows.row_count
        progress(rows.table, rows.row_count)


async def _upsert(writer: ChangeWriter, rows: TableRows) -> None:
    await writer.upsert(rows.table, rows)


def write_work(source: CompanySource, folder: Path) -> dict[str, int]:
    """The day's orders stand in <folder>/<position>.jsonl, an order a line. Returns position → orders."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, list[str]] = {}
    for order in source.work():
        line = {
            "outlet": order.outlet,
            "is_return": order.is_return,
            "lines": [
                {"product": one.product, "unit": one.unit, "quantity": one.quantity / 1000}
                for one in order.lines
            ],
        }
        written.setdefault(order.position, []).append(json.dumps(line))
    for position, lines in written.items():
        (folder / f"{position}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {position: len(lines) for position, lines in written.items()}
