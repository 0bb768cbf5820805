"""Messages between gateway and hub that storage keeps as bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import TableRows
from fieldmesh.codec.frames import FrameKind, pack_frames
from fieldmesh.wire.v1 import batch_pb2, replication_pb2, table_pb2

MOST_PAYLOAD_BYTES = 768 * 1024
"""Frames of one message; with its envelope it stays below 1 MiB."""
_RECEIPT_BYTES = 80
"""Of a receipt without its proof, at most."""


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """The hub's decision on a batch or a session record; see Receipt in replication.proto."""

    outbox_number: int
    device_id: bytes
    device_epoch: int
    sequence: int
    decision: str
    lsn: int
    hub_tick: bytes = b""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A batch as a gateway forwarded it; see ForwardedBatch in replication.proto."""

    gateway_id: bytes
    outbox_number: int
    header: bytes
    body: bytes
    signature: bytes
    certificate: bytes
    received_at: int
    source: str
    device_suspended: bool


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """One sync session as a node remembers it; see SessionRecord in replication.proto."""

    gateway_id: bytes
    outbox_number: int
    values: dict[str, int | str | bytes]


def down_messages(
    lsn: int,
    partition: int,
    rows: Iterable[tuple[FrameKind, TableRows]],
    receipts: Sequence[BatchReceipt] = (),
) -> list[bytes]:
    """What one transaction says to one partition, as DownMessages of bounded size."""
    frames: list[table_pb2.Frame] = []
    for kind, held in rows:
        frames.extend(pack_frames(kind, held))
    messages = [replication_pb2.DownMessage(lsn=lsn, partition=partition)]
    size = 0
    for frame in frames:
        if size and size + len(frame.table_data_zstd) > MOST_PAYLOAD_BYTES:
            messages.append(replication_pb2.DownMessage(lsn=lsn, partition=partition))
            size = 0
        messages[-1].frames.append(frame)
        size += len(frame.table_data_zstd)
    for receipt in receipts:
        if size > MOST_PAYLOAD_BYTES:
            messages.append(replication_pb2.DownMessage(lsn=lsn, partition=partition))
            size = 0
        size += _RECEIPT_BYTES + len(receipt.hub_tick)
        messages[-1].receipts.add(
            outbox_number=receipt.outbox_number,
            device_id=receipt.device_id,
            device_epoch=receipt.device_epoch,
            sequence=receipt.sequence,
            decision=receipt.decision,
            lsn=receipt.lsn,
            hub_tick=receipt.hub_tick,
        )
    return [message.SerializeToString() for message in messages]


def read_up_message(content: bytes) -> Forwarded | RecordedSession:
    """What a gateway says.

    Raises:
        Rejected: `bad_message`.
    """
    try:
        message = replication_pb2.UpMessage.FromString(content)
    except DecodeError:
        raise Rejected("bad_message", place="UpMessage") from None
    match message.WhichOneof("message"):
        case "batch":
            held = message.batch
            return Forwarded(
                message.gateway_id,
                message.outbox_number,
                held.batch.header,
                held.batch.body,
                held.batch.signature,
                held.certificate,
                held.received_at,
                held.source,
                held.device_suspended,
            )
        case "session":
            fields = message.session.DESCRIPTOR.fields
            values = {field.name: getattr(message.session, field.name) for field in fields}
            return RecordedSession(message.gateway_id, message.outbox_number, values)
        case _:
            raise Rejected("bad_message", place="UpMessage")


def write_forwarded(held: Forwarded) -> bytes:
    """The same UpMessage again, for keeping."""
    return replication_pb2.UpMessage(
        gateway_id=held.gateway_id,
        outbox_number=held.outbox_number,
        batch=replication_pb2.ForwardedBatch(
            batch=batch_pb2.SignedBatch(
                header=held.header, body=held.body, signature=held.signature
            ),
            certificate=held.certificate,
            received_at=held.received_at,
            source=held.source,
            device_suspended=held.device_suspended,
        ),
    ).SerializeToString()
