"""Whatever the rows are, they come back as they went; whatever the bytes are, nothing breaks."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.batch import (
    BatchDraft,
    Change,
    Operation,
    decode_body,
    decode_header,
    encode_batch,
)
from fieldmesh.codec.columns import TableRows, decode_table, encode_table
from fieldmesh.codec.extent import check_body, check_table
from fieldmesh.codec.fitting import misfits
from fieldmesh.codec.frames import (
    FrameKind,
    FrameReader,
    pack_frames,
    split_rows,
    unpack_frame,
    write_frames,
)
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.schema import TABLES
from fieldmesh.wire.v1 import table_pb2
from tests.kit.rows import any_rows

FEW = settings(max_examples=60, deadline=None)
DRAFT = BatchDraft(bytes(16), 1, 1, packed_at=1)


@FEW
@given(any_rows)
def test_rows_survive_the_wire(rows: TableRows) -> None:
    """Every value of every column of every table, nulls included."""
    content = encode_table(rows).SerializeToString()
    check_table(content)
    assert decode_table(table_pb2.TableData.FromString(content), rows.names) == rows
    assert misfits(rows) == {}


@FEW
@given(any_rows, st.integers(1, 5), st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_frames_survive_any_cut(rows: TableRows, most: int, cuts: list[int]) -> None:
    """A download comes in pieces of any size."""
    pieces = list(split_rows(rows, most))
    content = write_frames(
        frame for piece in pieces for frame in pack_frames(FrameKind.ROWS, piece)
    )
    reader, found, start = FrameReader(), [], 0
    for size in [*cuts, len(content)]:
        found += [unpack_frame(frame).rows for frame in reader.feed(content[start : start + size])]
        start += size
    assert [row for piece in found for row in piece.rows()] == rows.rows()


@FEW
@given(st.lists(any_rows.filter(lambda rows: rows.row_count > 0), max_size=4))
def test_batches_survive_the_wire(pieces: list[TableRows]) -> None:
    """What a person did is what the hub applies."""
    changes = [Change(Operation.INSERT, piece, list(range(piece.row_count))) for piece in pieces]
    header, body = encode_batch(DRAFT, changes)
    assert decode_body(decode_header(header), body) == changes


@FEW
@given(any_rows)
def test_hashes_survive_the_wire(rows: TableRows) -> None:
    """Otherwise every verify would find a difference."""
    table = TABLES[rows.table]
    found = decode_table(encode_table(rows), rows.names)
    assert row_hashes(found, table) == row_hashes(rows, table)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    """Strangers choose the bytes; we choose what happens: a problem with a name, or nothing."""
    for read in (check_table, check_body, decode_header, lambda c: list(FrameReader().feed(c))):
        with suppress(Rejected):
            read(content)


@FEW
@given(any_rows, st.data())
def test_damaged_rows_are_refused_or_read_but_never_break(
    rows: TableRows, data: st.DataObject
) -> None:
    """One flipped bit in valid table data."""
    content = bytearray(encode_table(rows).SerializeToString())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(Rejected, ValueError):
        check_table(bytes(content))
        message = table_pb2.TableData()
        try:
            message.ParseFromString(bytes(content))
        except Exception:  # noqa: BLE001 - the parser's own refusal
            return
        misfits(decode_table(message))
