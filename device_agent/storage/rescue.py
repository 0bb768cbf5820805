"""Batches kept aside before something dangerous, and read back after it.

A rescue file is a carrier file sealed under the database key: at rest nobody reads it, and the
person who signs in can take it back in or export it (promise 1, No loss).
"""

from pathlib import Path

from device_agent.storage.home import Home
from device_agent.storage.sealed import seal, unseal
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.files import write_durably

SUFFIX = ".rescue"


def keep(home: Home, key: bytes, carrier: bytes, *, now: int) -> Path:
    """The carrier file's content is durable in the rescue folder."""
    path = home.rescue / f"{now}{SUFFIX}"
    write_durably(path, seal(key, carrier, path.name))
    return path


def kept(home: Home) -> list[Path]:
    """Rescue files, oldest first."""
    return sorted(home.rescue.glob(f"*{SUFFIX}")) if home.rescue.exists() else []


def read(home: Home, key: bytes, name: str) -> bytes:
    """The carrier file's content.

    Raises:
        Rejected: no such file, or it cannot be unsealed with this key.
    """
    path = home.rescue / Path(name).name
    try:
        return unseal(key, path.read_bytes(), path.name)
    except FileNotFoundError:
        raise Rejected("rescue_file_missing", place=name) from None


def forget(home: Home, name: str) -> None:
    """The rescue file is gone. Repeating is harmless."""
    (home.rescue / Path(name).name).unlink(missing_ok=True)
