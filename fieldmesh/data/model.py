"""A replicated table: its columns, its number and its policy, said once."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from fieldmesh.data.policy import (
    Audience,
    Conflict,
    Follows,
    HubOnly,
    Policy,
    WriterRole,
    rules_of,
)
from fieldmesh.data.types import ColumnKind, Value, WireType

if TYPE_CHECKING:
    import sqlalchemy as sa


class Tier(StrEnum):
    """Where a table stands."""

    DEVICE = "device"
    GATEWAY = "gateway"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class ReplicatedColumn:
    """One column.

    Attributes:
        name: the same in code, SQL, wire and documents.
        kind: what it holds.
        nullable: whether it may be null.
        default: value in storage form where a writer gives none.
        indexed: whether people search by it.
        ordered: whether long lists at head office stand in its order, or are searched by it: the hub alone has an
            index for it.
        since: schema version in which it was added to a table that was there before; see
            `fieldmesh.data.columns.since`.
        references: table whose id it holds. Not enforced as a SQL foreign key anywhere, because
            scope makes parents absent; it gives the order of tables and what depends on what.
    """

    name: str
    kind: ColumnKind
    nullable: bool
    default: Value = None
    indexed: bool = False
    ordered: bool = False
    references: str | None = None
    since: int = 1

    @property
    def wire_type(self) -> WireType:
        """How it travels."""
        return self.kind.wire

    @property
    def scale(self) -> int:
        """Digits after the point of a decimal; 0 for others."""
        return self.kind.scale

    @property
    def neutral(self) -> Value:
        """What stands for a missing value: the default, null, or the type's empty value."""
        if self.default is not None or self.nullable:
            return self.default
        match self.kind.wire:
            case WireType.TEXT | WireType.DATE:
                return ""
            case WireType.IDENTIFIER:
                return bytes(16)
            case WireType.BINARY:
                return b""
            case _:
                return 0


def _whole(name: str) -> ReplicatedColumn:
    return ReplicatedColumn(name, ColumnKind(WireType.INTEGER), nullable=False, default=0)


ID = ReplicatedColumn("id", ColumnKind(WireType.IDENTIFIER), nullable=False)
CREATED_AT = ReplicatedColumn("created_at", ColumnKind(WireType.TIME), nullable=False, default=0)
CHANGED_AT = ReplicatedColumn("changed_at", ColumnKind(WireType.TIME), nullable=False, default=0)
PARTITION, LSN, ROW_HASH = _whole("partition"), _whole("lsn"), _whole("row_hash")
SYSTEM_COLUMNS = (ID, CREATED_AT, CHANGED_AT, PARTITION, LSN, ROW_HASH)
"""Columns that every replicated table begins with, at every tier."""
HUB_COLUMNS = (
    ReplicatedColumn("origin_device_id", ColumnKind(WireType.IDENTIFIER), nullable=True),
    ReplicatedColumn("received_at", ColumnKind(WireType.TIME), nullable=True),
    ReplicatedColumn("deleted", ColumnKind(WireType.BOOLEAN), nullable=False, default=0),
)
"""Columns that only the hub has, at the end."""


@dataclass(frozen=True)
class ReplicatedTable:
    """One table.

    Attributes:
        name: the same in code, SQL, wire and documents.
        number: never changed, never used twice; names the table in compact places.
        policy: where its rows live and who may write them.
        columns: business columns, in order.
        download_priority: lower comes first in a full sync.
        since: schema version that brought the table; older nodes get and prove nothing of it.
    """

    name: str
    number: int
    policy: Policy
    columns: tuple[ReplicatedColumn, ...]
    download_priority: int = 50
    since: int = 1
    _by_name: dict[str, ReplicatedColumn] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """The columns can be found by name."""
        self._by_name.update({column.name: column for column in self.wire_columns})

    @cached_property
    def wire_columns(self) -> tuple[ReplicatedColumn, ...]:
        """System and business columns: what device and gateway hold and the wire carries."""
        return (*SYSTEM_COLUMNS, *self.columns)

    @cached_property
    def wire_names(self) -> tuple[str, ...]:
        """Names of `wire_columns`."""
        return tuple(column.name for column in self.wire_columns)

    @cached_property
    def parents(self) -> tuple[tuple[str, str], ...]:
        """(column, table) of every reference to another table."""
        return tuple(
            (column.name, column.references) for column in self.columns if column.references
        )

    @cached_property
    def follows(self) -> tuple[tuple[str, str], ...]:
        """(column, table) of the parents that this table's rows follow."""
        return tuple(
            (rule.column, rule.table)
            for rule in rules_of(self.policy.partition)
            if isinstance(rule, Follows)
        )

    @property
    def device_writable(self) -> bool:
        """Whether some device may write it."""
        return bool(self.policy.writers - {WriterRole.HUB})

    @property
    def upload_only(self) -> bool:
        """Whether devices write it and nobody gets it back."""
        return self.device_writable and isinstance(self.policy.partition, HubOnly)

    @property
    def merges(self) -> bool:
        """Whether writes are merged column by column."""
        return self.policy.conflict is Conflict.MERGE_COLUMNS

    def column(self, name: str) -> ReplicatedColumn:
        """The column of that name, system columns included.

        Raises:
            KeyError: there is none.
        """
        return self._by_name[name]

    def has_column(self, name: str) -> bool:
        """Whether there is a column of that name."""
        return name in self._by_name

    def is_at(self, tier: Tier) -> bool:
        """Whether nodes of that tier have the table."""
        if tier is Tier.HUB:
            return True
        if tier is Tier.GATEWAY:
            return self.policy.audience is not Audience.HUB
        return self.policy.audience is Audience.DEVICE or self.device_writable

    def columns_at(self, tier: Tier) -> tuple[ReplicatedColumn, ...]:
        """All its columns at that tier, in order."""
        return (*self.wire_columns, *HUB_COLUMNS) if tier is Tier.HUB else self.wire_columns

    def sql_table(self, tier: Tier, metadata: "sa.MetaData | None" = None) -> "sa.Table":
        """The SQLAlchemy table; values go in and come out in storage form."""
        import sqlalchemy as sa  # noqa: PLC0415 - only the hub needs it: 0.4 s of start and 30 MiB

        columns = [
            sa.Column(
                column.name,
                column.kind.sql_type(),
                primary_key=column.name == "id",
                nullable=column.nullable,
            )
            for column in self.columns_at(tier)
        ]
        return sa.Table(self.name, metadata if metadata is not None else sa.MetaData(), *columns)


def replicated(
    name: str,
    number: int,
    policy: Policy,
    *columns: ReplicatedColumn | tuple[ReplicatedColumn, ...],
    priority: int = 50,
    since: int = 1,
) -> ReplicatedTable:
    """A table of these columns; a tuple of columns stands for its members."""
    flat: list[ReplicatedColumn] = []
    for column in columns:
        flat.extend(column if isinstance(column, tuple) else (column,))
    return ReplicatedTable(name, number, policy, tuple(flat), priority, since)
