"""Frames: compressed rows, one by one or as a stream that is cut anywhere."""

import hashlib

import pytest
import zstandard

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import TableRows, encode_table
from fieldmesh.codec.frames import (
    FrameKind,
    FrameReader,
    RowRange,
    decompress,
    pack_frame,
    pack_frames,
    split_rows,
    unpack_frame,
    write_frames,
)
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType
from fieldmesh.wire.v1 import table_pb2
from tests.kit.rows import contacts, row_id

LINE = b"order " * 50


def _noise(count: int, size: int) -> TableRows:
    ids: list[Value] = [row_id(number) for number in range(count)]
    values: list[Value] = [
        hashlib.shake_128(str(number).encode()).digest(size) for number in range(count)
    ]
    return TableRows("photo", ("id", "sha256"), [ids, values])


def test_a_frame_holds_its_rows_kind_and_range() -> None:
    """Repair needs all three: a range that got lost would delete the wrong rows."""
    range_ = RowRange(77, "contact", 16, 31)
    found = unpack_frame(pack_frame(FrameKind.REPLACE, contacts(5), range_))
    assert found.kind is FrameKind.REPLACE
    assert found.range == range_
    assert found.rows.names == TABLES["contact"].wire_names
    assert found.rows.only(contacts(5).names) == contacts(5)


def test_removals_keep_their_own_columns() -> None:
    """They carry id, partition and LSN, and no made-up content."""
    names = ("id", "partition", "lsn")
    rows = TableRows("contact", names, [[row_id(1)], [5], [1 << 40]])
    assert unpack_frame(pack_frame(FrameKind.REMOVALS, rows)).rows == rows


def test_frames_come_whole_out_of_a_stream_cut_at_every_byte() -> None:
    """A download arrives in pieces of any size."""
    frames = [pack_frame(FrameKind.ROWS, contacts(count)) for count in (1, 3, 200)]
    content = write_frames(frames)
    for size in (1, 2, 7, len(content)):
        reader = FrameReader()
        found = [
            frame
            for start in range(0, len(content), size)
            for frame in reader.feed(content[start : start + size])
        ]
        assert found == frames
        assert reader.pending_bytes == 0


def test_half_a_frame_is_waited_for() -> None:
    """Nothing is applied that is not whole."""
    content = write_frames([pack_frame(FrameKind.ROWS, contacts())])
    reader = FrameReader()
    assert list(reader.feed(content[:-1])) == []
    assert reader.pending_bytes == len(content) - 1


