"""Histories: what each part saw and did, written down where it happened, one JSON object a line.

Every line has `t` (monotonic seconds, one clock for all processes of a machine), `w` (UTC microseconds of the part's
own clock) and `k` (its kind). A line that a process wrote is there after the process was killed, because the kernel
has it; once in half a second it is on the disk too. A line that was cut by a kill ends the file and is left out.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fieldmesh.basics.clock import Clock, SystemClock

Event = dict[str, Any]
_SYNC_S = 0.5


class Recorder:
    """Appends to one history. `close` it once."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        """The file is there; what it holds already stays, less a line that was cut."""
        self._clock = clock or SystemClock()
        path.parent.mkdir(parents=True, exist_ok=True)
        _drop_cut_line(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._synced_at = 0.0

    def note(self, kind: str, **facts: Any) -> None:
        """The event is written down."""
        now = self._clock.monotonic()
        line = json.dumps(
            {"t": round(now, 6), "w": self._clock.now(), "k": kind, **facts}, separators=(",", ":")
        )
        os.write(self._file, line.encode() + b"\n")
        if now - self._synced_at > _SYNC_S:
            os.fdatasync(self._file)
            self._synced_at = now

    def close(self) -> None:
        """Everything is on the disk."""
        os.fsync(self._file)
        os.close(self._file)


def _drop_cut_line(path: Path) -> None:
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def read(path: Path) -> Iterator[Event]:
    """The events of one history, in its order."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)


def read_all(folder: Path) -> list[Event]:
    """The events of all histories of the folder, by time."""
    found = [event for path in sorted(folder.glob("*.jsonl")) for event in read(path)]
    return sorted(found, key=lambda event: float(event["t"]))
