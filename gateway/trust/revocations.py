"""What a device's certificate is worth here. Holds while the hub is away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.enrolled_key import is_replaced

if TYPE_CHECKING:
    from fieldmesh.service.tls import PeerCertificate

DEVICE: Final = "device"


def check_device(peer: PeerCertificate, device_id: bytes) -> None:
    """The certificate is the device's own.

    Whether the device is revoked is the hub's word, which comes as data (``device.state``): a
    revoked device is let in just far enough to be told to wipe itself.

    Raises:
        Rejected: ``foreign_certificate``, ``another_node``.
    """
    if peer.node_kind != DEVICE:
        raise Rejected("foreign_certificate", place="certificate")
    if peer.node_id != device_id:
        raise Rejected("another_node", place="device_id")


def check_key(peer: PeerCertificate, enrolled_key: str) -> None:
    """No other key was enrolled for the device since its certificate was issued, as far as the hub has told.

    Raises:
        Rejected: ``key_replaced``.
    """
    if is_replaced(peer, enrolled_key):
        raise Rejected("key_replaced", place="certificate")
