"""Batches carried by hand: the file that `export` writes and any gateway of the network takes in."""

from collections.abc import Iterable

from google.protobuf.message import DecodeError

from device_agent.link.messages import SignedBytes
from fieldmesh.basics.errors import Rejected
from fieldmesh.wire.v1 import batch_pb2

FORMAT = 1


def write_carrier(certificate: bytes, batches: Iterable[SignedBytes]) -> bytes:
    """The bytes of a carrier file. Whoever carries it cannot alter the batches: they are signed."""
    carrier = batch_pb2.CarrierFile(format=FORMAT, device_certificate=certificate)
    for batch in batches:
        carrier.batches.add(header=batch.header, body=batch.body, signature=batch.signature)
    return carrier.SerializeToString()


def read_carrier(content: bytes) -> tuple[bytes, list[SignedBytes]]:
    """Certificate and batches of a carrier file.

    Raises:
        Rejected: `bad_carrier_file`.
    """
    try:
        carrier = batch_pb2.CarrierFile.FromString(content)
        headers = [batch_pb2.BatchHeader.FromString(found.header) for found in carrier.batches]
    except DecodeError:
        raise Rejected("bad_carrier_file", place="carrier file") from None
    if carrier.format != FORMAT:
        raise Rejected("bad_carrier_file", place="carrier file format")
    batches = [
        SignedBytes(header.sequence, found.header, found.body, found.signature)
        for header, found in zip(headers, carrier.batches, strict=True)
    ]
    return carrier.device_certificate, batches
