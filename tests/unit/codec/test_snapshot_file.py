"""Snapshot files as they go over the wire."""

import hashlib
from pathlib import Path

import zstandard

from fieldmesh.basics.limits import CHUNK_BYTES
from fieldmesh.codec.snapshot_file import chunks, compress_file


def _files(folder: Path) -> tuple[Path, Path]:
    source = folder / "plain"
    lines = (hashlib.sha256(str(number).encode()).digest() for number in range(30_000))
    source.write_bytes(b"".join(lines))
    return source, folder / "packed"


def test_a_compressed_file_is_what_it_is_said_to_be(tmp_path: Path) -> None:
    """The device checks size and digest before it swaps its database."""
    source, target = _files(tmp_path)
    size, sha256, uncompressed = compress_file(source, target)
    packed = target.read_bytes()
    assert (size, sha256) == (len(packed), hashlib.sha256(packed).digest())
    assert uncompressed == source.stat().st_size
    assert zstandard.ZstdDecompressor().decompress(packed) == source.read_bytes()


def test_an_empty_file_can_be_compressed(tmp_path: Path) -> None:
    """Nothing is a content too."""
    source = tmp_path / "plain"
    source.touch()
    size, _, uncompressed = compress_file(source, tmp_path / "packed")
    assert size > 0
    assert uncompressed == 0


def test_a_cut_download_goes_on_at_its_byte(tmp_path: Path) -> None:
    """A long download on a bad line ends some day."""
    _, target = _files(tmp_path)
    target.write_bytes(bytes(range(256)) * 3_000)
    whole = target.read_bytes()
    for offset in (0, 1, CHUNK_BYTES, len(whole) - 1, len(whole)):
        pieces = list(chunks(target, offset))
        assert b"".join(pieces) == whole[offset:]
        assert all(len(piece) <= CHUNK_BYTES for piece in pieces)
