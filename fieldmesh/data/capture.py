"""Capture triggers: what any program writes to a device's database by SQL is in `fm_change`.

In the same transaction, whatever program it is (promise 1, No loss). The agent's own applying is
not captured. `INSERT OR REPLACE` of a row that is there would delete it without any trigger being
told, so it is refused: the conflict policy of a statement is also that of its triggers' statements,
so the inner INSERT OR IGNORE replaces the row of `fm_state` (and `replacing` becomes 1) only under
OR REPLACE. Source: SQLite, "CREATE TRIGGER", on ON CONFLICT clauses in trigger bodies.
"""

from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.data.domain import described, misfit
from fieldmesh.data.model import ReplicatedTable

INSERT, UPDATE, DELETE = 1, 2, 3
"""`fm_change.operation`; the numbers of `Operation` in batch.proto."""

_WRITING = "(SELECT applying FROM fm_state) = 0"
_REPLACED = "this database was replaced: open the current one"
_LOCKED = "this device has handed over: it is locked"
_KEPT = "id, partition, lsn and row_hash are kept by the sync agent"
_THERE = "this row is there: use UPDATE, or INSERT with ON CONFLICT DO UPDATE"
_REFUSE = (
    f"SELECT RAISE(ABORT, '{_REPLACED}') FROM fm_state WHERE retired = 1;"  # noqa: S608
    f" SELECT RAISE(ABORT, '{_LOCKED}') FROM fm_state WHERE locked = 1;"
)
_TICK = (
    "UPDATE fm_state SET"  # noqa: S608
    " clock = max((CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000)"
    f" << {CLOCK_COUNTER_BITS}, clock + 1);"
)
"""A hybrid logical clock: above every earlier change of this device."""
_NO_REPLACE = (
    "INSERT OR IGNORE INTO fm_state (one, replacing) VALUES (1, 1);"  # noqa: S608
    f" SELECT RAISE(ABORT, '{_THERE}') FROM fm_state WHERE replacing = 1;"
)
_KEPT_BY_SYNC = ("id", "partition", "lsn", "row_hash")
_NO_OTHER_ROWID = "SELECT RAISE(ABORT, 'rowid is kept by the database');"


def capture_triggers(table: ReplicatedTable) -> list[str]:
    """Triggers of one table on a device: capture where it may write, refusal where it may not."""
    return _capturing(table) if table.device_writable else _refusing(table)


def trigger(table: ReplicatedTable, name: str, event: str, condition: str, body: str) -> str:
    """CREATE TRIGGER.

    Args:
        table: on which table.
        name: what it does; the table's name is put before it.
        event: when, as ``AFTER UPDATE OF code``.
        condition: of WHEN.
        body: one or more statements, each with its semicolon.
    """
    return (
        f'CREATE TRIGGER "{table.name}_{name}" {event} ON "{table.name}"'
        f" WHEN {condition} BEGIN {body} END"
    )


def _capturing(table: ReplicatedTable) -> list[str]:
    mask = " | ".join(
        f'((NEW."{column.name}" IS NOT OLD."{column.name}") << {position})'
        for position, column in enumerate(table.columns)
    )
    touched = " OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in _KEPT_BY_SYNC)
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    born_elsewhere = (
        f"SELECT RAISE(ABORT, '{_KEPT}')"
        " WHERE NEW.partition <> 0 OR NEW.lsn <> 0 OR NEW.row_hash <> 0;"
    )
    return [
        trigger(
            table,
            "capture_insert",
            "AFTER INSERT",
            _WRITING,
            f"{_REFUSE} {born_elsewhere} {_TICK} {_record(table, 'NEW', INSERT, '0')}",
        ),
        trigger(
            table,
            "capture_update",
            f"AFTER UPDATE OF {columns}",
            f"{_WRITING} AND ({mask}) <> 0",
            f"{_REFUSE} {_TICK} {_record(table, 'NEW', UPDATE, mask)}",
        ),
        trigger(
            table,
            "capture_delete",
            "AFTER DELETE",
            _WRITING,
            f"{_REFUSE} {_TICK} {_record(table, 'OLD', DELETE, '0')}",
        ),
        trigger(
            table,
            "capture_guard",
            "BEFORE UPDATE OF id, partition, lsn, row_hash",
            f"{_WRITING} AND ({touched})",
            f"SELECT RAISE(ABORT, '{_KEPT}');",
        ),
        trigger(
            table,
            "capture_replace",
            "BEFORE INSERT",
            f'{_WRITING} AND EXISTS (SELECT 1 FROM "{table.name}"'  # noqa: S608
            " WHERE id = NEW.id OR rowid = NEW.rowid)",
            _NO_REPLACE,
        ),
        trigger(
            table,
            "capture_rowid",
            "BEFORE UPDATE",
            f"{_WRITING} AND NEW.rowid <> OLD.rowid",
            _NO_OTHER_ROWID,
        ),
        *_checking(table),
    ]


def _checking(table: ReplicatedTable) -> list[str]:
    """Values that the wire can't carry or the hub can't hold are refused where they are written.

    An older row with such a value may still change in its other columns.
    """
    inserted, updated, words = [], [], []
    for column in table.wire_columns:
        wrong = misfit(column, f'NEW."{column.name}"')
        if wrong is None or column.name in _KEPT_BY_SYNC[1:]:
            continue
        inserted.append(wrong)
        updated.append(f'NEW."{column.name}" IS NOT OLD."{column.name}" AND {wrong}')
        said = f"{table.name}.{column.name}: {described(column)}"
        words.append(f"SELECT RAISE(ABORT, '{said}') WHERE {wrong};")
    body = " ".join(words)
    return [
        trigger(
            table,
            f"check_{event.lower()}",
            f"AFTER {event}",
            f"{_WRITING} AND ({' OR '.join(wrong)})",
            body,
        )
        for event, wrong in (("INSERT", inserted), ("UPDATE", updated))
    ]


def _record(table: ReplicatedTable, row: str, operation: int, mask: str) -> str:
    return (
        "INSERT INTO fm_change (table_no, row_id, operation, columns, clock)"  # noqa: S608
        f" SELECT {table.number}, {row}.id, {operation}, {mask}, clock FROM fm_state;"
    )


def _refusing(table: ReplicatedTable) -> list[str]:
    refusal = f"SELECT RAISE(ABORT, '{table.name} is written by head office only');"
    return [
        trigger(table, f"refuse_{event.lower()}", f"BEFORE {event}", _WRITING, refusal)
        for event in ("INSERT", "UPDATE", "DELETE")
    ]
