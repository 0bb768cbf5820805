"""Decoders by themselves: what reads the bytes of strangers before anything else does."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import zstandard
from google.protobuf.message import DecodeError, Message

from fieldmesh.basics.codes import make_code, parse_code
from fieldmesh.codec.batch import (
    BatchDraft,
    Change,
    Operation,
    decode_body,
    decode_header,
    encode_batch,
)
from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.frames import (
    FrameKind,
    FrameReader,
    RowRange,
    pack_frame,
    unpack_frame,
    write_frames,
)
from fieldmesh.codec.hub_tick import HubTick, read_tick, sign_tick
from fieldmesh.codec.replication import read_up_message
from fieldmesh.codec.signature import new_key, sign
from fieldmesh.service import tls
from fieldmesh.wire.v1 import batch_pb2, replication_pb2, table_pb2
from hub.web.enrolment import parse_request
from tests.attacks.fuzz.mutation import mutated
from tests.attacks.fuzz.running import Mutate, Prepared, Prepares, Target, nothing
from tests.integration.device.company import Authority

DEVICE = b"d" * 16
CONTACTS = from_rows(
    "contact",
    ("id", "outlet_id", "name", "phone", "consent"),
    [(bytes([n]) * 16, b"o" * 16, "Мария", None, n % 2) for n in range(9)],
)
VISITS = from_rows(
    "visit",
    ("id", "outlet_id", "started_at", "latitude", "result_code"),
    [(bytes([n]) * 16, b"o" * 16, 1_764_000_000_000_000, 42_697_000, "ok") for n in range(3)],
)
CHANGES = [
    Change(Operation.INSERT, CONTACTS, [n << 8 for n in range(9)]),
    Change(Operation.UPDATE, VISITS, [1, 2, 3]),
    Change(Operation.DELETE, CONTACTS.only(("id",)), []),
]
HEADER, BODY = encode_batch(BatchDraft(DEVICE, 1, 1, 5), CHANGES)


def pure(
    samples: Sequence[bytes], kind: type[Message] | None, read: Callable[[bytes], object]
) -> Target:
    """A target that is one function."""

    @asynccontextmanager
    async def prepared(_folder: Path) -> Prepares:
        async def feed(content: bytes) -> None:
            read(content)

        yield Prepared(feed, mutating(samples, kind), nothing)

    return prepared


def mutating(samples: Sequence[bytes], kind: type[Message] | None) -> Mutate:
    """Makes inputs of the samples."""
    return lambda chance: mutated(samples, kind, chance)


def well_said(content: bytes) -> tuple[bytes, bytes]:
    """A header that fits a body of that content, packed: what is wrong is inside."""
    body = zstandard.compress(content)
    told = batch_pb2.BatchHeader.FromString(HEADER)
    told.body_sha256 = hashlib.sha256(body).digest()
    told.body_uncompressed_size = len(content)
    try:
        inner = batch_pb2.BatchBody.FromString(content)
        told.rows = min(sum(one.data.rows for one in inner.changes), (1 << 32) - 1)
    except DecodeError:
        told.rows = 1
    return told.SerializeToString(), body


def _read_body(content: bytes) -> object:
    header, body = well_said(content)
    return decode_body(decode_header(header), body)


def _read_packed_body(content: bytes) -> object:
    told = batch_pb2.BatchHeader.FromString(HEADER)
    told.body_sha256 = hashlib.sha256(content).digest()
    return decode_body(decode_header(told.SerializeToString()), content)


def _read_frame(content: bytes) -> object:
    try:
        frame = table_pb2.Frame.FromString(content)
    except DecodeError:
        return None
    return unpack_frame(frame)


def _read_table(content: bytes) -> object:
    frame = table_pb2.Frame(
        kind=table_pb2.FRAME_KIND_ROWS,
        table_data_zstd=zstandard.compress(content),
        uncompressed_size=len(content),
    )
    return unpack_frame(frame)


def _read_stream(content: bytes) -> list[object]:
    reader = FrameReader()
    pieces: Iterable[bytes] = (
        content[start : start + 700] for start in range(0, len(content), 700)
    )
    return [unpack_frame(frame) for piece in pieces for frame in reader.feed(piece)]


def _read_code(content: bytes) -> object:
    return parse_code(content.decode("latin-1"))


def _read_request(content: bytes) -> object:
    try:
        body = json.loads(content.decode("utf-8", errors="surrogateescape"))
    except (ValueError, RecursionError):
        return None
    return parse_request(body)


_KEY = new_key()
_TICK = sign_tick(HubTick(DEVICE, 2, 7, b"s" * 32), lambda content: sign(_KEY, content))
_FRAMES = [
    pack_frame(FrameKind.ROWS, CONTACTS),
    pack_frame(FrameKind.REPLACE, VISITS, RowRange(5, "visit", 0, 255)),
    pack_frame(
        FrameKind.REMOVALS, from_rows("visit", ("id", "partition", "lsn"), [(DEVICE, 5, 9)])
    ),
]
_UP = replication_pb2.UpMessage(gateway_id=b"g" * 16, outbox_number=3)
_UP.batch.batch.header, _UP.batch.batch.body, _UP.batch.certificate = HEADER, BODY, b"c" * 300
_SESSION = replication_pb2.UpMessage(gateway_id=b"g" * 16)
_SESSION.session.mode, _SESSION.session.rows_up = "fast", 5
_CERTIFICATE = Authority().issue(_KEY.public_key(), tls.device_uri(DEVICE), [])
_REQUEST = {
    "code": "FM-A-B",
    "csr": "AAAA",
    "addresses": ["a:1", "b:2"],
    "name": "G",
    "bus_key": "U",
}

PURE: dict[str, Target] = {
    "batch_header": pure([HEADER], batch_pb2.BatchHeader, decode_header),
    "batch_body": pure([zstandard.decompress(BODY)], batch_pb2.BatchBody, _read_body),
    "packed_body": pure([BODY], None, _read_packed_body),
    "frame": pure([one.SerializeToString() for one in _FRAMES], table_pb2.Frame, _read_frame),
    "table_data": pure(
        [zstandard.decompress(one.table_data_zstd) for one in _FRAMES],
        table_pb2.TableData,
        _read_table,
    ),
    "frame_stream": pure([write_frames(_FRAMES)], None, _read_stream),
    "up_message": pure(
        [_UP.SerializeToString(), _SESSION.SerializeToString()],
        replication_pb2.UpMessage,
        read_up_message,
    ),
    "hub_tick": pure(
        [_TICK],
        batch_pb2.SignedHubTick,
        lambda content: read_tick(content, hub_key=tls.public_key_der(_KEY), device_id=DEVICE),
    ),
    "certificate": pure([_CERTIFICATE], None, tls.read_certificate),
    "code": pure([make_code(b"0123456789", b"c").encode()], None, _read_code),
    "enrolment_page": pure([json.dumps(_REQUEST).encode()], None, _read_request),
}
