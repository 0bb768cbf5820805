"""Key files that only their owner can read, written whole or not at all."""

import os
from pathlib import Path

from fieldmesh.basics.errors import Rejected

_OWNER_ONLY = 0o600
_OTHERS = 0o077


def write_secret(path: Path, content: bytes) -> None:
    """The file holds ``content``, only its owner can read it, and it survives a crash.

    Durability: the content is on disk before the name is, and the name is when this returns.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_secret(path: Path) -> bytes:
    """The content of a key file.

    Raises:
        Rejected: `key_file_missing`; `key_file_open_to_others` when others may read or write it.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise Rejected("key_file_missing", place=str(path)) from None
    if mode & _OTHERS:
        raise Rejected("key_file_open_to_others", place=str(path))
    return path.read_bytes()
