"""Row hashes (docs/architecture/core.md, section 3): equal hashes = equal rows, in any language."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from struct import unpack

from fieldmesh.codec.columns import TableRows
from fieldmesh.data.model import HUB_COLUMNS, ReplicatedTable
from fieldmesh.data.types import Value, WireType

NOT_HASHED = frozenset({"partition", "lsn", "row_hash", *(column.name for column in HUB_COLUMNS)})
"""Columns that do not go into the text; lsn stands at its head."""
_DROPPED_BITS = 2
_BYTES = frozenset({WireType.IDENTIFIER, WireType.BINARY})
_AFTER_NAME, _AFTER_VALUE = "\x1f", "\x1e"

_Shape = tuple[tuple[bool, bool], ...]
"""Of each column whose values differ: whether they are bytes, whether there are nulls among them."""
_Texts = Callable[..., list[str]]


def row_hashes(rows: TableRows, table: ReplicatedTable) -> list[int]:
    """The hash of each row, 62 bits.

    Args:
        rows: with `lsn` and every column that may be non-null.
        table: their table.
    """
    texts = _texts(rows, table)
    digests = b"".join([blake2b(text.encode(), digest_size=8).digest() for text in texts])
    return [value >> _DROPPED_BITS for value in unpack(f">{len(texts)}Q", digests)]


def _texts(rows: TableRows, table: ReplicatedTable) -> list[str]:
    """The text of each row. What all rows have in common, which is most of it, is written once."""
    count = rows.row_count
    if not count:
        return []
    fixed: list[str] = [table.name]
    heads: list[str] = []
    shape: list[tuple[bool, bool]] = []
    varying: list[list[Value]] = []
    for name in ("lsn", *sorted(set(rows.names) - NOT_HASHED)):
        values = rows.column(name)
        column = table.column(name)
        if column.since > 1:  # Its default was not in the hashes of before.
            values = [None if value == column.neutral else value for value in values]
        head = f"{'' if name == 'lsn' else name}{_AFTER_NAME}"
        if values.count(values[0]) == count:
            fixed[-1] += _piece(head, values[0])
            continue
        nulls = None in values
        fixed[-1] += "" if nulls else head
        fixed.append("" if nulls else _AFTER_VALUE)
        heads.append(head)
        shape.append((column.wire_type in _BYTES, nulls))
        varying.append(values)
    return _writer(tuple(shape))(*fixed, *heads, varying) if varying else fixed * count


def _piece(head: str, value: Value) -> str:
    if value is None:
        return ""
    return f"{head}{value.hex() if isinstance(value, bytes) else value}{_AFTER_VALUE}"


@lru_cache(maxsize=512)
def _writer(shape: _Shape) -> _Texts:
    """Made once for columns of that shape: the function that sets values between fixed texts."""
    text = "{f0}"
    for place, (is_bytes, nulls) in enumerate(shape, start=1):
        value = f"{{v{place}.hex()}}" if is_bytes else f"{{v{place}}}"
        if nulls:
            value = f"{{'' if v{place} is None else f'{{h{place}}}{value}{{end}}'}}"
        text += f"{value}{{f{place}}}"
    places = range(1, len(shape) + 1)
    arguments = [f"f{place}" for place in (0, *places)] + [f"h{place}" for place in places]
    values = "".join(f"v{place}, " for place in places)
    source = f'lambda {", ".join(arguments)}, columns: [f"{text}" for {values} in zip(*columns)]'
    made: _Texts = eval(source, {"zip": zip, "end": _AFTER_VALUE})  # noqa: S307 - made of numbers only
    return made
