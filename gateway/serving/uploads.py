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
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec import batch as batch_codec
from fieldmesh.codec import signature
from fieldmesh.wire.v1 import batch_pb2, replication_pb2
from gateway.storage.inbox import ReceivedBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

SOURCE_WIRE: Final = "wire"
SOURCE_CARRIER: Final = "carrier"


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose batches these are, and how they came.

    Attributes:
        public_key: of the device's certificate.
        certificate: DER, goes to the hub with each batch.
        suspended: whether a spare is known to stand in for the device.
    """

    device_id: bytes
    public_key: ec.EllipticCurvePublicKey
    certificate: bytes
    source: str
    suspended: bool


def check_batches(
    batches: Sequence[batch_pb2.SignedBatch], sender: Sender, received_at: int
) -> list[ReceivedBatch]:
    """The batches, ready to be stored. Takes CPU time: call it in a thread.

    Raises:
        Rejected: the batch is too big, not the sender's, altered, or not signed by it.
    """
    return [_check(batch, sender, received_at) for batch in batches]


def _check(batch: batch_pb2.SignedBatch, sender: Sender, received_at: int) -> ReceivedBatch:
    if len(batch.header) > limits.BATCH_HEADER_BYTES or len(batch.body) > limits.BATCH_BODY_BYTES:
        raise Rejected("batch_too_large", size=len(batch.header) + len(batch.body))
    header = batch_codec.decode_header(batch.header)
    place = f"batch {header.device_epoch}/{header.sequence}"
    if header.device_id != sender.device_id:
        raise Rejected("foreign_batch", place=place)
    if hashlib.sha256(batch.body).digest() != header.body_sha256:
        raise Rejected("altered_batch", place=place)
    signature.verify(sender.public_key, batch.header, batch.signature)
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
