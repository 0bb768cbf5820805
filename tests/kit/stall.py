"""A disk that stands still again and again: whoever writes or syncs waits, as on a dying disk or a busy array."""

import fcntl
import os
import threading
from pathlib import Path

_FREEZE, _THAW = 0xC0045877, 0xC0045878


class Stall:
    """Stands still for so long, works for so long, until it is ended."""

    def __init__(self, folder: Path, *, stands_s: float, works_s: float) -> None:
        """Nothing stands still yet."""
        self._folder = folder
        self._stands_s, self._works_s = stands_s, works_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stall {folder.name}")

    def start(self) -> None:
        """It begins."""
        self._thread.start()

    def end(self) -> None:
        """Everything that waited goes on."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        place = os.open(self._folder, os.O_RDONLY)
        try:
            while not self._over.is_set():
                fcntl.ioctl(place, _FREEZE, 0)
                try:
                    self._over.wait(self._stands_s)
                finally:
                    fcntl.ioctl(place, _THAW, 0)
                self._over.wait(self._works_s)
        finally:
            os.close(place)
