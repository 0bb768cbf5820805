"""What a message would unfold to is known before it is unfolded."""

import pytest

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec import extent
from fieldmesh.codec.columns import encode_table
from fieldmesh.codec.extent import check_body, check_table
from fieldmesh.wire.v1 import batch_pb2, table_pb2
from tests.kit.rows import contacts


def _body(content: bytes, times: int = 1) -> bytes:
    body = batch_pb2.BatchBody()
    for _ in range(times):
        body.changes.add(operation=batch_pb2.OPERATION_INSERT, clocks=[1, 2, 3]).data.CopyFrom(
            table_pb2.TableData.FromString(content)
        )
    return body.SerializeToString()


def test_ordinary_messages_pass() -> None:
    """The guard must never stop real work."""
    content = encode_table(contacts(100)).SerializeToString()
    check_table(content)
    check_body(_body(content, 80))
    check_body(b"")


def test_megabytes_of_empty_columns_are_refused() -> None:
    """Two bytes each on the wire, a hundred in memory."""
    with pytest.raises(Rejected):
        check_table(b"\x1a\x00" * 2_000_000)
    bomb = b"\x1a\x00" * 1_000
    with pytest.raises(Rejected):
        check_body(b"\x0a\xd3\x0f\x12\xd0\x0f" + bomb)


def test_megabytes_of_empty_changes_are_refused() -> None:
    """The same, one level up."""
    check_body(b"\x0a\x00" * limits.BATCH_CHANGES)
    with pytest.raises(Rejected) as caught:
        check_body(b"\x0a\x00" * (limits.BATCH_CHANGES + 1))
    assert caught.value.code == "bad_batch"


def test_a_change_of_countless_fields_is_refused() -> None:
    """Clocks come packed; a million single ones are no honest encoder's."""
    fields = b"\x18\x00" * 1_000
    with pytest.raises(Rejected):
        check_body(b"\x0a\xd0\x0f" + fields)


def _sized(field: bytes, content: bytes) -> bytes:
    """A field of that tag with that content."""
    size, length = len(content), b""
    while size > 0x7F:
        size, length = size >> 7, length + bytes([size & 0x7F | 0x80])
    return field + length + bytes([size]) + content


def test_a_body_costs_no_more_than_its_limit_however_its_fields_are_spread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each level kept its own limit, all of them together came to eighteen seconds of processor."""
    table = b"\x1a\x00" * (limits.TABLE_COLUMNS + 8)
    change = _sized(b"\x12", table)
    body = _sized(b"\x0a", change) * limits.BATCH_CHANGES
    numbers, read = 0, extent._varint

    def counted(content: bytes, start: int, end: int) -> tuple[int, int]:
        nonlocal numbers
        numbers += 1
        assert numbers < 500_000
        return read(content, start, end)

    monkeypatch.setattr(extent, "_varint", counted)
    with pytest.raises(Rejected) as caught:
        check_body(body)
    assert caught.value.code == "bad_batch"


def test_a_change_has_one_table() -> None:
    """They would be merged to one, sixty-four times as large as was looked at."""
    data = _sized(b"\x12", encode_table(contacts(1)).SerializeToString())
    check_body(_sized(b"\x0a", data))
    with pytest.raises(Rejected) as caught:
        check_body(_sized(b"\x0a", data + data))
    assert caught.value.code == "bad_batch"


@pytest.mark.parametrize(
    "content",
    [b"\x0a", b"\x0a\xff\xff\xff\x7f", b"\xff" * 11, b"\x0b", b"\x09\x00", b"\x0d\x00"],
)
def test_bytes_that_are_no_message_are_refused(content: bytes) -> None:
    """A machine in doubt refuses."""
    with pytest.raises(Rejected) as caught:
        check_table(content)
    assert caught.value.code == "bad_message"


def test_fields_of_fixed_size_are_stepped_over() -> None:
    """A later version may use them."""
    check_table(b"\x99\x06" + bytes(8) + b"\x9d\x06" + bytes(4) + b"\x08\x01")
