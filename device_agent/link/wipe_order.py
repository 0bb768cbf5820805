"""An order to erase the device: valid only when the hub signed it, for this device."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.protobuf.message import DecodeError

from fieldmesh.basics.errors import Rejected
from fieldmesh.wire.v1 import enrol_pb2


def check_wipe_order(signed_order: bytes, *, hub_key: bytes, device_id: bytes) -> str:
    """The reason of the order, which is genuine and means this device.

    A gateway cannot erase a device by itself: it only carries what the hub signed.

    Raises:
        Rejected: `wipe_order_invalid`, with what is wrong with it.
    """
    try:
        signed = enrol_pb2.SignedWipeOrder.FromString(signed_order)
        order = enrol_pb2.WipeOrder.FromString(signed.order)
    except DecodeError:
        raise Rejected("wipe_order_invalid", place="wipe order", why="unreadable") from None
    key = load_der_public_key(hub_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Rejected("wipe_order_invalid", place="hub key", why="not an EC key")
    try:
        key.verify(signed.signature, signed.order, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise Rejected("wipe_order_invalid", place="wipe order", why="signature") from None
    if order.device_id != device_id:
        raise Rejected("wipe_order_invalid", place="wipe order", why="another device")
    return order.reason
