"""Frames: compressed table data, one by one or as a stream of bytes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import zstandard
from google.protobuf.message import DecodeError

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import TableRows, decode_table, encode_table
from fieldmesh.codec.extent import check_table
from fieldmesh.data.schema import TABLES
from fieldmesh.wire.v1 import table_pb2

LEVEL = 1
"""zstd level; measured on rows of this kind, 3 saves 6 % of bytes for twice the time."""
_VARINT_MOST_BYTES = 5
_CONTINUES = 0x80
_ENVELOPE_BYTES = 1024
"""What stands in a frame besides its compressed rows: numbers and the name of a table."""


class FrameKind(IntEnum):
    """Numbers of `FrameKind` in table.proto."""

    ROWS = 1
    REMOVALS = 2
    PROVISIONAL = 3
    REPLACE = 4


@dataclass(frozen=True, slots=True)
class RowRange:
    """The rows of one table in one partition whose id's last byte lies between two values."""

    partition: int
    table: str
    first_byte: int = 0
    last_byte: int = 255


@dataclass(frozen=True, slots=True)
class UnpackedFrame:
    """A frame as a node works with it."""

    kind: FrameKind
    rows: TableRows
    range: RowRange | None = None


def pack_frame(kind: int, rows: TableRows, range_: RowRange | None = None) -> table_pb2.Frame:
    """The rows as one frame.

    Raises:
        Rejected: `frame_too_large`; `pack_frames` splits what does not fit.
    """
    content = encode_table(rows).SerializeToString()
    packed = zstandard.ZstdCompressor(level=LEVEL).compress(content)
    if len(content) > limits.FRAME_UNCOMPRESSED_BYTES or len(packed) > limits.FRAME_BYTES:
        raise Rejected("frame_too_large", place=f"table {rows.table}")
    frame = table_pb2.Frame(
        kind=table_pb2.FrameKind.ValueType(int(kind)),
        table_data_zstd=packed,
        uncompressed_size=len(content),
    )
    if range_ is not None:
        frame.range.partition = range_.partition
        frame.range.table = range_.table
        frame.range.first_byte = range_.first_byte
        frame.range.last_byte = range_.last_byte
    return frame


