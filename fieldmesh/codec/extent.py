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

_Part = tuple[int, int, int]
"""Number of a field, and where its content starts and ends."""


def check_table(content: bytes) -> None:
    """A serialized TableData has no more columns than are allowed.

    Raises:
        Rejected: `bad_table_data`.
    """
    _check_table(content, 0, len(content))


def check_body(content: bytes) -> None:
    """A serialized BatchBody has no more changes and columns than are allowed.

    Raises:
        Rejected: `bad_batch` or `bad_table_data`.
    """
    fields = _fields(content, 0, len(content))
    for changes, (number, start, end) in enumerate(fields, start=1):
        if changes > limits.BATCH_CHANGES:
            raise Rejected("bad_batch", place="number of changes")
        if number == _BODY_CHANGES:
            _check_change(content, start, end)


def _check_change(content: bytes, start: int, end: int) -> None:
    fields = _fields(content, start, end)
    for count, (number, first, last) in enumerate(fields, start=1):
        if count > _MOST_FIELDS_OF_CHANGE:
            raise Rejected("bad_batch", place="fields of a change")
        if number == _CHANGE_DATA:
            _check_table(content, first, last)


def _check_table(content: bytes, start: int, end: int) -> None:
    for count, _ in enumerate(_fields(content, start, end), start=1):
        if count > _MOST_FIELDS_OF_TABLE:
            raise Rejected("bad_table_data", place="number of columns")


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
