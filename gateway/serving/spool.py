"""The bytes of a download: in memory while small, in a spool file when large."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from fieldmesh.basics.errors import Retry
from fieldmesh.basics.limits import SMALL_DOWNLOAD_BYTES


@dataclass(frozen=True, slots=True)
class Content:
    """What a download consists of. Either ``data`` or ``path`` is set."""

    size: int
    sha256: bytes
    data: bytes = b""
    path: Path | None = None

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from there. Reads the disk: call it in a thread when ``path`` is set.

        Raises:
            Retry: ``session_cut``: the file is gone or short; a new download is made for whoever comes again.
        """
        if self.path is None:
            return self.data[offset : offset + size]
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                found = file.read(size)
        except FileNotFoundError:
            found = b""
        if not found and offset < self.size:
            raise Retry("session_cut", delay_s=1.0)
        return found


class ContentWriter:
    """Collects content; moves to a file once it is large. One thread writes, another may abandon it."""

    def __init__(self, path: Path) -> None:
        """Nothing is written yet; ``path`` is made only if it is needed."""
        self._path = path
        self._digest = hashlib.sha256()
        self._parts: list[bytes] = []
        self._size = 0
        self._file: int | None = None
        self._abandoned = False
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        """Append the bytes; nothing happens any more once the content was abandoned."""
        with self._lock:
            if self._abandoned:
                return
            self._digest.update(data)
            self._size += len(data)
            if self._file is None:
                self._parts.append(data)
                if self._size > SMALL_DOWNLOAD_BYTES:
                    self._move_to_file()
            else:
                _write_all(self._file, data)

    def _move_to_file(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        _write_all(self._file, b"".join(self._parts))
        self._parts.clear()

    def finish(self) -> Content:
        """The content is complete; a file is on the disk for good."""
        with self._lock:
            if self._file is None:
                return Content(self._size, self._digest.digest(), data=b"".join(self._parts))
            os.fsync(self._file)
            os.close(self._file)
            self._file = None
            return Content(self._size, self._digest.digest(), path=self._path)

    def abandon(self) -> None:
        """Nothing remains, whatever the writing thread still adds."""
        with self._lock:
            self._abandoned = True
            self._parts.clear()
            if self._file is not None:
                os.close(self._file)
                self._file = None
            self._path.unlink(missing_ok=True)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def clear_litter(folder: Path, belonging: set[str]) -> int:
    """Files of the spool that no download names are deleted.

    Returns:
        How many.
    """
    litter = [file for file in folder.iterdir() if file.name not in belonging]
    for file in litter:
        file.unlink(missing_ok=True)
    return len(litter)
