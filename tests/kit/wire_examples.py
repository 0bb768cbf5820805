"""Messages of the release, and the worked examples of docs/protocol.md.

``python -m tests.kit.wire_examples`` writes the examples into the page after a change that is
meant, and the bytes of messages that have no file yet. Files that stand are never written again:
they are what older nodes sent.
"""

import hashlib
import json
import re
from pathlib import Path

import zstandard
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from fieldmesh.basics.codes import make_code
from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.batch import BatchDraft, Change, Operation, encode_batch
from fieldmesh.codec.columns import TableRows, encode_table
from fieldmesh.codec.frames import FrameKind, pack_frame
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.codec.signature import verify
from fieldmesh.data.schema import TABLES
from fieldmesh.replica.digest import sums_of
from fieldmesh.replica.partition import partition_id, patch_id
from fieldmesh.wire.v1 import batch_pb2, enrol_pb2, replication_pb2, session_pb2

FOLDER = Path(__file__).parents[1] / "data" / "v1"
PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
BLOCK = re.compile(r"(<!-- example: ([a-z0-9-]+) -->\n```[a-z]*\n)(.*?)(\n```)", re.DOTALL)

DEVICE = bytes(range(16))
FIRST, SECOND = (
    bytes.fromhex("0192f0c1a3b47c5d8e6f001122334401"),
    bytes.fromhex("0192f0c1a3b47c5d8e6f001122334402"),
)
OUTLET = bytes.fromhex("0192f0c1a3b47c5d8e6f00112233445a")
AT = 1_764_000_000_000_000
LSN = (1 << 40) + 1
NEW = TableRows(
    "contact",
    ("id", "outlet_id", "name", "phone", "consent"),
    [[FIRST, SECOND], [OUTLET, OUTLET], ["Мария", "Ivan"], ["+359", None], [1, 0]],
)
CONFIRMED = (
    NEW.with_column("created_at", [AT, AT])
    .with_column("changed_at", [AT, AT + 5])
    .with_column("partition", [7, 7])
    .with_column("lsn", [LSN, LSN])
)
KEY = ec.derive_private_key(20_261_123, ec.SECP256R1())
SIGNATURE = bytes.fromhex(
    "3045022100bc1859f06d55446d24749fa23be3a66b7417413157f41ed0c70fe887de75fa"
    "d102206d01378e4f05537d2d3df969e788d66dcc035ae3fa12a0ed9fe9e6db5e04a334"
)
"""Of the example's header, by `KEY`: made once, because signatures differ each time."""
CHANGES = [
    Change(Operation.INSERT, NEW, [AT << CLOCK_COUNTER_BITS, (AT << CLOCK_COUNTER_BITS) + 1])
]


def _signed() -> tuple[bytes, bytes]:
    """Header and body as they were made for the release: another zstd may pack otherwise."""
    path = FOLDER / "signed_batch.bin"
    if not path.exists():
        return encode_batch(BatchDraft(DEVICE, 1, 1, AT), CHANGES)
    held = batch_pb2.SignedBatch.FromString(path.read_bytes())
    return held.header, held.body


HEADER, BODY = _signed()
_BATCH = batch_pb2.SignedBatch(header=HEADER, body=BODY, signature=SIGNATURE)
_TICKS = session_pb2.Ticks(gateway_epoch=1, gateway_sequence=7, hub_epoch=1, hub_sequence=5)

