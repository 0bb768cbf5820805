"""A device's signed word that it is at a gateway now. Promise 6 (Scope).

Only with it the hub lends a roaming device's rows to a gateway: one that names any device it likes gets nothing.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec import signature

_CONTEXT = b"fieldmesh presence\0"
HOLDS_US = 7 * 86_400 * 1_000_000
"""How long such a word holds, either way: clocks of devices may be wrong by days before they are measured."""


def sign_presence(
    device_id: bytes, gateway_id: bytes, at: int, sign: Callable[[bytes], bytes]
) -> bytes:
    """The device's signature: it is at that gateway ``at`` UTC microseconds."""
    return sign(_content(device_id, gateway_id, at))


def check_presence(
    key: ec.EllipticCurvePublicKey,
    word: bytes,
    *,
    device_id: bytes,
    gateway_id: bytes,
    at: int,
    now: int,
) -> None:
    """The device has said so itself, and not long ago.

    Raises:
        Rejected: `presence_unproven`.
    """
    try:
        signature.verify(key, _content(device_id, gateway_id, at), word)
    except Rejected:
        raise Rejected("presence_unproven", place="signature") from None
    if abs(now - at) > HOLDS_US:
        raise Rejected("presence_unproven", place="time")


def _content(device_id: bytes, gateway_id: bytes, at: int) -> bytes:
    return _CONTEXT + device_id + gateway_id + at.to_bytes(8, "big", signed=True)
