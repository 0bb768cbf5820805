"""The order that tells a revoked device to erase itself, signed by the hub."""

from collections.abc import Callable

from fieldmesh.wire.v1 import enrol_pb2

_MOST_REASON = 200


def signed_wipe_order(
    device_id: bytes, *, ordered_at: int, reason: str, sign: Callable[[bytes], bytes]
) -> bytes:
    """A serialized SignedWipeOrder (enrol.proto) for one device.

    Args:
        device_id: who is to erase itself.
        ordered_at: UTC microseconds.
        reason: shown to the person, at most 200 characters.
        sign: signs with the hub's key.
    """
    order = enrol_pb2.WipeOrder(
        device_id=device_id, ordered_at=ordered_at, reason=reason[:_MOST_REASON]
    ).SerializeToString(deterministic=True)
    return enrol_pb2.SignedWipeOrder(order=order, signature=sign(order)).SerializeToString(
        deterministic=True
    )
