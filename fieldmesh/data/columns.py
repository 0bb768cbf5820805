"""Short names for the columns that tables are made of."""

from dataclasses import replace

from fieldmesh.basics.money import QUANTITY_PRECISION, QUANTITY_SCALE
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.types import ColumnKind, Value, WireType


def link(
    name: str, references: str | None = None, *, null: bool = False, indexed: bool = False
) -> ReplicatedColumn:
    """An identifier, usually of a row of the table ``references``."""
    return ReplicatedColumn(
        name, ColumnKind(WireType.IDENTIFIER), null, indexed=indexed, references=references
    )


def text(
    name: str,
    most: int = 200,
    *,
    null: bool = True,
    default: str | None = None,
    indexed: bool = False,
) -> ReplicatedColumn:
    """A text of at most ``most`` characters."""
    return ReplicatedColumn(
        name, ColumnKind(WireType.TEXT, most), null, default=default, indexed=indexed
    )


def code(
    name: str = "code", *, null: bool = False, default: str | None = None, ordered: bool = False
) -> ReplicatedColumn:
    """A short code of at most 40 characters; ``ordered`` where there are so many that lists need an index."""
    return replace(text(name, 40, null=null, default=default), ordered=ordered)


def number() -> ReplicatedColumn:
    """The number of a document: head office has an index for it, because people look for its beginning."""
    return replace(text("number", 60, null=False, default=""), ordered=True)


def state(name: str = "state", default: str = "new") -> ReplicatedColumn:
    """A state of `fieldmesh.data.states`."""
    return text(name, 40, null=False, default=default)


def whole(name: str, *, null: bool = True, default: Value = None) -> ReplicatedColumn:
    """A whole number."""
    return ReplicatedColumn(name, ColumnKind(WireType.INTEGER), null, default=default)


def flag(name: str, *, default: int = 0) -> ReplicatedColumn:
    """Yes (1) or no (0)."""
    return ReplicatedColumn(name, ColumnKind(WireType.BOOLEAN), nullable=False, default=default)


def date(name: str, *, null: bool = True, indexed: bool = False) -> ReplicatedColumn:
    """A day, YYYY-MM-DD."""
    return ReplicatedColumn(name, ColumnKind(WireType.DATE), null, indexed=indexed)


def time(name: str, *, null: bool = True) -> ReplicatedColumn:
    """A moment, UTC microseconds."""
    return ReplicatedColumn(name, ColumnKind(WireType.TIME), null)


def decimal(
    name: str, precision: int, scale: int, *, null: bool = True, default: Value = None
) -> ReplicatedColumn:
    """A decimal of ``precision`` digits, ``scale`` of them after the point."""
    return ReplicatedColumn(
        name, ColumnKind(WireType.DECIMAL, precision, scale), null, default=default
    )


def money(name: str, *, null: bool = True, default: Value = None) -> ReplicatedColumn:
    """An amount of money, numeric(15, 2)."""
    return decimal(name, 15, 2, null=null, default=default)


def price(name: str, *, null: bool = True) -> ReplicatedColumn:
    """A price, numeric(15, 5)."""
    return decimal(name, 15, 5, null=null)


def quantity(name: str, *, null: bool = True, default: Value = None) -> ReplicatedColumn:
    """A quantity, numeric(14, 3)."""
    return decimal(name, QUANTITY_PRECISION, QUANTITY_SCALE, null=null, default=default)


def percent(name: str, *, null: bool = True) -> ReplicatedColumn:
    """A percentage, numeric(7, 3)."""
    return decimal(name, 7, 3, null=null)


def place() -> tuple[ReplicatedColumn, ReplicatedColumn]:
    """Latitude and longitude in degrees, numeric(9, 6)."""
    return decimal("latitude", 9, 6), decimal("longitude", 9, 6)


def binary(name: str, most: int = 0, *, null: bool = True) -> ReplicatedColumn:
    """At most ``most`` bytes; tables that are not replicated need not say how many."""
    return ReplicatedColumn(name, ColumnKind(WireType.BINARY, most), null)


def digest(name: str, *, null: bool = True) -> ReplicatedColumn:
    """The SHA-256 of a file."""
    return binary(name, 32, null=null)


def since(version: int, column: ReplicatedColumn) -> ReplicatedColumn:
    """The column, added to a table that nodes of older releases have without it.

    At its neutral value it counts for no hash, so that rows which were there before stay equal at
    nodes that know it and at nodes that don't yet.

    Args:
        version: `SCHEMA_VERSION` of the release that adds it.
        column: may be null and then has no default, or has one and may not be null: otherwise two
            contents of a row would have one hash.

    Raises:
        ValueError: the column has both or neither.
    """
    if column.nullable != (column.default is None):
        raise ValueError(column.name)
    return replace(column, since=version)
