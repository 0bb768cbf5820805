"""SQL made from the schema: tables and indexes for SQLite and SQL Server, triggers for SQLite.

The sync state that the triggers read and write stands here too, once (`SYNC_STATEMENTS`).
"""

from collections.abc import Iterable

from fieldmesh.basics.money import unscaled
from fieldmesh.data.capture import capture_triggers, trigger
from fieldmesh.data.model import HUB_COLUMNS, ReplicatedColumn, ReplicatedTable, Tier
from fieldmesh.data.policy import KeepDays
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import SQLITE_TYPE, Value, WireType

__all__ = [
    "PROVISIONAL_PREFIX",
    "SYNC_STATEMENTS",
    "Tier",
    "capture_triggers",
    "create_statements",
    "digest_triggers",
]

PROVISIONAL_PREFIX = "provisional_"

_NOW_US = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
"""UTC microseconds; valid on every SQLite, and the same text at device and gateway (SQLite copies
between equal tables page by page)."""
_NEW_ID = (
    "unhex(printf('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)) || '7' ||"
    " substr(hex(randomblob(2)), 2) || substr('89AB', 1 + (random() & 3), 1) ||"
    " substr(hex(randomblob(8)), 2))"
)
"""A UUIDv7 made by SQL, for programs that insert without one."""

DIGEST_TABLE = """CREATE TABLE fm_digest (
  partition INTEGER NOT NULL,
  table_no INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  low INTEGER NOT NULL,
  high INTEGER NOT NULL,
  PRIMARY KEY (partition, table_no)
) STRICT, WITHOUT ROWID"""
_STATE_TABLE = """CREATE TABLE fm_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  applying INTEGER NOT NULL DEFAULT 0,
  retired INTEGER NOT NULL DEFAULT 0,
  locked INTEGER NOT NULL DEFAULT 0,
  clock INTEGER NOT NULL DEFAULT 0,
  replacing INTEGER NOT NULL DEFAULT 0
) STRICT"""
_CHANGE_TABLE = """CREATE TABLE fm_change (
  change_no INTEGER PRIMARY KEY AUTOINCREMENT,
  table_no INTEGER NOT NULL,
  row_id BLOB NOT NULL,
  operation INTEGER NOT NULL,
  columns INTEGER NOT NULL,
  clock INTEGER NOT NULL
) STRICT"""
SYNC_STATEMENTS: tuple[str, ...] = (
    _STATE_TABLE,
    "INSERT INTO fm_state (one) VALUES (1)",
    _CHANGE_TABLE,
    DIGEST_TABLE,
)
"""What capture and digest triggers need on a device: switches, captured changes, digests."""


def create_statements(tier: Tier, dialect: str) -> list[str]:
    """CREATE TABLE and CREATE INDEX for every replicated table of a tier.

    Args:
        tier: whose database.
        dialect: ``sqlite`` or ``mssql``.
    """
    statements: list[str] = []
    for table in TABLES.values():
        if table.is_at(tier):
            statements.extend(table_statements(table, tier, dialect))
    return statements


def table_statements(table: ReplicatedTable, tier: Tier, dialect: str) -> list[str]:
    """CREATE TABLE and CREATE INDEX for one table; at a gateway also for its provisional rows."""
    statements = [
        create_table(table, tier, dialect),
        *create_indexes(table, tier, dialect),
    ]
    if tier is Tier.GATEWAY and table.device_writable:
        statements.extend(_provisional(table))
    return statements


def snapshot_statements() -> list[str]:
    """The device's tables as a gateway writes them into a snapshot.

    The id has no default (the functions in it are younger than the gateway's SQLite may be), and
    there are no indexes and no triggers.
    """
    return [
        _sqlite_table(table, table.name, Tier.DEVICE, new_id=False)
        for table in TABLES.values()
        if table.is_at(Tier.DEVICE)
    ]


