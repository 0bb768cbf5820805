"""Bars, JSON progress lines, and answers in words."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from device_agent.app import Status
from device_agent.modes.progress import Progress, ProgressCallback, Step, silent
from fieldmesh.basics.identifiers import to_text
from fieldmesh.service.translation import _

Answer = dict[str, Any]
Shower = tuple[ProgressCallback, Callable[[], None]]


def nothing() -> Shower:
    """Nobody looks."""
    return silent, (lambda: None)


def json_lines() -> Shower:
    """One JSON line per step on stderr, when the step begins and when it is complete."""
    seen: set[tuple[Step, bool]] = set()

    def show(progress: Progress) -> None:
        if progress.step is Step.WAIT:
            seen.clear()
        complete = progress.total > 0 and progress.done >= progress.total
        if (progress.step, complete) in seen and not progress.note:
            return
        seen.add((progress.step, complete))
        line = {
            "step": progress.step.value,
            "done": progress.done,
            "total": progress.total,
            "note": progress.note,
        }
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()

    return show, (lambda: None)


def bars() -> Shower:
    """A bar per step, for a person at a terminal."""
    from rich.console import Console  # noqa: PLC0415  (only for people)
    from rich.progress import Progress as Bars  # noqa: PLC0415
    from rich.progress import TaskID  # noqa: PLC0415

    shown = Bars(console=Console(stderr=True), transient=False)
    tasks: dict[Step, TaskID] = {}
    names = {
        Step.CONNECT: _("Connecting"),
        Step.PACK: _("Packing"),
        Step.UPLOAD: _("Sending"),
        Step.ACKNOWLEDGE: _("Waiting for the gateway"),
        Step.DOWNLOAD: _("Receiving"),
        Step.APPLY: _("Writing"),
        Step.VERIFY: _("Checking"),
        Step.SWAP: _("Replacing the database"),
        Step.WAIT: _("Waiting"),
        Step.DONE: _("Done"),
    }
    shown.start()

    def show(progress: Progress) -> None:
        if progress.step not in tasks:
            tasks[progress.step] = shown.add_task(names[progress.step], total=None)
        total = progress.total or (1 if progress.done or progress.step is Step.DONE else None)
        done = progress.done if progress.total else (1 if total else 0)
        text = f"{names[progress.step]} {progress.note}".strip()
        shown.update(tasks[progress.step], total=total, completed=done, description=text)

    return show, shown.stop


def status_answer(status: Status) -> Answer:
    """Where the device stands, in names that scripts can rely on."""
    state = status.state
    return {
        "device": to_text(state.device_id),
        "position": to_text(state.position_id) if state.position_id else "",
        "document_prefix": state.document_prefix,
        "spare": bool(state.spare),
        "stands_in_for": to_text(state.first_device_id) if state.first_device_id else "",
        "locked": status.locked,
        "must_initialize": bool(state.must_initialize),
        "device_epoch": state.device_epoch,
        "last_sequence": state.last_sequence,
        "hub_epoch": state.hub_epoch,
        "hub_sequence": state.hub_sequence,
        "cursor_lsn": state.cursor_lsn,
        "saved_rows": status.standing.saved_rows,
        "at_gateway_rows": status.standing.at_gateway_rows,
        "waiting_batches": status.standing.waiting_batches,
        "all_at_head_office": status.standing.saved_rows == 0
        and status.standing.waiting_batches == 0,
        "rejects": status.rejects,
        "photos_unsent": status.photos_unsent,
        "last_full_at": state.last_full_at,
        "clock_offset_us": state.clock_offset,
        "database": str(status.database),
        "database_bytes": status.database_bytes,
        "certificate_ends": status.certificate_ends,
        "has_new_password": status.has_new_password,
        "gateways": [asdict(gateway) for gateway in status.gateways],
        "sessions": [asdict(session) for session in status.sessions],
    }


def plain(value: object) -> str:
    """Bytes in hex, anything else as text."""
    return value.hex() if isinstance(value, bytes) else str(value)


def in_words(answer: Answer) -> str:
    """The answer for a person: its sentence, then its facts."""
    lines = [str(answer["text"])] if "text" in answer else []
    lines += [
        f"{name.replace('_', ' ')}: {_inline(value)}"
        for name, value in answer.items()
        if name not in {"text", "exit", "results"}
    ]
    return "\n".join(lines)


def _inline(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "".join(f"\n  {json.dumps(row, ensure_ascii=False, default=plain)}" for row in value)
    if isinstance(value, dict):
        return "".join(f"\n  {name}: {plain(found)}" for name, found in value.items())
    return plain(value)
