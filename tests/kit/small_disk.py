"""A real small disk that can be filled to its last byte, for tests that run as root."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

BALLAST = ".ballast"
MIB, PAGE_BYTES = 1 << 20, 4_096
_LET_GO_S = 10.0


class SmallDisk:
    """A file system of its own at a folder."""

    def __init__(self, folder: Path) -> None:
        """The disk is mounted there."""
        self.folder = folder

    def fill(self) -> None:
        """No byte is free, whoever else writes meanwhile."""
        with (self.folder / BALLAST).open("ab", buffering=0) as file:
            for size in (MIB, PAGE_BYTES):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def empty(self) -> None:
        """There is room again."""
        (self.folder / BALLAST).unlink()

    def make_read_only(self, *, yes: bool) -> None:
        """Nothing can be written, or everything again; a process that ends lets go of its files in its own time."""
        mode = "ro" if yes else "rw"
        until = time.monotonic() + _LET_GO_S
        while not run("mount", "-o", f"remount,{mode}", str(self.folder)):
            assert time.monotonic() < until, f"{self.folder} is in use"
            time.sleep(0.1)

    def release(self) -> None:
        """It is unmounted, whoever still works on it."""
        run("umount", "--lazy", str(self.folder))


@contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[SmallDisk]:
    """A disk of that size is mounted at the folder; the test is skipped where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={size_bytes},mode=700"
    if not run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)):
        pytest.skip("a small disk can be mounted by root only")
    disk = SmallDisk(folder)
    try:
        yield disk
    finally:
        disk.release()


def run(name: str, *words: str) -> bool:
    """Whether the program is here and did it."""
    program = shutil.which(name)
    if program is None:
        return False
    done = subprocess.run([program, *words], check=False, capture_output=True, timeout=60)  # noqa: S603 - this module's own words
    return done.returncode == 0
