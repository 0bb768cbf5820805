"""Batches: the bytes that a device signs say what it did, and nothing else gets in."""

import hashlib
from contextlib import nullcontext
from dataclasses import replace

import pytest
import zstandard

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.batch import (
    BatchDraft,
    BatchHeader,
    Change,
    Event,
    EventKind,
    Operation,
    check_names_a_batch,
    decode_body,
    decode_header,
    encode_batch,
    encode_body,
    encode_header,
)
from fieldmesh.codec.columns import TableRows, encode_table, from_rows
from fieldmesh.codec.extent import check_body
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES
from fieldmesh.wire.v1 import batch_pb2, table_pb2
from tests.kit.rows import contacts, row_id

DEVICE = bytes(range(16))
DRAFT = BatchDraft(DEVICE, 2, 7, 1_764_000_000_000_000, previous_sha256=bytes(32))
CHANGES = [
    Change(Operation.INSERT, contacts(3), [10, 11, 12]),
    Change(Operation.UPDATE, TableRows("contact", ("id", "name"), [[row_id(9)], ["Ана"]]), [13]),
    Change(Operation.DELETE, TableRows("contact", ("id",), [[row_id(8)]]), []),
]


def _resealed(body: batch_pb2.BatchBody, **changed: int) -> tuple[BatchHeader, bytes]:
    """A header that fits a body made by hand, as a hostile device would sign it."""
    content = body.SerializeToString()
    packed = zstandard.ZstdCompressor().compress(content)
    header = decode_header(encode_batch(DRAFT, [])[0])
    rows = sum(change.data.rows for change in body.changes)
    header = replace(
        header,
        body_sha256=hashlib.sha256(packed).digest(),
        body_uncompressed_size=len(content),
        rows=rows,
    )
    return replace(header, **changed), packed


def _body() -> batch_pb2.BatchBody:
    body = batch_pb2.BatchBody()
    change = body.changes.add(operation=batch_pb2.OPERATION_INSERT)
    change.data.CopyFrom(encode_table(contacts(2)))
    return body


def test_a_batch_comes_back_as_it_was_made() -> None:
    """What the hub applies is what the person did."""
    header_bytes, body = encode_batch(DRAFT, CHANGES)
    header = decode_header(header_bytes)
    assert (header.device_id, header.device_epoch, header.sequence) == (DEVICE, 2, 7)
    assert header.rows == 5
    assert header.schema_version == SCHEMA_VERSION
    assert decode_body(header, body) == CHANGES


def test_a_header_encoded_again_is_the_same_bytes() -> None:
    """A fenced device signs a packed body anew under its new epoch."""
    header_bytes, _ = encode_batch(replace(DRAFT, event=Event(EventKind.HANDOVER, DEVICE)), [])
    assert encode_header(decode_header(header_bytes)) == header_bytes


def test_only_the_first_batch_of_an_epoch_names_what_came_before() -> None:
    """The chain of epochs is said once."""
    draft = replace(DRAFT, previous_epoch=1, previous_sequence=40)
    assert decode_header(encode_batch(draft, [])[0]).previous_epoch == 0
    first = decode_header(encode_batch(replace(draft, sequence=1), [])[0])
    assert (first.previous_epoch, first.previous_sequence) == (1, 40)


@pytest.mark.parametrize("kind", list(EventKind))
def test_a_spare_says_for_whom_it_stands_in(kind: EventKind) -> None:
    """The first device is suspended and freed by these two words."""
    draft = replace(DRAFT, event=Event(kind, DEVICE))
    header = decode_header(encode_batch(draft, [])[0])
    said = {
        EventKind.TAKEOVER: header.takeover_first_device_id,
        EventKind.HANDOVER: header.handover_first_device_id,
    }
    assert said.pop(kind) == DEVICE
    assert set(said.values()) == {None}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("device_id", b"short"),
        ("device_epoch", 0),
        ("schema_version", 0),
        ("packed_at", 0),
        ("sequence", 0),
        ("sequence", 1 << 63),
        ("previous_sequence", 1 << 63),
        ("body_sha256", b""),
        ("previous_sha256", b"x"),
        ("first_device_id", Event(EventKind.TAKEOVER, b"nobody")),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_by_the_name_of_its_field(
    name: str, wrong: object
) -> None:
    """Each of these would break a database or a comparison further on; who wrote the client must find it."""
    good = decode_header(encode_batch(DRAFT, [])[0])
    field = "event" if isinstance(wrong, Event) else name
    header = encode_header(replace(good, **{field: wrong}))  # type: ignore[arg-type]
    with pytest.raises(Rejected) as caught:
        decode_header(header)
    assert (caught.value.code, caught.value.place) == ("bad_batch", f"{name} in a batch header")


@pytest.mark.parametrize(
    ("sequence", "before", "wrong"),
    [
        (1, (0, 0), ""),
        (1, (1, 4), ""),
        (2, (1, 0), ""),
        (1, (1, 0), "previous_sequence"),
        (1, (0, 4), "previous_epoch"),
    ],
)
def test_the_first_batch_names_one_that_there_can_be_or_none(
    sequence: int, before: tuple[int, int], wrong: str
) -> None:
    """Head office would wait for number 0 of an epoch until a person gives it up."""
    good = decode_header(encode_batch(DRAFT, [])[0])
    epoch, last = before
    header = replace(good, sequence=sequence, previous_epoch=epoch, previous_sequence=last)
    refused = pytest.raises(Rejected, match=f"{wrong} of batch 2/1: ")
    with refused if wrong else nullcontext():
        check_names_a_batch(header)


