"""Storage form on every database, for SQLAlchemy. Only the hub loads this file.

SQL Server gets its native types underneath: BINARY(16) (a uniqueidentifier would sort by its last
six bytes and lose the order of UUIDv7), DECIMAL, DATETIME2(6), DATE, BIT, NVARCHAR.
"""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.operators import OperatorClass
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import override

from fieldmesh.basics.money import scaled, unscaled
from fieldmesh.data.wire_types import WireType

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_MOST_NVARCHAR = 4000
_BY_CODE_POINT = "Latin1_General_100_BIN2"
"""Texts are compared and ordered as in SQLite: searches, keys and cursors reckon with it."""
_Processor = Callable[[Any], Any]
_SQLSERVER = mssql.dialect()  # type: ignore[no-untyped-call]


def native_type(wire: WireType, precision: int, scale: int, dialect: str) -> TypeEngine[Any]:
    """The type of the database itself.

    Args:
        wire: what the column holds.
        precision: digits of a decimal, most characters of a text.
        scale: digits after the point of a decimal.
        dialect: ``sqlite`` or ``mssql``.
    """
    if dialect == "mssql":
        return _native_sqlserver(wire, precision, scale)
    match wire:
        case WireType.TEXT | WireType.DATE:
            return sa.Text()
        case WireType.IDENTIFIER | WireType.BINARY:
            return sa.LargeBinary()
        case _:
            return sa.BigInteger()


def _text_sqlserver(characters: int) -> TypeEngine[Any]:
    """Room for as many characters; some are two of its units."""
    units = 2 * characters
    return sa.Unicode(units if 0 < units <= _MOST_NVARCHAR else None, collation=_BY_CODE_POINT)


def _native_sqlserver(wire: WireType, precision: int, scale: int) -> TypeEngine[Any]:
    types: dict[WireType, TypeEngine[Any]] = {
        WireType.INTEGER: sa.BigInteger(),
        WireType.BOOLEAN: mssql.BIT(),
        WireType.DECIMAL: sa.Numeric(precision or 18, scale),
        WireType.TIME: mssql.DATETIME2(6),  # type: ignore[no-untyped-call]
        WireType.DATE: sa.Date(),
        WireType.TEXT: _text_sqlserver(precision),
        WireType.IDENTIFIER: mssql.BINARY(16),
        WireType.BINARY: mssql.VARBINARY("max"),  # type: ignore[no-untyped-call]
    }
    return types[wire]


def sqlserver_type(wire: WireType, precision: int, scale: int) -> str:
    """The type as SQL Server writes it."""
    return native_type(wire, precision, scale, "mssql").compile(dialect=_SQLSERVER)


class StorageForm(TypeDecorator[Any]):
    """Values in storage form on every database; SQLite's values are in it as they are."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = sa.LargeBinary
    cache_ok: bool | None = True
    operator_classes: ClassVar[OperatorClass] = OperatorClass.ANY
    """Texts, numbers or bytes: without it, comparing beginnings of texts is about to be refused."""

    def __init__(self, wire: WireType, precision: int = 0, scale: int = 0) -> None:
        """A column of this wire type; precision and scale as in `native_type`."""
        self.wire = wire
        self.precision = precision
        self.scale = scale
        super().__init__()

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        native = native_type(self.wire, self.precision, self.scale, dialect.name)
        return dialect.type_descriptor(native)

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name != "mssql":
            return value
        match self.wire, value:
            case WireType.DECIMAL, int():
                return unscaled(value, self.scale)
            case WireType.TIME, int():
                return (_EPOCH + value * _MICROSECOND).replace(tzinfo=None)
            case WireType.DATE, str():
                return datetime.date.fromisoformat(value)
            case _:
                return value

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        match self.wire, value:
            case WireType.DECIMAL, Decimal():
                return scaled(value, self.scale)
            case WireType.TIME, datetime.datetime():
                return (value.replace(tzinfo=datetime.UTC) - _EPOCH) // _MICROSECOND
            case WireType.DATE, datetime.date():
                return value.isoformat()
            case WireType.BOOLEAN, bool():
                return int(value)
            case _:
                return value

    @override
    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor | None:
        return None if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    @override
    def bind_processor(self, dialect: Dialect) -> _Processor | None:
        return None if dialect.name == "sqlite" else super().bind_processor(dialect)

    @property
    @override
    def python_type(self) -> type:
        return object
