"""An order to erase the device: valid only when the hub signed it, for this device."""

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.hub_word import check_word, parse_word
from fieldmesh.wire.v1 import enrol_pb2

_CODE, _PLACE = "wipe_order_invalid", "wipe order"


def check_wipe_order(signed_order: bytes, *, hub_key: bytes, device_id: bytes) -> str:
    """The reason of the order, which is genuine and means this device.

    A gateway cannot erase a device by itself: it only carries what the hub signed.

    Raises:
        Rejected: `wipe_order_invalid`, with what is wrong with it.
    """
    signed = parse_word(enrol_pb2.SignedWipeOrder, signed_order, code=_CODE, place=_PLACE)
    order = parse_word(enrol_pb2.WipeOrder, signed.order, code=_CODE, place=_PLACE)
    check_word(signed.order, signed.signature, hub_key=hub_key, code=_CODE, place=_PLACE)
    if order.device_id != device_id:
        raise Rejected(_CODE, place=_PLACE, why="another device")
    return order.reason