def test_bytes_that_are_no_header_are_refused() -> None:
    """Whoever signed them."""
    with pytest.raises(Rejected) as caught:
        decode_header(b"\xff\xff")
    assert caught.value.code == "bad_batch"
    with pytest.raises(Rejected) as caught:
        decode_header(bytes(limits.BATCH_HEADER_BYTES + 1))
    assert caught.value.code == "batch_too_large"


@pytest.mark.parametrize(
    ("size", "code"),
    [
        (3, "bad_batch"),
        (limits.BATCH_BODY_UNCOMPRESSED_BYTES, "bad_batch"),
        (limits.BATCH_BODY_UNCOMPRESSED_BYTES + 1, "batch_too_large"),
    ],
)
def test_a_header_that_says_another_size_hears_that_it_is_the_size(size: int, code: str) -> None:
    """“A message is larger than is allowed” sends who wrote the client to look elsewhere."""
    header, packed = _resealed(_body(), body_uncompressed_size=size)
    with pytest.raises(Rejected) as caught:
        decode_body(header, packed)
    assert (caught.value.code, caught.value.place) == (code, "batch 2/7, uncompressed size")


def test_a_body_changed_on_the_way_is_refused() -> None:
    """A distributor's gateway cannot alter an order."""
    header_bytes, body = encode_batch(DRAFT, CHANGES)
    altered = body[:-1] + bytes([body[-1] ^ 1])
    with pytest.raises(Rejected) as caught:
        decode_body(decode_header(header_bytes), altered)
    assert caught.value.code == "altered_batch"


def test_a_batch_of_too_many_rows_is_refused_on_both_sides() -> None:
    """A device splits its work; a stranger does not."""
    with pytest.raises(Rejected) as caught:
        encode_body([Change(Operation.INSERT, contacts(limits.BATCH_ROWS + 1), [])])
    assert caught.value.code == "batch_too_large"
    header, packed = _resealed(_body(), rows=limits.BATCH_ROWS + 1)
    with pytest.raises(Rejected) as caught:
        decode_body(header, packed)
    assert caught.value.code == "batch_too_large"


def test_a_batch_of_too_many_changes_is_not_made() -> None:
    """It would be refused by everyone."""
    change = Change(Operation.DELETE, TableRows("contact", ("id",), [[row_id(1)]]), [])
    with pytest.raises(Rejected):
        encode_body([change] * (limits.BATCH_CHANGES + 1))
    wide = TABLES["outlet"]
    rows = from_rows(wide, wide.wire_names, [[column.neutral for column in wide.wire_columns]])
    with pytest.raises(Rejected):
        encode_body([Change(Operation.INSERT, rows, [])] * limits.BATCH_CHANGES)
    most = limits.BATCH_COLUMNS // len(wide.wire_names)
    made = encode_body([Change(Operation.INSERT, rows, [])] * most)
    check_body(zstandard.ZstdDecompressor().decompress(made.body))


def test_a_header_that_counts_other_rows_is_refused() -> None:
    """Limits are checked by what the header says."""
    header, packed = _resealed(_body(), rows=1)
    with pytest.raises(Rejected) as caught:
        decode_body(header, packed)
    assert caught.value.code == "bad_batch"


def test_unknown_columns_are_refused_unless_the_device_is_newer() -> None:
    """From an older device they are damage; from a newer one they wait for the hub to be updated."""
    body = _body()
    body.changes[0].data.columns.add(
        name="colour", type=table_pb2.COLUMN_TYPE_INTEGER, integers=[1, 2]
    )
    header, packed = _resealed(body)
    with pytest.raises(Rejected) as caught:
        decode_body(header, packed)
    assert caught.value.code == "unknown_column"
    header, packed = _resealed(body, schema_version=SCHEMA_VERSION + 1)
    assert decode_body(header, packed)[0].rows == contacts(2)


def test_a_change_without_ids_clocks_or_meaning_is_refused() -> None:
    """A row that has no name can't be refused, merged or echoed."""
    nameless, clockless, meaningless = _body(), _body(), _body()
    del nameless.changes[0].data.columns[0]
    clockless.changes[0].clocks.append(5)
    meaningless.changes[0].operation = batch_pb2.OPERATION_UNSPECIFIED
    for body in (nameless, clockless, meaningless):
        header, packed = _resealed(body)
        with pytest.raises(Rejected) as caught:
            decode_body(header, packed)
        assert caught.value.code == "bad_batch"


def test_a_body_that_is_no_message_is_refused() -> None:
    """The stream goes on; the batch lies in quarantine with its bytes."""
    content = b"\x0a\x05hello"
    packed = zstandard.ZstdCompressor().compress(content)
    header, _ = _resealed(_body())
    header = replace(
        header,
        body_sha256=hashlib.sha256(packed).digest(),
        body_uncompressed_size=len(content),
    )
    with pytest.raises(Rejected):
        decode_body(header, packed)