MESSAGES: dict[str, Message] = {
    "table_data": encode_table(NEW),
    "frame": pack_frame(FrameKind.ROWS, CONFIRMED),
    "signed_batch": _BATCH,
    "batch_header": batch_pb2.BatchHeader.FromString(HEADER),
    "carrier_file": batch_pb2.CarrierFile(format=1, device_certificate=b"DER", batches=[_BATCH]),
    "hello": session_pb2.DeviceMessage(
        hello=session_pb2.Hello(
            device_id=DEVICE,
            device_epoch=1,
            mode=session_pb2.MODE_FULL,
            schema_version=1,
            protocol_version=1,
            app_version="0.1.0",
            cursor_lsn=LSN,
            partitions=[partition_id("global"), partition_id("device", DEVICE)],
            last_sequence=7,
            last_sha256=bytes(32),
            device_time=AT,
            session_id=FIRST,
            network="wifi",
        )
    ),
    "welcome": session_pb2.GatewayMessage(
        welcome=session_pb2.Welcome(
            gateway_id=SECOND,
            gateway_time=AT,
            mark_lsn=LSN,
            device_state=session_pb2.DEVICE_STATE_ACTIVE,
            ticks=_TICKS,
            hub_reachable=True,
            next_sequence=8,
        )
    ),
    "download_start": session_pb2.GatewayMessage(
        download_start=session_pb2.DownloadStart(
            download_id=FIRST,
            kind=session_pb2.DOWNLOAD_KIND_DELTA,
            size=9,
            sha256=bytes(32),
            mark_lsn=LSN,
            partitions=[1, 2],
            whole=[2],
            dropped=[3],
            ticks=_TICKS,
        )
    ),
    "done": session_pb2.GatewayMessage(
        done=session_pb2.Done(outcome=session_pb2.OUTCOME_DONE, rows_up=2, ticks=_TICKS)
    ),
    "enrol_request": enrol_pb2.EnrolRequest(code="FM-A-B", csr=b"DER", hardware_id="1"),
    "up_message": replication_pb2.UpMessage(
        gateway_id=SECOND,
        outbox_number=3,
        batch=replication_pb2.ForwardedBatch(batch=_BATCH, certificate=b"DER", source="wire"),
    ),
    "down_message": replication_pb2.DownMessage(
        lsn=LSN, partition=7, frames=[pack_frame(FrameKind.ROWS, CONFIRMED)]
    ),
    "mark": replication_pb2.Mark(lsn=LSN, at=AT),
}
"""Messages whose bytes of the release are kept; add, never change."""


def verify_signature() -> None:
    """The signature of the example is the key's.

    Raises:
        Rejected: it is not.
    """
    verify(KEY.public_key(), HEADER, SIGNATURE)


def examples() -> dict[str, str]:
    """Name of an example → its text in docs/protocol.md."""
    table = TABLES["contact"]
    hashes = row_hashes(CONFIRMED, table)
    sums = sums_of(hashes)
    content = encode_table(NEW).SerializeToString()
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "enrolment-code": make_code(bytes(range(10)), b"authority"),
        "table-data": _hex(content),
        "batch-body": _hex(zstandard.ZstdDecompressor().decompress(BODY)),
        "batch-body-zstd": _hex(BODY),
        "batch-header": _hex(HEADER),
        "batch-header-sha256": hashlib.sha256(HEADER).hexdigest(),
        "public-key": _hex(public),
        "signature": _hex(SIGNATURE),
        "row-text": _hash_text(),
        "row-hashes": "\n".join(str(value) for value in hashes),
        "digest": f"rows {sums.rows}\nlow {sums.low}\nhigh {sums.high}",
        "partitions": "\n".join(
            f"{name} {number}"
            for name, number in (
                ("global:", partition_id("global")),
                (f"device:{DEVICE.hex()}", partition_id("device", DEVICE)),
                (f"patch:{patch_id([OUTLET]).hex()}", partition_id("patch", patch_id([OUTLET]))),
            )
        ),
        "patch": patch_id([OUTLET]).hex(),
    }


def _hash_text() -> str:
    """The text behind the first row's hash, separators visible."""
    row = dict(zip(CONFIRMED.names, CONFIRMED.rows()[0], strict=True))
    lines = [f"contact␟{LSN}␞"]
    for name in sorted(set(row) - {"partition", "lsn"}):
        value = row[name]
        if value is not None:
            lines.append(f"{name}␟{value.hex() if isinstance(value, bytes) else value}␞")
    return "\n".join(lines)


def _hex(content: bytes) -> str:
    text = content.hex()
    return "\n".join(text[start : start + 96] for start in range(0, len(text), 96))


def _write_files() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    index = FOLDER / "messages.json"
    meant = json.loads(index.read_text("utf-8")) if index.exists() else {}
    for name, message in MESSAGES.items():
        path = FOLDER / f"{name}.bin"
        if not path.exists():
            path.write_bytes(message.SerializeToString())
            meant[name] = MessageToDict(message, preserving_proto_field_name=True)
    index.write_text(json.dumps(meant, indent=1, sort_keys=True) + "\n", "utf-8")


def _write_page() -> None:
    held = examples()
    text = PAGE.read_text("utf-8")
    PAGE.write_text(BLOCK.sub(lambda m: m[1] + held[m[2]] + m[4], text), "utf-8")


if __name__ == "__main__":
    verify_signature()
    _write_files()
    if PAGE.exists():
        _write_page()
