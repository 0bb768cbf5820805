"""Batches: what a device signs. Header and body are encoded once and never again."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import zstandard
from google.protobuf.message import DecodeError

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import TableRows, decode_table, encode_table
from fieldmesh.codec.extent import check_body
from fieldmesh.codec.frames import decompress
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.wire.v1 import batch_pb2

_LEVEL = 3
_ID_BYTES = 16
_SHA256_BYTES = 32
_MOST_SEQUENCE = (1 << 63) - 1
"""What a database holds."""


class Operation(IntEnum):
    """Numbers of `Operation` in batch.proto."""

    INSERT = 1
    UPDATE = 2
    DELETE = 3


class EventKind(IntEnum):
    """What a batch says besides its rows."""

    TAKEOVER = 13
    HANDOVER = 14


@dataclass(frozen=True, slots=True)
class Event:
    """A spare device begins or ends to stand in for another."""

    kind: EventKind
    first_device_id: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of one table changed by one operation.

    Attributes:
        operation: what was done.
        rows: whole rows, or id and changed columns, or ids.
        clocks: a hybrid logical clock a row; empty where the table does not merge by column.
    """

    operation: Operation
    rows: TableRows
    clocks: list[int]


@dataclass(frozen=True, slots=True)
class BatchDraft:
    """What a device knows of the batch it makes; see BatchHeader in batch.proto."""

    device_id: bytes
    device_epoch: int
    sequence: int
    packed_at: int
    previous_epoch: int = 0
    previous_sequence: int = 0
    previous_sha256: bytes = b""
    clock_offset: int = 0
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """A header as it was signed; see BatchHeader in batch.proto."""

    device_id: bytes
    device_epoch: int
    sequence: int
    previous_epoch: int
    previous_sequence: int
    previous_sha256: bytes
    packed_at: int
    clock_offset: int
    schema_version: int
    body_sha256: bytes
    body_uncompressed_size: int
    rows: int
    event: Event | None

    @property
    def takeover_first_device_id(self) -> bytes | None:
        """The device whose place a spare takes with this batch."""
        return self._event_of(EventKind.TAKEOVER)

    @property
    def handover_first_device_id(self) -> bytes | None:
        """The device that a spare hands back to with this batch."""
        return self._event_of(EventKind.HANDOVER)

    def _event_of(self, kind: EventKind) -> bytes | None:
        return self.event.first_device_id if self.event and self.event.kind is kind else None


@dataclass(frozen=True, slots=True)
class EncodedBody:
    """A body as it is carried."""

    body: bytes
    uncompressed_size: int
    rows: int


def encode_body(changes: Sequence[Change]) -> EncodedBody:
    """The changes as bytes, encoded once.

    Raises:
        Rejected: `batch_too_large`.
    """
    message = batch_pb2.BatchBody()
    rows = 0
    for change in changes:
        target = message.changes.add()
        target.operation = batch_pb2.Operation.ValueType(int(change.operation))
        target.data.CopyFrom(encode_table(change.rows))
        target.clocks.extend(change.clocks)
        rows += change.rows.row_count
    content = message.SerializeToString()
    body = zstandard.ZstdCompressor(level=_LEVEL).compress(content)
    if (
        rows > limits.BATCH_ROWS
        or len(changes) > limits.BATCH_CHANGES
        or sum(len(change.rows.names) for change in changes) > limits.BATCH_COLUMNS
        or len(content) > limits.BATCH_BODY_UNCOMPRESSED_BYTES
        or len(body) > limits.BATCH_BODY_BYTES
    ):
        raise Rejected("batch_too_large", size=len(body))
    return EncodedBody(body, len(content), rows)


def header_of(draft: BatchDraft, body: EncodedBody) -> BatchHeader:
    """The header of a batch with this body."""
    first = draft.sequence == 1
    return BatchHeader(
        draft.device_id,
        draft.device_epoch,
        draft.sequence,
        draft.previous_epoch if first else 0,
        draft.previous_sequence if first else 0,
        draft.previous_sha256,
        draft.packed_at,
        draft.clock_offset,
        SCHEMA_VERSION,
        hashlib.sha256(body.body).digest(),
        body.uncompressed_size,
        body.rows,
        draft.event,
    )


def encode_header(header: BatchHeader) -> bytes:
    """The header bytes that the device signs."""
    message = batch_pb2.BatchHeader(
        device_id=header.device_id,
        device_epoch=header.device_epoch,
        sequence=header.sequence,
        previous_epoch=header.previous_epoch,
        previous_sequence=header.previous_sequence,
        previous_sha256=header.previous_sha256,
        packed_at=header.packed_at,
        clock_offset=header.clock_offset,
        schema_version=header.schema_version,
        body_sha256=header.body_sha256,
        body_uncompressed_size=header.body_uncompressed_size,
        rows=header.rows,
    )
    if header.takeover_first_device_id is not None:
        message.takeover.first_device_id = header.takeover_first_device_id
    if header.handover_first_device_id is not None:
        message.handover.first_device_id = header.handover_first_device_id
    return message.SerializeToString()


