"""How many parts a message would unfold to, found before it is unfolded.

A few megabytes of empty messages would become gigabytes of objects. The scan stops at its limit, so
it costs as much as the limit and not as much as a stranger chooses.
"""

from collections.abc import Iterator

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_MOST_VARINT_BYTES = 10
_CONTINUES = 0x80
_BODY_CHANGES, _CHANGE_DATA, _DATA_COLUMNS = 1, 2, 3
_MOST_FIELDS_OF_CHANGE = 64
_MOST_FIELDS_OF_TABLE = limits.TABLE_COLUMNS + 8
_MOST_FIELDS_OF_BODY = limits.BATCH_COLUMNS + 16 * limits.BATCH_CHANGES
"""Looked at in 0.1 s, where each level's own limit alone would let 27 million through."""

_Part = tuple[int, int, int]
"""Number of a field, and where its content starts and ends."""


def check_table(content: bytes) -> None:
    """A serialized TableData has no more columns than are allowed.

    Raises:
        Rejected: `bad_table_data`.
    """
    _check_table(content, 0, len(content))


def check_body(content: bytes) -> None:
    """A serialized BatchBody has no more changes and columns than are allowed, each for itself and all together.

    Raises:
        Rejected: `bad_batch` or `bad_table_data`.
    """
    left = _MOST_FIELDS_OF_BODY
    fields = _fields(content, 0, len(content))
    for changes, (number, start, end) in enumerate(fields, start=1):
        if changes > limits.BATCH_CHANGES:
            raise Rejected("bad_batch", place="number of changes")
        if number == _BODY_CHANGES:
            left -= _check_change(content, start, end)
        if left < 0:
            raise Rejected("bad_batch", place="number of columns of all changes")


def _check_change(content: bytes, start: int, end: int) -> int:
    """Returns the number of fields. A second table would be merged with the first, so there is one."""
    fields = _fields(content, start, end)
    count, inside, tables = 0, 0, 0
    for count, (number, first, last) in enumerate(fields, start=1):
        tables += number == _CHANGE_DATA
        if count > _MOST_FIELDS_OF_CHANGE or tables > 1:
            raise Rejected("bad_batch", place="fields of a change")
        if number == _CHANGE_DATA:
            inside = _check_table(content, first, last)
    return count + inside


def _check_table(content: bytes, start: int, end: int) -> int:
    """Returns the number of fields."""
    count = 0
    for _ in _fields(content, start, end):
        count += 1
        if count > _MOST_FIELDS_OF_TABLE:
            raise Rejected("bad_table_data", place="number of columns")
    return count


def _fields(content: bytes, start: int, end: int) -> Iterator[_Part]:
    """The fields of a message that lies between two places."""
    while start < end:
        tag, start = _varint(content, start, end)
        kind = tag & 7
        if kind == _VARINT:
            _, after = _varint(content, start, end)
        elif kind == _BYTES:
            size, start = _varint(content, start, end)
            after = start + size
        elif kind in _FIXED_BYTES:
            after = start + _FIXED_BYTES[kind]
        else:
            raise Rejected("bad_message", place="wire type")
        if after > end:
            raise Rejected("bad_message", place="size of a field")
        yield tag >> 3, start, after
        start = after


def _varint(content: bytes, start: int, end: int) -> tuple[int, int]:
    value = 0
    for place in range(start, min(end, start + _MOST_VARINT_BYTES)):
        byte = content[place]
        value |= (byte & (_CONTINUES - 1)) << (7 * (place - start))
        if byte < _CONTINUES:
            return value, place + 1
    raise Rejected("bad_message", place="number")