def test_a_stream_that_announces_too_much_is_refused_at_once() -> None:
    """Its bytes would be collected for ever."""
    for content in (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff\xff\x01"):
        with pytest.raises(Rejected):
            list(FrameReader().feed(content))


def test_bytes_that_are_no_frame_are_refused() -> None:
    """Damage is told, not guessed at."""
    with pytest.raises(Rejected) as caught:
        list(FrameReader().feed(b"\x02\xff\xff"))
    assert caught.value.code == "bad_message"


def test_a_frame_of_unknown_kind_is_refused() -> None:
    """Rows whose meaning is unknown must not be inserted."""
    frame = pack_frame(FrameKind.ROWS, contacts())
    frame.kind = table_pb2.FRAME_KIND_UNSPECIFIED
    with pytest.raises(Rejected):
        unpack_frame(frame)


def test_rows_without_ids_are_refused() -> None:
    """They would all become one row."""
    rows = TableRows("contact", ("name",), [["Мария"]])
    with pytest.raises(Rejected) as caught:
        unpack_frame(pack_frame(FrameKind.ROWS, rows))
    assert caught.value.code == "bad_table_data"


def test_rows_of_a_table_that_is_not_known_yet_are_passed_over() -> None:
    """The hub is upgraded first: one new table must not stop every gateway and device."""
    data = encode_table(contacts(3))
    data.table = "invention"
    content = data.SerializeToString()
    for kind in (FrameKind.ROWS, FrameKind.REMOVALS, FrameKind.PROVISIONAL, FrameKind.REPLACE):
        frame = table_pb2.Frame(
            kind=table_pb2.FrameKind.ValueType(int(kind)),
            table_data_zstd=zstandard.ZstdCompressor().compress(content),
            uncompressed_size=len(content),
        )
        found = unpack_frame(frame).rows
        assert (found.table, found.row_count) == ("invention", 0)


def test_content_of_another_size_than_was_said_is_refused() -> None:
    """A size that lies is how memory is filled."""
    packed = zstandard.ZstdCompressor().compress(LINE)
    for size in (len(LINE) - 1, len(LINE) + 1, 0):
        with pytest.raises(Rejected):
            decompress(packed, size, 1_000_000)
    assert decompress(packed, len(LINE), 1_000_000) == LINE


def test_content_above_the_limit_is_refused_before_it_is_unpacked() -> None:
    """A hundred bytes can hold a gigabyte."""
    bomb = zstandard.ZstdCompressor().compress(bytes(64 * 1024 * 1024))
    with pytest.raises(Rejected) as caught:
        decompress(bomb, 64 * 1024 * 1024, limits.FRAME_UNCOMPRESSED_BYTES)
    assert caught.value.code == "frame_too_large"
    with pytest.raises(Rejected):
        decompress(bomb, 10, limits.FRAME_UNCOMPRESSED_BYTES)


def test_content_whose_size_stands_nowhere_is_unpacked_within_its_bounds() -> None:
    """Encoders of other languages may leave the size out of the zstd frame."""
    stream = zstandard.ZstdCompressor(level=1).compressobj()
    packed = stream.compress(LINE) + stream.flush()
    assert decompress(packed, len(LINE), 1_000_000) == LINE
    with pytest.raises(Rejected):
        decompress(packed, len(LINE) - 1, 1_000_000)


def test_bytes_after_the_content_are_refused() -> None:
    """Two nodes that read different parts of the same bytes do not agree."""
    packed = zstandard.ZstdCompressor().compress(LINE)
    with pytest.raises(Rejected):
        decompress(packed + b"more", len(LINE), 1_000_000)


def test_garbage_is_refused() -> None:
    """No frame of zstd, no guess."""
    with pytest.raises(Rejected):
        decompress(b"garbage", 7, 100)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_the_largest_row_fits_a_frame(table: ReplicatedTable) -> None:
    """One row that fits its columns and no frame stands between a hub and all its gateways."""
    most = {
        WireType.TEXT: lambda kind: min(4 * kind.precision, limits.TEXT_BYTES),
        WireType.BINARY: lambda kind: kind.precision,
    }
    values = [
        most.get(column.wire_type, lambda _: 16)(column.kind) for column in table.wire_columns
    ]
    assert all(values), "a text or binary without a size"
    assert sum(values) < limits.FRAME_BYTES // 2


def test_many_rows_are_split_and_none_is_lost() -> None:
    """A repricing day is half a million rows."""
    rows = contacts(10)
    pieces = list(split_rows(rows, 4))
    assert [piece.row_count for piece in pieces] == [4, 4, 2]
    assert [one for piece in pieces for one in piece.column("id")] == rows.column("id")


def test_rows_that_hardly_compress_become_more_frames() -> None:
    """A frame above the limit would be refused by every receiver, for ever."""
    rows = _noise(40, 100_000)
    with pytest.raises(Rejected):
        pack_frame(FrameKind.ROWS, rows)
    frames = pack_frames(FrameKind.ROWS, rows)
    assert max(len(frame.table_data_zstd) for frame in frames) <= limits.FRAME_BYTES
    unpacked = [unpack_frame(frame).rows for frame in frames]
    assert [one for piece in unpacked for one in piece.column("id")] == rows.column("id")


def test_a_replaced_range_in_pieces_forgets_only_once() -> None:
    """The second piece must not delete what the first one brought."""
    frames = pack_frames(FrameKind.REPLACE, _noise(30, 100_000), RowRange(1, "photo"))
    kinds = [unpack_frame(frame).kind for frame in frames]
    assert kinds[0] is FrameKind.REPLACE
    assert set(kinds[1:]) == {FrameKind.ROWS}


def test_an_empty_range_is_one_frame() -> None:
    """It says that all rows of the range are gone."""
    frames = pack_frames(FrameKind.REPLACE, contacts(0), RowRange(1, "contact"))
    assert [unpack_frame(frame).rows.row_count for frame in frames] == [0]


def test_a_row_that_never_fits_is_refused() -> None:
    """Splitting ends at one row."""
    with pytest.raises(Rejected):
        pack_frames(FrameKind.ROWS, _noise(2, limits.FRAME_BYTES + 1))


def test_a_frame_above_the_limit_is_refused() -> None:
    """Whoever made it."""
    data = encode_table(contacts(0)).SerializeToString()
    frame = table_pb2.Frame(
        kind=table_pb2.FRAME_KIND_ROWS,
        table_data_zstd=bytes(limits.FRAME_BYTES + 1),
        uncompressed_size=len(data),
    )
    with pytest.raises(Rejected):
        unpack_frame(frame)