def create_table(table: ReplicatedTable, tier: Tier, dialect: str) -> str:
    """CREATE TABLE for one table."""
    if dialect == "mssql":
        return _sqlserver_table(table)
    return _sqlite_table(table, table.name, tier, new_id=tier is Tier.DEVICE)


def create_indexes(table: ReplicatedTable, tier: Tier, dialect: str) -> list[str]:
    """CREATE INDEX for one table: what people search by; (partition, lsn) where deltas are read.

    At the hub also the age of rows that are kept for some days, for its daily work.
    """
    statements = []
    if tier is not Tier.DEVICE:
        statements.append(
            f"CREATE INDEX {table.name}_by_partition"
            f" ON {_quoted(table.name, dialect)} ({_quoted('partition', dialect)}, lsn)"
        )
    if tier is not Tier.GATEWAY:
        statements.extend(
            f"CREATE INDEX {table.name}_by_{column.name} ON {_quoted(table.name, dialect)}"
            f" ({_quoted(column.name, dialect)})"
            for column in table.columns
            if column.indexed or (column.ordered and tier is Tier.HUB)
        )
    rule = table.policy.retention
    if tier is Tier.HUB and isinstance(rule, KeepDays):
        places = ", ".join(_quoted(name, dialect) for name in ("partition", rule.column))
        statements.append(
            f"CREATE INDEX {table.name}_by_age ON {_quoted(table.name, dialect)} ({places})"
        )
    return statements


def _sqlite_table(table: ReplicatedTable, name: str, tier: Tier, *, new_id: bool) -> str:
    lines = [_sqlite_column(column, new_id=new_id) for column in table.columns_at(tier)]
    return f'CREATE TABLE "{name}" (\n  ' + ",\n  ".join(lines) + "\n) STRICT"


def _sqlite_column(column: ReplicatedColumn, *, new_id: bool) -> str:
    if column.name == "id":
        return '"id" BLOB PRIMARY KEY NOT NULL' + (f" DEFAULT ({_NEW_ID})" if new_id else "")
    line = f'"{column.name}" {SQLITE_TYPE[column.kind.wire]}'
    if not column.nullable:
        line += " NOT NULL"
    if column.name in {"created_at", "changed_at"}:
        return f"{line} DEFAULT ({_NOW_US})"
    return line if column.default is None else f"{line} DEFAULT {_literal(column.default)}"


def _literal(value: Value) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"x'{value.hex()}'" if isinstance(value, bytes) else str(value)


def _sqlserver_literal(column: ReplicatedColumn) -> str:
    match column.kind.wire, column.default:
        case WireType.DECIMAL, int(number):
            return str(unscaled(number, column.scale))
        case _, str(words):
            return "N" + _literal(words)
        case _, bytes(octets):
            return f"0x{octets.hex()}"
        case _:
            return str(column.default)


def _quoted(name: str, dialect: str) -> str:
    return f"[{name}]" if dialect == "mssql" else f'"{name}"'


def _sqlserver_table(table: ReplicatedTable) -> str:
    lines = []
    for column in (*table.wire_columns, *HUB_COLUMNS):
        line = _sqlserver_column(column)
        if column.name == "id":
            line += f" CONSTRAINT [{table.name}_key] PRIMARY KEY"
        lines.append(line)
    return f"CREATE TABLE [{table.name}] (\n  " + ",\n  ".join(lines) + "\n)"


def _sqlserver_column(column: ReplicatedColumn) -> str:
    line = f"[{column.name}] {column.kind.sqlserver}"
    line += " NULL" if column.nullable else " NOT NULL"
    if column.default is not None and column.kind.wire is not WireType.TIME:
        line += f" DEFAULT {_sqlserver_literal(column)}"
    return line


