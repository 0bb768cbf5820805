"""Batches that a device brings: checked, stored in one transaction, then acknowledged.

Promises 1 (No loss) and 2 (Once). Checked is only what a gateway can know: sizes, the device's own
name, the digest of the body and the signature. A body that cannot be decoded is stored and
forwarded all the same: the hub decides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fieldmesh.basics import limits
from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.codec import batch as batch_codec
from fieldmesh.codec import signature
from fieldmesh.wire.v1 import batch_pb2, replication_pb2
from gateway.storage.inbox import ReceivedBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from gateway.serving.stream import DeviceStream

SOURCE_WIRE: Final = "wire"
SOURCE_CARRIER: Final = "carrier"
GROUP_BATCHES: Final = 16
_GROUP_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose batches these are, and how they came.

    Attributes:
        newest_epoch: the one that the device works under, nobody has granted it a newer one; None = not known.
        public_key: of the device's certificate.
        certificate: DER, goes to the hub with each batch.
        suspended: whether a spare is known to stand in for the device.
    """

    device_id: bytes
    newest_epoch: int | None
    public_key: ec.EllipticCurvePublicKey
    certificate: bytes
    source: str
    suspended: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Batches as they were read off a stream.

    Attributes:
        batches: in order.
        ended: whether the device has no more.
        problem: why reading ended before that; what was read before it is sound all the same.
    """

    batches: list[batch_pb2.SignedBatch]
    ended: bool = False
    problem: FieldmeshError | None = None


async def receive_group(stream: DeviceStream, check_disk: Callable[[], None]) -> Group:
    """The next batches, as many as are stored in one transaction."""
    batches: list[batch_pb2.SignedBatch] = []
    size = 0
    try:
        while len(batches) < GROUP_BATCHES and size < _GROUP_BYTES:
            message = await stream.receive()
            kind = message.WhichOneof("message")
            if kind == "upload_end":
                return Group(batches, ended=True)
            if kind != "batch":
                raise Rejected("unexpected_message", expected="batch", found=str(kind))
            check_disk()
            batches.append(message.batch)
            size += message.batch.ByteSize()
    except FieldmeshError as problem:
        return Group(batches, problem=problem)
    return Group(batches)


def check_batches(
    batches: Sequence[batch_pb2.SignedBatch], sender: Sender, received_at: int
) -> tuple[list[ReceivedBatch], Rejected | None]:
    """The batches before the first bad one, ready to be stored. Takes CPU time: call it in a thread.

    Returns:
        The batches, and why the next one can't be taken: it is too big, not the sender's, altered,
        or not signed by it; None when all are good.
    """
    checked: list[ReceivedBatch] = []
    for batch in batches:
        try:
            checked.append(_check(batch, sender, received_at))
        except Rejected as problem:
            return checked, problem
    return checked, None


def _check(batch: batch_pb2.SignedBatch, sender: Sender, received_at: int) -> ReceivedBatch:
    if (
        len(batch.header) > limits.BATCH_HEADER_BYTES
        or len(batch.body) > limits.BATCH_BODY_BYTES
        # Fields that this release doesn't know go along, and no signature covers them.
        or batch.ByteSize() > limits.BATCH_BYTES
    ):
        raise Rejected("batch_too_large", size=batch.ByteSize())
    header = batch_codec.decode_header(batch.header)
    place = f"batch {header.device_epoch}/{header.sequence}"
    if header.device_id != sender.device_id:
        raise Rejected("foreign_batch", place=place)
    if hashlib.sha256(batch.body).digest() != header.body_sha256:
        raise Rejected("altered_batch", place=place)
    if sender.newest_epoch is not None and header.device_epoch > sender.newest_epoch:
        raise Rejected("bad_batch", place=f"device_epoch of {place}")
    batch_codec.check_names_a_batch(header)
    signature.verify(sender.public_key, batch.header, batch.signature, place=place)
    payload = replication_pb2.ForwardedBatch(
        batch=batch,
        certificate=sender.certificate,
        received_at=received_at,
        source=sender.source,
        device_suspended=sender.suspended,
    ).SerializeToString()
    return ReceivedBatch(
        device_id=header.device_id,
        device_epoch=header.device_epoch,
        sequence=header.sequence,
        sha256=hashlib.sha256(batch.header).digest(),
        payload=payload,
        rows=header.rows,
        size_bytes=len(batch.header) + len(batch.body),
        handover=header.handover_first_device_id is not None,
        previous_sha256=header.previous_sha256,
    )
