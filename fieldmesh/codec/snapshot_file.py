"""Snapshot files: compressed as they go over the wire, and their bytes from any place on."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import zstandard

from fieldmesh.basics.limits import CHUNK_BYTES

LEVEL = 1
"""zstd level; the line is seldom slower than a higher level is."""
_PIECE_BYTES = 1024 * 1024


def compress_file(source: Path, target: Path) -> tuple[int, bytes, int]:
    """``target`` holds ``source`` compressed, durable on disk.

    Returns:
        Bytes of ``target``, its sha256, and bytes of ``source``.
    """
    digest = hashlib.sha256()
    size = 0
    uncompressed = source.stat().st_size
    compressor = zstandard.ZstdCompressor(level=LEVEL).compressobj(size=uncompressed)
    with source.open("rb") as plain, target.open("wb") as packed:
        while piece := plain.read(_PIECE_BYTES):
            size += _put(packed.fileno(), digest, compressor.compress(piece))
        size += _put(packed.fileno(), digest, compressor.flush())
        os.fsync(packed.fileno())
    return size, digest.digest(), uncompressed


def _put(file: int, digest: "hashlib._Hash", data: bytes) -> int:
    digest.update(data)
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    return len(data)


def chunks(path: Path, offset: int = 0) -> Iterator[bytes]:
    """The file's bytes from ``offset`` on, in pieces as they go over the wire."""
    with path.open("rb") as file:
        file.seek(offset)
        while piece := file.read(CHUNK_BYTES):
            yield piece
