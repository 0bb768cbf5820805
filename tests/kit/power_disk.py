"""A disk whose power can fail: what was not synced is lost, or half of it is, page by page and sector by sector.

It is ext4 on a loop device, so that everything works as on a real machine: memory-mapped files, Go programs, journals.
A cut of its power stops the file system at once (the request that crash tests of file systems use): nothing that is
still in the page cache is written any more. Before that, a dishonest half of it is: some pages reach the disk, some of
these only in part. Then it is mounted again, as by a machine that is switched on.
"""

import ctypes
import fcntl
import os
import random
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest
from typing_extensions import override

from tests.kit.small_disk import BALLAST, MIB, PAGE_BYTES, SmallDisk, run
from tests.kit.stall import Stall

_GO_DOWN = 0x8004587D
_KEEP_JOURNAL, _LOSE_JOURNAL = 1, 2
_WAIT_WRITE_WAIT = 1 | 2 | 4
_SECTOR_BYTES = 512
_MOST_PAGES = 48
"""Longest run of pages of a file that are written, or not, together."""
_TORN = 0.3
"""Of the pages that are written in the last moment, how many are written only in part."""
_OPTIONS = "loop,noauto_da_alloc,commit=300"
"""ext4 forgives a rename without a sync, and writes its journal often. This one does neither."""
_LETS_GO_S = 10.0
_LIBC = ctypes.CDLL(None, use_errno=True)


class PowerDisk(SmallDisk):
    """A file system of its own at a folder, and the image that it is on."""

    def __init__(self, folder: Path, image: Path) -> None:
        """The disk is mounted there."""
        super().__init__(folder)
        self.image = image
        self._stall: Stall | None = None

    def cut(self, choose: random.Random) -> str:
        """Power failed and is back; no process may have a file open. Returns what became of what was not synced."""
        share = choose.random()
        earlier = self.image.with_suffix(".before")
        assert run("cp", "--sparse=always", str(self.image), str(earlier))
        try:
            self._write_some(choose, share)
            torn = _tear(earlier, self.image, choose)
        finally:
            earlier.unlink()
        how, journal = choose.choice(((_KEEP_JOURNAL, "kept"), (_LOSE_JOURNAL, "lost")))
        self._go_down(how)
        return f"{share:.0%} of what was not synced is there, {torn} pages are torn, the journal's end is {journal}"

    def lose_unsynced(self) -> None:
        """Power failed and is back: nothing is there but what was synced."""
        self._go_down(_LOSE_JOURNAL)

    def begin_to_stall(self, *, stands_s: float, works_s: float) -> None:
        """Writes and syncs wait for so long, again and again, and pass for so long in between."""
        self._stall = Stall(self.folder, stands_s=stands_s, works_s=works_s)
        self._stall.start()

    def end_stalling(self) -> None:
        """It is as fast as before."""
        if self._stall is not None:
            self._stall.end()
            self._stall = None

    @override
    def release(self) -> None:
        """It is unmounted, and its image gone."""
        self.end_stalling()
        super().release()
        self.image.unlink(missing_ok=True)

    @override
    def fill(self) -> None:
        """No byte is free, whoever else writes meanwhile; nothing is written for it."""
        ballast = os.open(self.folder / BALLAST, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            for size in (16 * MIB, MIB, PAGE_BYTES):
                with suppress(OSError):
                    while True:
                        os.posix_fallocate(ballast, os.fstat(ballast).st_size, size)
        finally:
            os.close(ballast)

    def _go_down(self, how: int) -> None:
        place = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(place, _GO_DOWN, struct.pack("I", how))
        finally:
            os.close(place)
        self._unmount()
        if not _mounted(self.image, self.folder):
            # Of the file system's own journal a page was torn; a machine that starts repairs it before it mounts it.
            run("e2fsck", "-fy", str(self.image))
            assert _mounted(self.image, self.folder)

    def _unmount(self) -> None:
        """It is unmounted; a process that was just killed may still be letting go of its files.

        Raises:
            TimeoutError: somebody has files open.
        """
        until = time.monotonic() + _LETS_GO_S
        while not run("umount", str(self.folder)):
            if time.monotonic() > until:
                raise TimeoutError(f"somebody has files open in {self.folder}")
            time.sleep(0.05)

    def _write_some(self, choose: random.Random, share: float) -> None:
        """Of all pages that wait, that share is written, in runs."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    _write_runs(file, choose, share)


def _write_runs(file: BinaryIO, choose: random.Random, share: float) -> None:
    size, at = os.fstat(file.fileno()).st_size, 0
    while at < size:
        length = choose.randint(1, _MOST_PAGES) * PAGE_BYTES
        if choose.random() < share:
            _LIBC.sync_file_range(
                file.fileno(), ctypes.c_int64(at), ctypes.c_int64(length), _WAIT_WRITE_WAIT
            )
        at += length


def _tear(earlier: Path, image: Path, choose: random.Random) -> int:
    """Some pages that were just written begin as they are and end as they were. Returns how many."""
    torn = 0
    with earlier.open("rb") as old, image.open("r+b", buffering=0) as new:
        for at, was, is_now in _changed_pages(old, new):
            if choose.random() < _TORN:
                kept = choose.randrange(_SECTOR_BYTES, PAGE_BYTES, _SECTOR_BYTES)
                os.pwrite(new.fileno(), is_now[:kept] + was[kept:], at)
                torn += 1
    return torn


def _changed_pages(old: BinaryIO, new: BinaryIO) -> Iterator[tuple[int, bytes, bytes]]:
    for start in range(0, os.fstat(new.fileno()).st_size, MIB):
        was, is_now = (os.pread(file.fileno(), MIB, start) for file in (old, new))
        if was == is_now:
            continue
        for at in range(0, len(is_now), PAGE_BYTES):
            pages = was[at : at + PAGE_BYTES], is_now[at : at + PAGE_BYTES]
            if pages[0] != pages[1]:
                yield start + at, *pages


@contextmanager
def power_disk(folder: Path, *, size_bytes: int) -> Iterator[PowerDisk]:
    """Such a disk is mounted at the folder; the test is skipped where that is not allowed."""
    disk = make_power_disk(folder, size_bytes=size_bytes)
    if disk is None:
        pytest.skip("un-synced writes can be lost only by root, with mkfs.ext4 and loop devices")
    try:
        yield disk
    finally:
        disk.release()


def make_power_disk(folder: Path, *, size_bytes: int) -> PowerDisk | None:
    """Such a disk, to be released by the caller; None where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    image = folder.with_name(f".{folder.name}.image")
    with image.open("wb") as file:
        file.truncate(size_bytes)
    made = run("mkfs.ext4", "-q", "-F", "-m", "0", "-b", str(PAGE_BYTES), str(image))
    if not (made and _mounted(image, folder)):
        image.unlink()
        return None
    (folder / "lost+found").rmdir()
    return PowerDisk(folder, image)


def _mounted(image: Path, folder: Path) -> bool:
    return run("mount", "-t", "ext4", "-o", _OPTIONS, str(image), str(folder))