def pack_frames(
    kind: int, rows: TableRows, range_: RowRange | None = None
) -> list[table_pb2.Frame]:
    """The rows as as many frames as their bytes need.

    Of a replaced range the first frame says that others go; the following ones bring more rows.

    Raises:
        Rejected: `frame_too_large`, a single row does not fit.
    """
    frames: list[table_pb2.Frame] = []
    waiting = list(split_rows(rows))[::-1]
    while waiting:
        piece = waiting.pop()
        follows = bool(frames) and range_ is not None
        try:
            frame = pack_frame(
                FrameKind.ROWS if follows else kind, piece, None if follows else range_
            )
        except Rejected:
            if piece.row_count <= 1:
                raise
            first, second = split_rows(piece, (piece.row_count + 1) // 2)
            waiting += [second, first]
        else:
            frames.append(frame)
    return frames


def unpack_frame(frame: table_pb2.Frame) -> UnpackedFrame:
    """What a frame holds: the table's columns in their order, missing ones with defaults.

    Removals keep the columns with which they came. A table of a newer schema comes without rows:
    hub, gateways and devices are upgraded in that order, and the stream must go on meanwhile.

    Raises:
        Rejected: a limit is broken or the content can't be read.
    """
    if len(frame.table_data_zstd) > limits.FRAME_BYTES:
        raise Rejected("frame_too_large", place="frame")
    content = decompress(
        frame.table_data_zstd, frame.uncompressed_size, limits.FRAME_UNCOMPRESSED_BYTES
    )
    check_table(content)
    try:
        kind = FrameKind(frame.kind)
        data = table_pb2.TableData.FromString(content)
    except (ValueError, DecodeError):
        raise Rejected("bad_message", place="frame") from None
    rows = _rows_of(kind, data)
    range_ = None
    if frame.HasField("range"):
        held = frame.range
        range_ = RowRange(held.partition, held.table, held.first_byte, held.last_byte)
    return UnpackedFrame(kind, rows, range_)


def _rows_of(kind: FrameKind, data: table_pb2.TableData) -> TableRows:
    table = TABLES.get(data.table)
    if table is None:
        return TableRows(data.table, (), [])
    if data.rows and not any(column.name == "id" for column in data.columns):
        raise Rejected("bad_table_data", place=f"table {table.name}, column id")
    return decode_table(data, None if kind is FrameKind.REMOVALS else table.wire_names)


def decompress(content: bytes, size: int, most: int) -> bytes:
    """The bytes behind a zstd frame, never more than was said and never more than is allowed.

    Raises:
        Rejected: `frame_too_large` or `bad_message`.
    """
    if size > most:
        raise Rejected("frame_too_large", place="uncompressed size")
    try:
        parameters = zstandard.get_frame_parameters(content)
        if parameters.content_size not in {size, zstandard.CONTENTSIZE_UNKNOWN}:
            raise Rejected("bad_message", place="uncompressed size")
        if parameters.window_size > 2 * most:
            raise Rejected("frame_too_large", place="window of the compressed content")
        found = zstandard.ZstdDecompressor().decompress(
            content, max_output_size=max(size, 1), allow_extra_data=False
        )
    except zstandard.ZstdError:
        raise Rejected("bad_message", place="compressed content") from None
    if len(found) != size:
        raise Rejected("bad_message", place="uncompressed size")
    return found


def split_rows(rows: TableRows, most_rows: int = limits.FRAME_ROWS) -> Iterator[TableRows]:
    """The rows in pieces of at most ``most_rows``."""
    count = rows.row_count
    if count <= most_rows:
        yield rows
        return
    for start in range(0, count, most_rows):
        yield TableRows(
            rows.table, rows.names, [column[start : start + most_rows] for column in rows.columns]
        )


def carried_bytes(frames: Iterable[table_pb2.Frame]) -> int:
    """What the frames take in a message, at most."""
    return sum(1 + _VARINT_MOST_BYTES + frame.ByteSize() for frame in frames)


def write_frames(frames: Iterable[table_pb2.Frame]) -> bytes:
    """Frames as bytes, each preceded by its size as a varint."""
    pieces: list[bytes] = []
    for frame in frames:
        content = frame.SerializeToString()
        pieces.append(_varint(len(content)))
        pieces.append(content)
    return b"".join(pieces)


class FrameReader:
    """Frames out of bytes that come in pieces of any size."""

    def __init__(self) -> None:
        """Nothing was fed yet."""
        self._held = bytearray()

    @property
    def pending_bytes(self) -> int:
        """Bytes that are not a whole frame yet."""
        return len(self._held)

    def feed(self, piece: bytes) -> Iterator[table_pb2.Frame]:
        """The frames that are whole with this piece.

        Raises:
            Rejected: `frame_too_large` or `bad_message`.
        """
        self._held += piece
        while True:
            size, start = _read_varint(self._held)
            if start == 0:
                return
            if size > limits.FRAME_BYTES + _ENVELOPE_BYTES:
                raise Rejected("frame_too_large", place="frame")
            if len(self._held) < start + size:
                return
            content = bytes(self._held[start : start + size])
            del self._held[: start + size]
            try:
                yield table_pb2.Frame.FromString(content)
            except DecodeError:
                raise Rejected("bad_message", place="frame") from None


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= _CONTINUES:
        out.append(value & (_CONTINUES - 1) | _CONTINUES)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(held: bytearray) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(held[:_VARINT_MOST_BYTES]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < _CONTINUES:
            return value, place + 1
    if len(held) >= _VARINT_MOST_BYTES:
        raise Rejected("bad_message", place="frame size")
    return 0, 0
