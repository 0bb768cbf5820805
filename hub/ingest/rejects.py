"""Refused rows go back to their device with a reason that a person understands. Promise 7 (Authority)."""

import json
from collections.abc import Callable, Mapping, Sequence

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.problems import describe
from fieldmesh.codec.batch import BatchHeader, Change
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.rules.documents import Refusal
from hub.storage.changes import ChangeWriter

_MOST_ROW_BYTES = 60_000
"""As UTF-8: a text above 64 KiB would not pass the wire."""


async def reject_rows(
    writer: ChangeWriter,
    header: BatchHeader,
    refused: Sequence[Refusal],
    changes: Sequence[Change],
    new_identifier: Callable[[], bytes],
) -> None:
    """Each refused row stands in `reject`, with what was refused."""
    if not refused:
        return
    contents = _contents(changes, {(one.table, one.row_id) for one in refused})
    names = (
        "id", "device_id", "device_epoch", "sequence", "table_name", "row_id", "code", "text",
        "fields", "row",
    )  # fmt: skip
    lines: list[tuple[Value, ...]] = [
        (
            new_identifier(),
            header.device_id,
            header.device_epoch,
            header.sequence,
            one.table,
            one.row_id,
            one.code,
            describe(Rejected(one.code, **dict(one.fields)))[:1000],
            json.dumps(dict(one.fields), ensure_ascii=False),
            contents.get((one.table, one.row_id), "{}"),
        )
        for one in refused
    ]
    await writer.insert("reject", from_rows("reject", names, lines))


def _contents(
    changes: Sequence[Change], wanted: set[tuple[str, bytes]]
) -> dict[tuple[str, bytes], str]:
    found: dict[tuple[str, bytes], str] = {}
    for change in changes:
        rows = change.rows
        for place, row_id in enumerate(rows.column("id")):
            key = (rows.table, row_id if isinstance(row_id, bytes) else b"")
            if key in wanted:
                values = {
                    name: column[place]
                    for name, column in zip(rows.names, rows.columns, strict=True)
                }
                found[key] = _as_json(values)
    return found


def _as_json(values: Mapping[str, Value]) -> str:
    shown = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in values.items()
        if value is not None
    }
    text = json.dumps(shown, ensure_ascii=False)
    return text if len(text.encode()) <= _MOST_ROW_BYTES else "{}"
