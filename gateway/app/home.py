"""Where the files of one gateway lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_OWN_FOLDER: Final = 0o700


@dataclass(frozen=True, slots=True)
class Home:
    """Where the files of one gateway lie."""

    path: Path

    @property
    def identity(self) -> Path:
        """Keys and certificates."""
        return self.path / "identity"

    @property
    def database(self) -> Path:
        """Cache, inbox, outbox, journal."""
        return self.path / "data" / "gateway.db"

    @property
    def spool(self) -> Path:
        """Large downloads."""
        return self.path / "data" / "spool"

    @property
    def blobs(self) -> Path:
        """Photos and files."""
        return self.path / "data" / "blobs"

    @property
    def run(self) -> Path:
        """What belongs to the running process: ports, admin socket."""
        return self.path / "run"

    @property
    def admin_socket(self) -> Path:
        """The administrator's way in."""
        return self.run / "admin.sock"

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.path / "gateway.toml"

    def make(self) -> None:
        """All folders exist, and are this user's only; also those that an earlier release left open."""
        data = self.database.parent
        for folder in (self.path, data, self.identity, self.spool, self.blobs, self.run):
            folder.mkdir(mode=_OWN_FOLDER, parents=True, exist_ok=True)
        data.chmod(_OWN_FOLDER)
