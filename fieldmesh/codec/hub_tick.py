"""The hub's signed word on how far it has applied a device's batches. Promise 1 (No loss).

A device forgets a batch on this and on nothing else, so a gateway that lies can't make it forget what the hub has
never seen. What is signed begins with words that no other signed message begins with: 'f' is no tag of a protobuf
field, so a tick is no wipe order, and the other way round.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.hub_word import check_word, parse_word
from fieldmesh.wire.v1 import batch_pb2

_CONTEXT = b"fieldmesh hub tick\0"
_CODE, _PLACE = "hub_tick_invalid", "hub tick"


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
    signed = parse_word(batch_pb2.SignedHubTick, content, code=_CODE, place=_PLACE)
    tick = parse_word(batch_pb2.HubTick, signed.tick, code=_CODE, place=_PLACE)
    said = _CONTEXT + signed.tick
    check_word(said, signed.signature, hub_key=hub_key, code=_CODE, place=_PLACE)
    if tick.device_id != device_id:
        raise Rejected(_CODE, place=_PLACE, why="another device")
    return HubTick(tick.device_id, tick.device_epoch, tick.sequence, tick.header_sha256)