def _provisional(table: ReplicatedTable) -> list[str]:
    name = PROVISIONAL_PREFIX + table.name
    lines = ['"id" BLOB NOT NULL']
    lines += [_sqlite_column(column, new_id=False) for column in table.wire_columns[1:]]
    lines += [
        '"device_id" BLOB NOT NULL' if column == "device_id" else f'"{column}" INTEGER NOT NULL'
        for column in ("device_id", "device_epoch", "sequence", "operation")
        if not table.has_column(column)
    ]
    lines.append('UNIQUE ("id", "device_id", "device_epoch", "sequence")')
    return [
        f'CREATE TABLE "{name}" (\n  ' + ",\n  ".join(lines) + "\n) STRICT",
        f'CREATE INDEX "{name}_by_batch" ON "{name}" (device_id, device_epoch, sequence)',
        f'CREATE INDEX "{name}_by_partition" ON "{name}" (partition)',
    ]


def add_columns(
    table: ReplicatedTable, columns: Iterable[ReplicatedColumn], name: str | None = None
) -> list[str]:
    """ALTER TABLE … ADD COLUMN for a SQLite database that is older than the schema.

    Rows that are there get the column's neutral value: SQLite adds a NOT NULL column only with a
    default.

    Args:
        table: the table as it is now.
        columns: which of its columns are not there yet.
        name: what the table is called there, for provisional tables; the table's own name if None.
    """
    return [
        f'ALTER TABLE "{name or table.name}" ADD COLUMN {_added_column(column)}'
        for column in columns
    ]


def add_hub_columns(
    table: ReplicatedTable, columns: Iterable[ReplicatedColumn], dialect: str
) -> list[str]:
    """ALTER TABLE … ADD for a hub's database that is older than the schema.

    Args:
        table: the table as it is now.
        columns: which of its columns are not there yet.
        dialect: ``sqlite`` or ``mssql``.
    """
    if dialect == "sqlite":
        return add_columns(table, columns)
    return [f"ALTER TABLE [{table.name}] ADD {_sqlserver_column(column)}" for column in columns]


def _added_column(column: ReplicatedColumn) -> str:
    line = f'"{column.name}" {column.kind.sqlite}'
    if not column.nullable:
        line += " NOT NULL"
    return line if column.neutral is None else f"{line} DEFAULT {_literal(column.neutral)}"


def digest_triggers(table: ReplicatedTable) -> list[str]:
    """`fm_digest` follows every change of the table (core.md, section 3).

    Rows with lsn 0 don't count. `INSERT OR REPLACE` into such a table would delete a row without
    the triggers being told: nobody may use it there.
    """
    low, high = "(%s.row_hash & 4294967295)", "(%s.row_hash >> 32)"
    place = f"WHERE partition = OLD.partition AND table_no = {table.number}"
    add = (
        f"INSERT INTO fm_digest SELECT NEW.partition, {table.number}, 1,"
        f" {low % 'NEW'}, {high % 'NEW'} WHERE NEW.lsn > 0"
        " ON CONFLICT (partition, table_no) DO UPDATE SET rows = rows + 1,"
        " low = low + excluded.low, high = high + excluded.high;"
    )
    take = (
        f"UPDATE fm_digest SET rows = rows - 1, low = low - {low % 'OLD'},"  # noqa: S608
        f" high = high - {high % 'OLD'} {place} AND OLD.lsn > 0;"
    )
    change = (
        f"UPDATE fm_digest SET low = low + {low % 'NEW'} - {low % 'OLD'},"  # noqa: S608
        f" high = high + {high % 'NEW'} - {high % 'OLD'} {place};"
    )
    stays = "OLD.partition = NEW.partition AND OLD.lsn > 0 AND NEW.lsn > 0"
    updated = "AFTER UPDATE OF partition, lsn, row_hash"
    return [
        trigger(table, "digest_insert", "AFTER INSERT", "NEW.lsn > 0", add),
        trigger(table, "digest_delete", "AFTER DELETE", "OLD.lsn > 0", take),
        trigger(table, "digest_change", updated, stays, change),
        trigger(table, "digest_move", updated, f"NOT ({stays})", f"{take} {add}"),
    ]