def encode_batch(draft: BatchDraft, changes: Sequence[Change]) -> tuple[bytes, bytes]:
    """Header and body bytes of a batch.

    Raises:
        Rejected: `batch_too_large`.
    """
    body = encode_body(changes)
    return encode_header(header_of(draft, body)), body.body


def decode_header(content: bytes) -> BatchHeader:
    """The header behind signed bytes.

    Raises:
        Rejected: `bad_batch` naming the field, or `batch_too_large`.
    """
    if len(content) > limits.BATCH_HEADER_BYTES:
        raise Rejected("batch_too_large", place="batch header")
    try:
        held = batch_pb2.BatchHeader.FromString(content)
    except DecodeError:
        raise Rejected("bad_batch", place="batch header") from None
    event = _event(held)
    if (name := _wrong_field(held, event)) is not None:
        raise Rejected("bad_batch", place=f"{name} in a batch header")
    return BatchHeader(
        held.device_id,
        held.device_epoch,
        held.sequence,
        held.previous_epoch,
        held.previous_sequence,
        held.previous_sha256,
        held.packed_at,
        held.clock_offset,
        held.schema_version,
        held.body_sha256,
        held.body_uncompressed_size,
        held.rows,
        event,
    )


def _wrong_field(held: batch_pb2.BatchHeader, event: Event | None) -> str | None:
    """The name of a field that can't be as it is, None = all can."""
    wrong = {
        "device_id": len(held.device_id) != _ID_BYTES,
        "body_sha256": len(held.body_sha256) != _SHA256_BYTES,
        "device_epoch": not held.device_epoch,
        "schema_version": not held.schema_version,
        "packed_at": not held.packed_at,
        "sequence": not 0 < held.sequence <= _MOST_SEQUENCE,
        "previous_sequence": held.previous_sequence > _MOST_SEQUENCE,
        "previous_sha256": len(held.previous_sha256) not in {0, _SHA256_BYTES},
        "first_device_id": event is not None and len(event.first_device_id) != _ID_BYTES,
    }
    return next((name for name, is_wrong in wrong.items() if is_wrong), None)


def check_names_a_batch(header: BatchHeader) -> None:
    """Batch 1 of an epoch names a batch before it that there can be, or none.

    Sequences begin at 1, so (epoch, 0) is nobody's: head office would wait for it until a person gives the gap up.
    Looked at before anybody holds the batch, and not by head office: what has come there is decided in its turn.

    Raises:
        Rejected: `bad_batch`.
    """
    if header.sequence == 1 and bool(header.previous_epoch) is not bool(header.previous_sequence):
        name = "previous_sequence" if header.previous_epoch else "previous_epoch"
        raise Rejected("bad_batch", place=f"{name} of batch {header.device_epoch}/1")


def _event(held: batch_pb2.BatchHeader) -> Event | None:
    match held.WhichOneof("event"):
        case "takeover":
            return Event(EventKind.TAKEOVER, held.takeover.first_device_id)
        case "handover":
            return Event(EventKind.HANDOVER, held.handover.first_device_id)
        case _:
            return None


def decode_body(header: BatchHeader, body: bytes) -> list[Change]:
    """The changes behind a body.

    A column that this node does not know is ignored when the device's schema is newer, and refused
    otherwise.

    Raises:
        Rejected: `altered_batch`, `batch_too_large`, `bad_batch`, or what table data breaks, with
            the place.
    """
    place = f"batch {header.device_epoch}/{header.sequence}"
    if hashlib.sha256(body).digest() != header.body_sha256:
        raise Rejected("altered_batch", place=place)
    if header.rows > limits.BATCH_ROWS or len(body) > limits.BATCH_BODY_BYTES:
        raise Rejected("batch_too_large", place=place)
    content = _unpacked(header, body, place)
    check_body(content)
    try:
        message = batch_pb2.BatchBody.FromString(content)
    except DecodeError:
        raise Rejected("bad_batch", place=place) from None
    strict = header.schema_version <= SCHEMA_VERSION
    if sum(held.data.rows for held in message.changes) != header.rows:
        raise Rejected("bad_batch", place=f"{place}, number of rows")
    return [_change(held, place, strict=strict) for held in message.changes]


def _unpacked(header: BatchHeader, body: bytes, place: str) -> bytes:
    most = limits.BATCH_BODY_UNCOMPRESSED_BYTES
    try:
        return decompress(body, header.body_uncompressed_size, most)
    except Rejected as problem:
        code = "batch_too_large" if problem.code == "frame_too_large" else "bad_batch"
        raise Rejected(code, place=f"{place}, {problem.place}") from None


def _change(held: batch_pb2.TableChange, place: str, *, strict: bool) -> Change:
    rows = decode_table(held.data, strict=strict)
    if held.operation not in {1, 2, 3} or "id" not in rows.names:
        raise Rejected("bad_batch", place=f"{place}, table {rows.table}")
    if held.clocks and len(held.clocks) != rows.row_count:
        raise Rejected("bad_batch", place=f"{place}, table {rows.table}")
    return Change(Operation(held.operation), rows, list(held.clocks))
