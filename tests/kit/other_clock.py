"""A clock of its own for a process: it jumps forth and back while the process works, and nothing else notices.

It is a small library in C that stands before the system's own (`other_clock.c`); the tests compile it once. It reaches
everything that asks the C library for the time: Python, SQLite, OpenSSL, gRPC. Programs without it (the broker) keep
the machine's clock.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")
_MICROSECONDS = 1_000_000
_COMPILE_S = 60


class OtherClock:
    """The clock of the processes that are started with `environment`."""

    def __init__(self, folder: Path, name: str) -> None:
        """It agrees with the machine's.

        Args:
            folder: for the library and the clock's file.
            name: of the clock.
        """
        self._library = library(folder)
        self._file = folder / f"{name}.clock"
        self.jump(0.0)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process must be started with."""
        return {"LD_PRELOAD": str(self._library), "FIELDMESH_TEST_CLOCK": str(self._file)}

    def jump(self, seconds: float) -> None:
        """It is so far ahead of the machine's clock; less than nothing = behind."""
        content = struct.pack("q", int(seconds * _MICROSECONDS))
        place = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(place, content, 0)
        finally:
            os.close(place)


def can_be_made() -> bool:
    """Whether this machine has a C compiler."""
    return shutil.which("cc") is not None


def library(folder: Path) -> Path:
    """The compiled library."""
    made = (folder / "other_clock.so").absolute()
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        words = ["cc", "-shared", "-fPIC", "-O2", "-o", str(made), str(_SOURCE)]
        subprocess.run(words, check=True, capture_output=True, timeout=_COMPILE_S)  # noqa: S603 - our own words
    return made
