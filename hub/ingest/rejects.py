"""Refused rows go back to their device with a reason that a person understands. Promise 7 (Authority)."""

import json
from collections.abc import Callable, Mapping, Sequence

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.basics.problems import describe, fill, problem_of
from fieldmesh.codec.batch import BatchHeader, Change
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.ingest.decisions import header_of
from hub.ingest.verify import Checked
from hub.rules.documents import Refusal
from hub.storage.changes import ChangeWriter
from hub.storage.rows import rows_where

PUT_ASIDE = "batch_put_aside"
"""The code of a reject that is about a whole batch."""

_COLUMNS = (
    "id", "device_id", "device_epoch", "sequence", "table_name", "row_id", "code", "text", "fields", "row",
)  # fmt: skip
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
    lines = [
        _line(new_identifier(), header, one, contents.get((one.table, one.row_id), "{}"))
        for one in refused
    ]
    await writer.insert("reject", from_rows("reject", _COLUMNS, lines))


async def reject_batch(
    writer: ChangeWriter,
    batch: Checked,
    problem: FieldmeshError,
    new_identifier: Callable[[], bytes],
) -> None:
    """A batch in quarantine stands in `reject` as a whole: no table, and the beginning of its digest for a row."""
    header = header_of(batch)
    put_aside = Refusal(
        "", batch.sha256[:16], PUT_ASIDE, {"rows": str(header.rows), "text": _why(problem)}
    )
    await writer.insert(
        "reject", from_rows("reject", _COLUMNS, [_line(new_identifier(), header, put_aside, "{}")])
    )


def _why(problem: FieldmeshError) -> str:
    """What happened and where, as quarantine shows it: the table and column lead to the mistake."""
    title = problem_of(problem).title
    why = fill(title, problem)
    return why if not problem.place or "{place}" in title else f"{problem.place}: {why}"


async def hand_on(writer: ChangeWriter, spare_id: bytes, first_id: bytes) -> None:
    """What head office refused of the spare's work comes to the device that it stood in for.

    The spare erases itself and hears nothing any more; whoever uses it next must not. Promise 6 (Scope). Such a
    reject is about no batch of the first device: it has sequence 0, and its fields name the spare's batch.
    """
    known = ("id", "device_epoch", "sequence", "fields")
    held = await rows_where(writer.connection, "reject", known, "device_id", [spare_id])
    if not held:
        return
    lines = []
    for row_id, epoch, sequence, fields in held:
        of = {"spare": spare_id.hex(), "spare_epoch": str(epoch), "spare_sequence": str(sequence)}
        named = json.dumps(json.loads(str(fields)) | of, ensure_ascii=False)
        lines.append((row_id, first_id, 0, 0, named))
    names = ("id", "device_id", "device_epoch", "sequence", "fields")
    await writer.update("reject", from_rows("reject", names, lines))


async def take_back(writer: ChangeWriter, batch: Checked) -> None:
    """The batch came out of quarantine: nobody need hear of it any more."""
    names = ("id", "code")
    held = await rows_where(writer.connection, "reject", names, "row_id", [batch.sha256[:16]])
    ids = [(row[0],) for row in held if row[1] == PUT_ASIDE]
    if ids:
        await writer.delete("reject", from_rows("reject", ("id",), ids))


def _line(
    identifier: bytes, header: BatchHeader, refusal: Refusal, content: str
) -> tuple[Value, ...]:
    return (
        identifier,
        header.device_id,
        header.device_epoch,
        header.sequence,
        refusal.table,
        refusal.row_id,
        refusal.code,
        describe(Rejected(refusal.code, **dict(refusal.fields)))[:1000],
        json.dumps(dict(refusal.fields), ensure_ascii=False),
        content,
    )


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
