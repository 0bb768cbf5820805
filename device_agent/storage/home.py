"""The home folder of a device: which file is where, and which database is current.

`data/CURRENT` holds the name of the live database file and is replaced by rename, so that there is
a whole current database at every moment (promise 4, Whole).
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service.files import sync, write_durably

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (memory, private names, removed at once)


@dataclass(frozen=True, slots=True)
class Scratch:
    """Where a device's unsealed files lie for a moment: in memory where there is such a folder.

    Attributes:
        folder: of every program of this machine.
        beginning: of the names of this device's files there.
    """

    folder: Path
    beginning: str

    def clear(self) -> None:
        """What a killed process left there is gone. Repeating is harmless.

        Ordering: under `sync_lock`, so that no other process uses one.
        """
        for path in self.folder.glob(f"{self.beginning}*"):
            path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of one device's files; nothing is opened or created by looking at them."""

    folder: Path

    @property
    def settings(self) -> Path:
        """The settings that a person edits."""
        return self.folder / "device.toml"

    @property
    def certificate(self) -> Path:
        """The device's certificate, DER."""
        return self.folder / "identity" / "certificate.der"

    @property
    def authority(self) -> Path:
        """The certificate authority that the device trusts, DER."""
        return self.folder / "identity" / "authority.der"

    @property
    def private_key(self) -> Path:
        """The device's private key, sealed under the database key."""
        return self.folder / "identity" / "key.enc"

    @property
    def keyring(self) -> Path:
        """The database key, wrapped once per person."""
        return self.folder / "identity" / "keyring.json"

    @property
    def attempts(self) -> Path:
        """Wrong passwords in a row, by login."""
        return self.folder / "identity" / "attempts.json"

    @property
    def facts(self) -> Path:
        """What the hub said at enrolment, JSON; for a database that cannot be read any more."""
        return self.folder / "identity" / "device.json"

    @property
    def hub_key(self) -> Path:
        """The key that signs wipe orders, DER SubjectPublicKeyInfo."""
        return self.folder / "identity" / "hub_key.der"

    @property
    def data(self) -> Path:
        """The folder of databases."""
        return self.folder / "data"

    @property
    def current(self) -> Path:
        """The file that names the live database."""
        return self.data / "CURRENT"

    @property
    def rescue(self) -> Path:
        """The folder of rescue files."""
        return self.folder / "rescue"

    @property
    def download(self) -> Path:
        """The folder of download parts."""
        return self.folder / "download"

    @property
    def photos(self) -> Path:
        """The folder of sealed photos that wait to be sent."""
        return self.folder / "photos"

    @property
    def scratch(self) -> Scratch:
        """For files of this folder's device that are not sealed."""
        folder = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        place = hashlib.sha256(os.fsencode(self.folder.absolute())).hexdigest()[:16]
        return Scratch(folder, f"fieldmesh-{place}-")

    @property
    def is_enrolled(self) -> bool:
        """Whether there is a database that somebody can open, whatever else is missing."""
        return self.keyring.exists() and self.current.exists()

    def require_enrolled(self) -> None:
        """Passes when the device has an identity.

        Raises:
            Rejected: `device_not_enrolled`, with the folder; `device_home_damaged`, with the file
                that is missing.
        """
        if not self.current.exists():
            raise Rejected("device_not_enrolled", place=str(self.folder))
        needed = (self.keyring, self.certificate, self.authority, self.private_key, self.hub_key)
        for file in needed:
            if not file.exists():
                raise Rejected("device_home_damaged", place=str(file))

    def current_database(self) -> Path:
        """Path of the live database.

        Raises:
            Rejected: `device_not_enrolled` when there is none.
        """
        try:
            name = self.current.read_text("ascii").strip()
        except FileNotFoundError:
            raise Rejected("device_not_enrolled", place=str(self.folder)) from None
        if Path(name).name != name or not name.endswith(".db"):
            raise Rejected("device_home_damaged", place=str(self.current))
        return self.data / name

    def next_database(self) -> Path:
        """A database path that no file has; numbers only grow."""
        numbers = [int(path.stem) for path in self.data.glob("*.db") if path.stem.isdigit()]
        if self.current.exists():
            stem = Path(self.current.read_text("ascii").strip()).stem
            numbers.append(int(stem) if stem.isdigit() else 0)
        return self.data / f"{max(numbers, default=0) + 1}.db"

    def make_current(self, path: Path) -> None:
        """The database is the live one from now on. Durability: renamed and fsynced."""
        write_durably(self.current, path.name.encode("ascii"))

    def keep_damaged(self, path: Path) -> Path:
        """The database that cannot be read lies in the rescue folder, for a specialist."""
        self.rescue.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = self.rescue / f"{path.name}.damaged"
        path.replace(kept)
        for suffix in ("-wal", "-shm"):
            beside = Path(f"{path}{suffix}")
            if beside.exists():
                beside.replace(f"{kept}{suffix}")
        return kept

    def remove_database(self, path: Path) -> None:
        """The database file and what SQLite keeps beside it are gone. Repeating is harmless."""
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)

    def remove_other_databases(self) -> None:
        """Only the live database is left: half-built and retired ones are gone.

        Ordering: under `sync_lock`, so that no other process is building one.
        """
        live = self.current_database().name
        for path in self.data.glob("*.db*"):
            if path.name.partition(".db")[0] != live.removesuffix(".db"):
                path.unlink(missing_ok=True)

    @contextmanager
    def sync_lock(self) -> Iterator[None]:
        """Nobody else syncs this device meanwhile, in whatever process.

        Raises:
            Retry: `sync_running`: somebody does.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "sync.lock").open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Retry("sync_running", place=str(self.folder)) from None
            yield

    def erase(self) -> None:
        """Nothing of this device is left in the folder but its settings.

        The keyring goes first: without it the rest cannot be read by anyone, so a crash in
        between leaves nothing to find. Repeating is harmless.
        """
        self.keyring.unlink(missing_ok=True)
        self.private_key.unlink(missing_ok=True)
        self.scratch.clear()
        for folder in (
            self.data,
            self.rescue,
            self.download,
            self.photos,
            self.keyring.parent,
        ):
            if folder.exists():
                for path in sorted(folder.rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
                folder.rmdir()
        if self.folder.exists():
            sync(self.folder)
