"""Column types: one description each for SQLite, SQL Server and the wire.

Storage form on SQLite: identifiers BLOB(16), decimals scaled INTEGER, times INTEGER (UTC microseconds), dates TEXT
YYYY-MM-DD, booleans INTEGER 0/1. SQL Server: BINARY(16) (a uniqueidentifier would sort by its last six bytes and lose
the order of UUIDv7), DECIMAL, DATETIME2(6), DATE, BIT, NVARCHAR. There are no floats.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import override

from fieldmesh.basics.money import scaled, unscaled

Value = int | str | bytes | None
"""A value in storage form."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_MOST_NVARCHAR = 4000


class WireType(IntEnum):
    """Numbers of `ColumnType` in table.proto."""

    INTEGER = 1
    BOOLEAN = 2
    DECIMAL = 3
    TIME = 4
    DATE = 5
    TEXT = 6
    IDENTIFIER = 7
    BINARY = 8


SQLITE_TYPE = {
    WireType.INTEGER: "INTEGER",
    WireType.BOOLEAN: "INTEGER",
    WireType.DECIMAL: "INTEGER",
    WireType.TIME: "INTEGER",
    WireType.DATE: "TEXT",
    WireType.TEXT: "TEXT",
    WireType.IDENTIFIER: "BLOB",
    WireType.BINARY: "BLOB",
}


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """What a column holds.

    Attributes:
        wire: how it travels.
        precision: digits of a decimal, most characters of a text, most bytes of a binary.
        scale: digits after the point of a decimal.
    """

    wire: WireType
    precision: int = 0
    scale: int = 0

    @property
    def sqlite(self) -> str:
        """The STRICT type on SQLite."""
        return SQLITE_TYPE[self.wire]

    def sql_type(self) -> TypeEngine[object]:
        """The SQLAlchemy type; values go in and come out in storage form."""
        return StorageForm(self)

    def native(self, dialect: str) -> TypeEngine[object]:
        """The type of the database itself.

        Args:
            dialect: ``sqlite`` or ``mssql``.
        """
        if dialect == "mssql":
            return self._native_sqlserver()
        match self.wire:
            case WireType.TEXT | WireType.DATE:
                return sa.Text()
            case WireType.IDENTIFIER | WireType.BINARY:
                return sa.LargeBinary()
            case _:
                return sa.BigInteger()

    def _native_sqlserver(self) -> TypeEngine[object]:
        types: dict[WireType, TypeEngine[object]] = {
            WireType.INTEGER: sa.BigInteger(),
            WireType.BOOLEAN: mssql.BIT(),
            WireType.DECIMAL: sa.Numeric(self.precision or 18, self.scale),
            WireType.TIME: mssql.DATETIME2(6),
            WireType.DATE: sa.Date(),
            WireType.TEXT: sa.Unicode(self.precision if 0 < self.precision <= _MOST_NVARCHAR else None),
            WireType.IDENTIFIER: mssql.BINARY(16),
            WireType.BINARY: mssql.VARBINARY("max"),
        }
        return types[self.wire]


class StorageForm(TypeDecorator[object]):
    """Values in storage form on every database; SQL Server gets its native types underneath."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, kind: ColumnKind) -> None:
        """A column of ``kind``."""
        self.kind = kind
        super().__init__()

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[object]:
        return dialect.type_descriptor(self.kind.native(dialect.name))

    @override
    def process_bind_param(self, value: object | None, dialect: Dialect) -> object | None:
        if value is None or dialect.name != "mssql":
            return value
        match self.kind.wire, value:
            case WireType.DECIMAL, int():
                return unscaled(value, self.kind.scale)
            case WireType.TIME, int():
                return (_EPOCH + value * _MICROSECOND).replace(tzinfo=None)
            case WireType.DATE, str():
                return datetime.date.fromisoformat(value)
            case _:
                return value

    @override
    def process_result_value(self, value: object | None, dialect: Dialect) -> object | None:
        match self.kind.wire, value:
            case WireType.DECIMAL, Decimal():
                return scaled(value, self.kind.scale)
            case WireType.TIME, datetime.datetime():
                return (value.replace(tzinfo=datetime.UTC) - _EPOCH) // _MICROSECOND
            case WireType.DATE, datetime.date():
                return value.isoformat()
            case WireType.BOOLEAN, bool():
                return int(value)
            case _:
                return value

    @property
    @override
    def python_type(self) -> type:
        return object
