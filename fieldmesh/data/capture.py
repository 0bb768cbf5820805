"""Capture triggers: whatever program writes to a device's database by SQL, its change is in `fm_change`, in the same
transaction (promise 1, No loss). The agent's own applying is not captured."""

from fieldmesh.data.model import ReplicatedTable

INSERT, UPDATE, DELETE = 1, 2, 3
"""`fm_change.operation`; the numbers of `Operation` in batch.proto."""

_WRITING = "(SELECT applying FROM fm_state) = 0"
_REFUSE = (
    "SELECT RAISE(ABORT, 'this database was replaced: open the current one') FROM fm_state WHERE retired = 1;"
    " SELECT RAISE(ABORT, 'this device has handed over: it is locked') FROM fm_state WHERE locked = 1;"
)
_TICK = (
    "UPDATE fm_state SET clock = max((CAST(unixepoch('subsec') * 1000 AS INTEGER) * 1000) << 12, clock + 1);"
)
_KEPT_BY_SYNC = ("id", "partition", "lsn", "row_hash")


def capture_triggers(table: ReplicatedTable) -> list[str]:
    """Triggers of one table on a device: capture where a device may write, refusal where it may not."""
    return _capturing(table) if table.device_writable else _refusing(table)


def _capturing(table: ReplicatedTable) -> list[str]:
    mask = " | ".join(
        f'((NEW."{column.name}" IS NOT OLD."{column.name}") << {position})'
        for position, column in enumerate(table.columns)
    )
    touched = " OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in _KEPT_BY_SYNC)
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    name = table.name
    return [
        f'CREATE TRIGGER "{name}_capture_insert" AFTER INSERT ON "{name}" WHEN {_WRITING} BEGIN {_REFUSE}'
        f" SELECT RAISE(ABORT, 'partition, lsn and row_hash are kept by the sync agent')"
        f" WHERE NEW.partition <> 0 OR NEW.lsn <> 0 OR NEW.row_hash <> 0;"
        f" {_TICK} {_record(table, 'NEW', INSERT, '0')}; END",
        f'CREATE TRIGGER "{name}_capture_update" AFTER UPDATE OF {columns} ON "{name}"'
        f" WHEN {_WRITING} AND ({mask}) <> 0 BEGIN {_REFUSE} {_TICK} {_record(table, 'NEW', UPDATE, mask)}; END",
        f'CREATE TRIGGER "{name}_capture_delete" AFTER DELETE ON "{name}" WHEN {_WRITING} BEGIN {_REFUSE}'
        f" {_TICK} {_record(table, 'OLD', DELETE, '0')}; END",
        f'CREATE TRIGGER "{name}_capture_guard" BEFORE UPDATE OF id, partition, lsn, row_hash ON "{name}"'
        f" WHEN {_WRITING} AND ({touched}) BEGIN"
        " SELECT RAISE(ABORT, 'id, partition, lsn and row_hash are kept by the sync agent'); END",
    ]


def _record(table: ReplicatedTable, row: str, operation: int, mask: str) -> str:
    return (
        "INSERT INTO fm_change (table_no, row_id, operation, columns, clock)"
        f" SELECT {table.number}, {row}.id, {operation}, {mask}, clock FROM fm_state"
    )


def _refusing(table: ReplicatedTable) -> list[str]:
    return [
        f'CREATE TRIGGER "{table.name}_refuse_{event.lower()}" BEFORE {event} ON "{table.name}" WHEN {_WRITING}'
        f" BEGIN SELECT RAISE(ABORT, '{table.name} is written by head office only'); END"
        for event in ("INSERT", "UPDATE", "DELETE")
    ]
