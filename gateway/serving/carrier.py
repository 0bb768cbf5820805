"""Batches carried by hand: a device's export file taken in as if it had come by wire."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from fieldmesh.basics.errors import Rejected
from fieldmesh.service import tls
from fieldmesh.wire.v1 import batch_pb2
from gateway.serving.uploads import GROUP_BATCHES, SOURCE_CARRIER, Sender, check_batches
from gateway.storage import devices, inbox
from gateway.trust.peers import public_key_of

if TYPE_CHECKING:
    from pathlib import Path

    from fieldmesh.basics.clock import Clock
    from fieldmesh.service.database import Database
    from gateway.storage.signals import Signals

FORMAT: Final = 1
MOST_BYTES: Final = 512 * 1024 * 1024


def read_carrier(path: Path) -> bytes:
    """The bytes of a carrier file.

    Raises:
        Rejected: ``bad_carrier_file`` if it is missing or larger than is allowed.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Rejected("bad_carrier_file", place=str(path))
        return path.read_bytes()
    except OSError as error:
        raise Rejected("file_unreadable", place=str(path)) from error


async def import_file(
    data: bytes, *, database: Database, signals: Signals, clock: Clock, authority: bytes
) -> dict[str, object]:
    """Every batch of the file is held here, once, and on its way to the hub.

    Args:
        data: a serialized CarrierFile.
        database: the gateway's database.
        signals: to wake the uplink.
        clock: time of receipt.
        authority: the hub's certificate, DER: the device's certificate must be signed by it.

    Returns:
        What it came to, for people.

    Raises:
        Rejected: ``bad_carrier_file``, ``foreign_certificate``, or a batch that is not right:
            those before it are stored.
        Fenced: ``device_revoked``.
    """
    try:
        file = batch_pb2.CarrierFile.FromString(data)
    except DecodeError as error:
        raise Rejected("bad_carrier_file") from error
    if file.format != FORMAT:
        raise Rejected("bad_carrier_file", format=file.format)
    peer = await asyncio.to_thread(tls.check_certificate, file.device_certificate, authority)
    if peer.node_kind != "device":
        raise Rejected("foreign_certificate", place="device_certificate")
    facts = await database.read(partial(devices.read_facts, device_id=peer.node_id))
    if facts.state == "revoked":
        raise Rejected("device_revoked")
    sender = Sender(
        device_id=peer.node_id,
        newest_epoch=None,
        public_key=public_key_of(peer.der),
        certificate=peer.der,
        source=SOURCE_CARRIER,
        suspended=facts.suspended,
    )
    total = inbox.Stored(0, 0, 0)
    for start in range(0, len(file.batches), GROUP_BATCHES):
        group = file.batches[start : start + GROUP_BATCHES]
        now = clock.now()
        checked, problem = await asyncio.to_thread(check_batches, group, sender, now)
        stored = await database.write(partial(inbox.store_batches, batches=checked, now=now))
        signals.outbox_grown.give()
        if problem is not None:
            raise problem
        total += stored
    return {
        "device": peer.node_id.hex(),
        "batches": len(file.batches),
        "new": total.new,
        "held_before": total.known,
        "differing": total.differing,
    }
