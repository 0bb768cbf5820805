"""Messages between gateway and hub."""

from dataclasses import replace

import pytest

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import TableRows
from fieldmesh.codec.frames import FrameKind, unpack_frame
from fieldmesh.codec.replication import (
    MOST_PAYLOAD_BYTES,
    BatchReceipt,
    Forwarded,
    RecordedSession,
    down_messages,
    read_up_message,
    write_forwarded,
)
from fieldmesh.wire.v1 import replication_pb2
from tests.kit.rows import contacts, row_id

RECEIPT = BatchReceipt(5, bytes(16), 1, 9, "applied", 1 << 40)
FORWARDED = Forwarded(bytes(16), 3, b"header", b"body", b"sig", b"cert", 7, "wire", True)  # noqa: FBT003


def test_a_forwarded_batch_is_kept_as_it_came() -> None:
    """Quarantine keeps these bytes for a retry."""
    assert read_up_message(write_forwarded(FORWARDED)) == FORWARDED


def test_a_session_record_comes_with_all_its_fields() -> None:
    """The hub's journal tells who synced where, and how it ended."""
    message = replication_pb2.UpMessage(gateway_id=bytes(16), outbox_number=4)
    message.session.outcome = "done"
    message.session.rows_up = 630
    found = read_up_message(message.SerializeToString())
    assert isinstance(found, RecordedSession)
    assert found.outbox_number == 4
    assert found.values["outcome"] == "done"
    assert found.values["rows_up"] == 630
    assert set(found.values) == {
        field.name for field in replication_pb2.SessionRecord.DESCRIPTOR.fields
    }


@pytest.mark.parametrize("content", [b"", b"\xff\xff"])
def test_what_is_neither_batch_nor_session_is_refused(content: bytes) -> None:
    """It goes into quarantine with its bytes."""
    with pytest.raises(Rejected) as caught:
        read_up_message(content)
    assert caught.value.code == "bad_message"


def test_one_transaction_says_one_thing_to_a_partition() -> None:
    """Rows, removals and receipts of one LSN become visible together."""
    removed = TableRows("contact", ("id", "partition", "lsn"), [[row_id(9)], [5], [1 << 40]])
    content = [(FrameKind.REMOVALS, removed), (FrameKind.ROWS, contacts(3))]
    (payload,) = down_messages(1 << 40, 5, content, [RECEIPT])
    message = replication_pb2.DownMessage.FromString(payload)
    assert (message.lsn, message.partition) == (1 << 40, 5)
    assert [unpack_frame(frame).kind for frame in message.frames] == [
        FrameKind.REMOVALS,
        FrameKind.ROWS,
    ]
    assert message.receipts[0].sequence == 9


def test_a_large_transaction_becomes_messages_that_the_bus_takes() -> None:
    """The broker refuses more than its limit, and the relay would stand still."""
    ids = [row_id(number) for number in range(60)]
    noise = [bytes([number]) + row_id(number) * 4 for number in range(60)]
    rows = TableRows("photo", ("id", "sha256"), [list(ids), list(noise)])
    payloads = down_messages(1, 2, [(FrameKind.ROWS, rows)] * 20)
    assert len(payloads) == 1
    big = TableRows(
        "photo",
        ("id", "sha256"),
        [
            list(ids),
            [bytes((number * place) % 251 for place in range(40_000)) for number in range(60)],
        ],
    )
    payloads = down_messages(1, 2, [(FrameKind.ROWS, big)] * 20, [RECEIPT])
    assert max(map(len, payloads)) < limits.FRAME_BYTES + MOST_PAYLOAD_BYTES
    counted = [replication_pb2.DownMessage.FromString(payload) for payload in payloads]
    assert sum(len(message.frames) for message in counted) >= 20
    assert [len(message.receipts) for message in counted][-1] == 1


def test_many_receipts_become_messages_that_the_bus_takes() -> None:
    """A device may have tens of thousands of batches waiting, all decided at once; the relay would stand still."""
    receipts = [replace(RECEIPT, hub_tick=bytes(150))] * 40_000
    payloads = down_messages(1 << 40, 2, [], receipts)
    assert max(map(len, payloads)) < limits.FRAME_BYTES + MOST_PAYLOAD_BYTES
    counted = [replication_pb2.DownMessage.FromString(payload) for payload in payloads]
    assert sum(len(message.receipts) for message in counted) == 40_000
    assert len(payloads) > 10
