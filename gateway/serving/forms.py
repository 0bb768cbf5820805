"""Facts of storage as they travel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fieldmesh.basics.codes import authority_fingerprint
from fieldmesh.service import tls
from fieldmesh.wire.v1 import session_pb2, table_pb2

if TYPE_CHECKING:
    from gateway.storage.devices import DeviceFacts
    from gateway.storage.digests import DigestRow

_STATES: Final = {
    "active": session_pb2.DEVICE_STATE_ACTIVE,
    "suspended": session_pb2.DEVICE_STATE_SUSPENDED,
    "spare": session_pb2.DEVICE_STATE_SPARE,
    "standing_in": session_pb2.DEVICE_STATE_STANDING_IN,
    "locked": session_pb2.DEVICE_STATE_LOCKED,
    "revoked": session_pb2.DEVICE_STATE_REVOKED,
}
OUTCOME_NAMES: Final = {
    session_pb2.OUTCOME_DONE: "done",
    session_pb2.OUTCOME_DOWNLOAD_DEFERRED: "deferred",
    session_pb2.OUTCOME_WIPE: "wiped",
    session_pb2.OUTCOME_FENCED: "fenced",
}


def to_ticks(facts: DeviceFacts, *, device_epoch: int, contiguous: int) -> session_pb2.Ticks:
    """One tick and two ticks of a device."""
    return session_pb2.Ticks(
        gateway_epoch=device_epoch,
        gateway_sequence=contiguous,
        hub_epoch=facts.tick.device_epoch,
        hub_sequence=facts.tick.sequence,
        hub_proof=facts.tick.proof,
    )


def to_digest(row: DigestRow) -> table_pb2.Digest:
    """The digest as it travels."""
    return table_pb2.Digest(
        partition=row.partition,
        table=row.table,
        bucket=row.bucket,
        rows=row.rows,
        low=row.low,
        high=row.high,
    )


def to_state(facts: DeviceFacts) -> session_pb2.DeviceState.ValueType:
    """What the device is told of itself."""
    if facts.handed_over:
        return session_pb2.DEVICE_STATE_LOCKED
    if facts.suspended:
        return session_pb2.DEVICE_STATE_SUSPENDED
    return _STATES.get(facts.state, session_pb2.DEVICE_STATE_UNSPECIFIED)


def news_of(authorities: bytes, held: bytes) -> bytes:
    """The network's authorities for a device that does not trust the newest yet; else nothing.

    Args:
        authorities: DER, one behind the other, the newest first.
        held: fingerprint of the newest that the device trusts; empty = it does not tell.
    """
    newest = authority_fingerprint(tls.each_certificate(authorities)[0])
    return b"" if held in {b"", newest} else authorities
