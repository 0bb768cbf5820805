"""Session records of devices and gateways stand in `sync_session` and in the journal. Promise 9 (Audit)."""

from collections.abc import Callable, Sequence

from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.replication import BatchReceipt, RecordedSession
from fieldmesh.data.domain import SEPARATORS, bounds
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value, WireType, as_bytes
from hub.storage import journal
from hub.storage.changes import ChangeWriter
from hub.storage.presence import sessions_present

RECORDED = "recorded"
_NAMES = (
    "id",
    "session_id",
    "tier",
    "device_id",
    "gateway_id",
    "mode",
    "started_at",
    "ended_at",
    "clock_skew_us",
    "rows_up",
    "rows_down",
    "bytes_up",
    "bytes_down",
    "outcome",
    "problem",
    "app_version",
    "network",
    "resumed",
)
_MOST_WHOLE = (1 << 63) - 1
_ID_BYTES = 16
_NO_SEPARATORS = str.maketrans(dict.fromkeys(SEPARATORS, " "))
_FROM = {"clock_skew_us": "clock_skew"}


async def record_sessions(
    writer: ChangeWriter,
    sessions: Sequence[RecordedSession],
    new_identifier: Callable[[], bytes],
) -> int:
    """Every session has its record once, and its gateway a receipt. Returns the number of new ones."""
    known = await sessions_present(
        writer.connection, [as_bytes(one.values["session_id"]) for one in sessions]
    )
    lines: list[tuple[Value, ...]] = []
    for session in sessions:
        values = session.values
        key = (as_bytes(values["session_id"]), str(values["tier"]))
        if key not in known:
            known.add(key)
            lines.append(
                (
                    new_identifier(),
                    *(_stored(name, values[_FROM.get(name, name)]) for name in _NAMES[1:]),
                )
            )
            about = {name: _shown(value) for name, value in values.items()}
            await journal.append(
                writer.connection,
                at=writer.now,
                kind="sync_session",
                actor=f"gateway {session.gateway_id.hex()}",
                payload=about,
            )
        receipt = BatchReceipt(session.outbox_number, b"", 0, 0, RECORDED, writer.lsn)
        writer.receipt(session.gateway_id, receipt)
    if lines:
        await writer.insert("sync_session", from_rows("sync_session", _NAMES, lines))
    return len(lines)


def _stored(name: str, value: object) -> Value:
    """The value as its column can hold it: a record with a cut value says more than none."""
    column = TABLES["sync_session"].column(name)
    match value:
        case bytes():
            return value if len(value) == _ID_BYTES or not column.nullable else None
        case str():
            return value.translate(_NO_SEPARATORS)[: column.kind.precision]
        case int() if column.wire_type is WireType.TIME:
            low, high = bounds(column)
            return min(max(value, low), high)
        case int():
            return min(int(value), _MOST_WHOLE)
        case _:
            return None


def _shown(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
