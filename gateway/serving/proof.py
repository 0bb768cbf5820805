"""What a gateway holds of a device, counted with what head office has: also where the device is a guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.hub_tick import read_tick
from gateway.storage import devices, inbox

if TYPE_CHECKING:
    from fieldmesh.wire.v1 import session_pb2
    from gateway.storage.devices import DeviceFacts, HubTick
    from gateway.storage.transaction import Transaction


def proven_tick(hello: session_pb2.Hello, hub_key: bytes) -> HubTick:
    """How far head office has the device's batches, as the device proves it by the hub's signed word.

    A guest's earlier batches went through elsewhere, and with the hub away nobody else can tell of them. A word that
    is not the hub's proves nothing, and is no reason to refuse what the device brings.

    Args:
        hello: what the device says.
        hub_key: public key of the hub, DER.
    """
    if not hello.hub_proof:
        return devices.HubTick()
    try:
        tick = read_tick(hello.hub_proof, hub_key=hub_key, device_id=hello.device_id)
    except Rejected:
        return devices.HubTick()
    return devices.HubTick(tick.device_epoch, tick.sequence)


def applied_through(proven: HubTick, device_epoch: int) -> int:
    """The newest batch of the epoch that the device has proven to be applied, and so has forgotten; 0 = none."""
    return proven.sequence if proven.device_epoch == device_epoch else 0


def held_up_to(
    connection: Transaction, facts: DeviceFacts, proven: HubTick, device_epoch: int
) -> int:
    """The newest batch of the epoch up to which none is missing, here or at head office; 0 = not even the first."""
    known = [one.sequence for one in (facts.tick, proven) if one.device_epoch == device_epoch]
    return inbox.contiguous_sequence(
        connection, facts.device_id, device_epoch, applied=max(known, default=0)
    )
