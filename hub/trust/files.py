"""Key files that only their owner can read."""

from pathlib import Path

from fieldmesh.basics.errors import Rejected

_OTHERS = 0o077


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
