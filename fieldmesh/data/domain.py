"""What a column can hold, beyond its type: one rule each, as Python bounds and as SQL.

Devices refuse other values when they are written (`capture`), in words; what a stranger's batch
brings all the same costs its own row at the hub (`fieldmesh.codec.fitting`).
"""

from fieldmesh.basics.limits import TEXT_BYTES
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.types import Value, WireType

FIRST_TIME_US = -62_135_596_800_000_000
"""0001-01-01T00:00:00Z: the oldest moment that every database holds."""
LAST_TIME_US = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z: the last one."""
MOST_DIGITS = 18
"""Of a decimal for which the schema gives no number of digits."""
SEPARATORS = ("\x1e", "\x1f")
"""Characters that no text may hold: the hub joins and splits texts by them."""
NO_ID: Value = bytes(16)
"""What stands for a null on the wire: as an id it would be the same row for all who make that mistake."""
_ID_BYTES = 16
_MOST_UTF8_BYTES = 4
_MOST = {
    WireType.TEXT: TEXT_BYTES,
    WireType.DECIMAL: MOST_DIGITS,
}
_WORDS = {
    WireType.INTEGER: "a whole number",
    WireType.BOOLEAN: "0 or 1",
    WireType.DECIMAL: "a scaled whole number of at most {most} digits",
    WireType.TIME: "UTC microseconds between the years 1 and 9999",
    WireType.DATE: "a day is YYYY-MM-DD",
    WireType.TEXT: "at most {most} characters of text, no U+001E or U+001F",
    WireType.IDENTIFIER: "a key is 16 bytes and not all zeros",
    WireType.BINARY: "at most {most} bytes",
}


def bounds(column: ReplicatedColumn) -> tuple[int, int]:
    """The lowest and the highest number of a boolean, time or decimal, in storage form."""
    match column.wire_type:
        case WireType.BOOLEAN:
            return 0, 1
        case WireType.TIME:
            return FIRST_TIME_US, LAST_TIME_US
        case _:
            most = 10 ** (column.kind.precision or MOST_DIGITS) - 1
            return -most, most


def misfit(column: ReplicatedColumn, value: str) -> str | None:
    """SQL that is true for a value which the column can't hold; None = it holds all of its type.

    Text counts to its first NUL in SQLite, so its bytes are limited too.

    Args:
        column: of which table does not matter.
        value: SQL of the value, as ``NEW."name"``; a null is no misfit.
    """
    match column.wire_type:
        case WireType.DATE:
            return f"(date({value}) IS NOT {value} OR {value} < '0001')"
        case WireType.TEXT:
            most = column.kind.precision or _MOST[WireType.TEXT]
            most_bytes = min(most * _MOST_UTF8_BYTES, TEXT_BYTES)
            separated = "".join(f" OR instr({value}, char({ord(one)}))" for one in SEPARATORS)
            too_long = f"length({value}) > {most} OR length(CAST({value} AS BLOB)) > {most_bytes}"
            return f"({too_long}{separated})"
        case WireType.BOOLEAN | WireType.DECIMAL | WireType.TIME:
            low, high = bounds(column)
            return f"({value} NOT BETWEEN {low} AND {high})"
        case WireType.IDENTIFIER:
            none = f" OR {value} = zeroblob({_ID_BYTES})" if column.name == "id" else ""
            return f"(length({value}) <> {_ID_BYTES}{none})"
        case WireType.BINARY:
            return f"(length({value}) > {column.kind.precision})"
        case _:
            return None


def described(column: ReplicatedColumn) -> str:
    """What the column holds, in words for the author of a program that writes by SQL."""
    most = column.kind.precision or _MOST.get(column.wire_type, 0)
    return _WORDS[column.wire_type].format(most=most)
