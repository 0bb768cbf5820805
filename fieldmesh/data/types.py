"""Column types: one description each for SQLite, SQL Server and the wire.

Storage form on SQLite: identifiers BLOB(16), decimals scaled INTEGER, times INTEGER (UTC
microseconds), dates TEXT YYYY-MM-DD, booleans INTEGER 0/1. There are no floats. What SQLAlchemy and
SQL Server make of it stands in `sql_types`, which is loaded on first use: device and gateway never
need it, and it costs 0.4 s of start and 30 MiB.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fieldmesh.data.wire_types import WireType

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

__all__ = ["SQLITE_TYPE", "ColumnKind", "Value", "WireType", "as_bytes"]

Value = int | str | bytes | None
"""A value in storage form."""


def as_bytes(value: object) -> bytes:
    """An identifier or digest as it is; empty for anything else, such as NULL."""
    return value if isinstance(value, bytes) else b""


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

    @property
    def sqlserver(self) -> str:
        """The type on SQL Server."""
        from fieldmesh.data.sql_types import sqlserver_type  # noqa: PLC0415 - see above

        return sqlserver_type(self.wire, self.precision, self.scale)

    def sql_type(self) -> "TypeEngine[Any]":
        """The SQLAlchemy type; values go in and come out in storage form."""
        from fieldmesh.data.sql_types import StorageForm  # noqa: PLC0415 - see above

        return StorageForm(self.wire, self.precision, self.scale)
