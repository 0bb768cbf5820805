"""The numbers by which column types are named on the wire and in the schema."""

from enum import IntEnum


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
