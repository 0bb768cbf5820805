"""The hub's signed word on how far it has applied a device's batches. Promise 1 (No loss).

A device forgets a batch on this and on nothing else, so a gateway that lies can't make it forget what the hub has
never seen. What is signed begins with words that no other signed message begins with: 'f' is no tag of a protobuf
field, so a tick is no wipe order, and the other way round.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.protobuf.message import DecodeError

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec import signature
from fieldmesh.wire.v1 import batch_pb2

_CONTEXT = b"fieldmesh hub tick\0"


@dataclass(frozen=True, slots=True)
class HubTick:
    """The hub has applied this batch of the device, and every one before it.

    Attributes:
        sha256: of the batch's header bytes.
    """

    device_id: bytes
    device_epoch: int
    sequence: int
    sha256: bytes


def sign_tick(tick: HubTick, sign: Callable[[bytes], bytes]) -> bytes:
    """A serialized SignedHubTick; ``sign`` signs with the hub's key."""
    content = batch_pb2.HubTick(
        device_id=tick.device_id,
        device_epoch=tick.device_epoch,
        sequence=tick.sequence,
        header_sha256=tick.sha256,
    ).SerializeToString()
    signed = batch_pb2.SignedHubTick(tick=content, signature=sign(_CONTEXT + content))
    return signed.SerializeToString()


def read_tick(content: bytes, *, hub_key: bytes, device_id: bytes) -> HubTick:
    """What the hub has said to this device.

    Args:
        content: a serialized SignedHubTick.
        hub_key: public key of the hub, DER.
        device_id: who asks.

    Raises:
        Rejected: `hub_tick_invalid`: the hub has not said it, or not of this device.
    """
    try:
        signed = batch_pb2.SignedHubTick.FromString(content)
        tick = batch_pb2.HubTick.FromString(signed.tick)
    except DecodeError:
        raise Rejected("hub_tick_invalid", place="hub tick", why="unreadable") from None
    key = load_der_public_key(hub_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Rejected("hub_tick_invalid", place="hub key", why="not an EC key")
    try:
        signature.verify(key, _CONTEXT + signed.tick, signed.signature)
    except Rejected:
        raise Rejected("hub_tick_invalid", place="hub tick", why="signature") from None
    if tick.device_id != device_id:
        raise Rejected("hub_tick_invalid", place="hub tick", why="another device")
    return HubTick(tick.device_id, tick.device_epoch, tick.sequence, tick.header_sha256)
