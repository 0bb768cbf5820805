"""The hub in one file: taken while it runs, proven before it is put back. Promise 1 (Kept).

The file is a tar: settings, keys, the database as of one moment, attachments, and last a manifest
with the SHA-256 of each. What the bus keeps is not in it: gateways send again what they hold.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.files import sync
from fieldmesh.service.storage_problems import disk_problem, storage_problem
from hub.config import HubHome

FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_MOST_MANIFEST_BYTES: Final = 512 << 20
_PAGES_AT_ONCE: Final = 4_096
_PIECE_BYTES: Final = 1 << 20
_PRIVATE: Final = 0o600

Step = Callable[[int, int], None]
"""Told how many bytes are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    Attributes:
        taken_at: UTC microseconds.
        epoch: hub epoch at that moment.
        lsn: the last transaction that is in it.
        schema_version: of its database.
        files: name in the archive → SHA-256, hexadecimal.
    """

    taken_at: int
    epoch: int
    lsn: int
    schema_version: int
    files: Mapping[str, str]


def take_backup(home: HubHome, target: Path, *, taken_at: int, step: Step) -> Backup:
    """The hub of ``home`` as of one moment stands in ``target``; the hub may run meanwhile.

    Durability: ``target`` appears whole and on disk, or not at all. Takes long: call it in a thread.

    Raises:
        Rejected: `backup_exists`.
        Retry: `disk_full`, `disk_read_only` or `disk_failed`.
    """
    if target.exists():
        raise Rejected("backup_exists", place=str(target))
    half, copy = target.with_name(target.name + ".part"), target.with_name(target.name + ".db")
    try:
        with _disk_of(target):
            epoch, lsn, version = _copy_database(home.database_file, copy, step)
            half.unlink(missing_ok=True)
            half.touch(_PRIVATE)
            with half.open("wb") as file:
                with tarfile.open(fileobj=file, mode="w") as archive:
                    files = _add_files(archive, home, copy, step)
                    backup = Backup(taken_at, epoch, lsn, version, files)
                    _add_manifest(archive, backup)
                file.flush()
                os.fsync(file.fileno())
            half.replace(target)
            sync(target.parent)
    finally:
        half.unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
    return backup


def unpack_backup(source: Path, folder: Path, *, step: Step) -> Backup:
    """What ``source`` holds stands in ``folder``, which is new, each file as it was taken.

    Takes long: call it in a thread.

    Raises:
        Rejected: `backup_damaged`, with what is wrong; `file_unreadable`. Then ``folder`` is gone.
        Retry: `disk_full`, `disk_read_only` or `disk_failed`.
    """
    try:
        with source.open("rb") as file, _disk_of(folder):
            return _unpack(file, source, folder, step)
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise Rejected("file_unreadable", place=str(source)) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _copy_database(source: Path, copy: Path, step: Step) -> tuple[int, int, int]:
    copy.unlink(missing_ok=True)
    copy.touch(_PRIVATE)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as held,  # noqa: TID251 - a copy page by page
        closing(sqlite3.connect(copy)) as made,  # noqa: TID251 - a copy page by page
    ):
        size = held.execute("PRAGMA page_size").fetchone()[0]
        # With a transaction open the copy is of this one moment, and writers don't make it begin anew.
        held.execute("BEGIN")
        row = held.execute("SELECT epoch, lsn, schema_version FROM fm_hub").fetchone()
        held.backup(
            made,
            pages=_PAGES_AT_ONCE,
            progress=lambda _, left, total: step((total - left) * size, total * size),
        )
        made.execute("PRAGMA journal_mode = DELETE")
    return int(row[0]), int(row[1]), int(row[2])


def _add_files(archive: tarfile.TarFile, home: HubHome, copy: Path, step: Step) -> dict[str, str]:
    # After the database: an attachment that it names was there before it.
    members = [
        ("hub.toml", home.settings_file),
        ("data/hub.db", copy),
        *_under(home.trust, "trust"),
        *_under(home.blobs, "blobs"),
    ]
    total, done = sum(_size(path) for _, path in members), 0
    found: dict[str, str] = {}
    for name, path in members:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            if name.startswith("blobs/"):
                continue  # Its days were over meanwhile.
            raise
        with file:
            entry = archive.gettarinfo(arcname=name, fileobj=file)
            entry.mode, entry.uname, entry.gname = _PRIVATE, "", ""
            content = _Hashed(file)
            archive.addfile(entry, content)
        found[name] = content.digest.hexdigest()
        done += entry.size
        step(done, total)
    return found


class _Hashed:
    """What is read of the file, and the SHA-256 of just that: the file may grow meanwhile."""

    def __init__(self, file: BinaryIO) -> None:
        """Nothing was read yet."""
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def _under(folder: Path, prefix: str) -> list[tuple[str, Path]]:
    """Files of the folder but those that are being written: half a photo, which its gateway sends again, or a key."""
    return [
        (f"{prefix}/{path.relative_to(folder).as_posix()}", path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not _is_half(path.name)
    ]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _is_half(name: str) -> bool:
    return name.startswith(".") or name.endswith(".part")


def _add_manifest(archive: tarfile.TarFile, backup: Backup) -> None:
    text = json.dumps({"format": FORMAT, **asdict(backup)}, sort_keys=True).encode()
    entry = tarfile.TarInfo(_MANIFEST)
    entry.size, entry.mode = len(text), _PRIVATE
    archive.addfile(entry, io.BytesIO(text))


def _unpack(file: BinaryIO, source: Path, folder: Path, step: Step) -> Backup:
    total = os.fstat(file.fileno()).st_size
    found: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    folder.mkdir(mode=0o700, parents=True)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isreg() else None
                if content is None or not _is_ours(entry.name):
                    raise _damaged(source, f"{entry.name} does not belong in a backup")
                if entry.name == _MANIFEST:
                    manifest = json.loads(content.read(_MOST_MANIFEST_BYTES))
                else:
                    found[entry.name] = _write_out(content, folder / entry.name)
                step(file.tell(), total)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _damaged(source, str(error)) from None
    if manifest is None:
        raise _damaged(source, "its end is missing")
    if manifest.get("format") != FORMAT:
        raise _damaged(source, f"its format is {manifest.get('format')}, not {FORMAT}")
    differing = sorted(set(found.items()) ^ set(manifest["files"].items()))
    if differing:
        raise _damaged(source, f"{differing[0][0]} is not as it was taken")
    names = ("taken_at", "epoch", "lsn", "schema_version", "files")
    return Backup(*(manifest[name] for name in names))


def _is_ours(name: str) -> bool:
    """A name that `take_backup` gives: nothing may be written beside the new folder."""
    parts = name.split("/")
    clean = not set(parts) & {"", ".", ".."} and "\\" not in name and "\0" not in name
    return clean and (name in {"hub.toml", _MANIFEST} or parts[0] in {"data", "trust", "blobs"})


def _write_out(content: Any, path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    path.touch(_PRIVATE, exist_ok=False)
    with path.open("wb") as file:
        while piece := content.read(_PIECE_BYTES):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _damaged(source: Path, text: str) -> Rejected:
    return Rejected("backup_damaged", place=str(source), text=text)


@contextmanager
def _disk_of(path: Path) -> Iterator[None]:
    """What the disk says becomes words."""
    try:
        yield
    except sqlite3.Error as error:
        problem = storage_problem(error, str(path), file=path)
        if problem is None:
            raise
        raise problem from error
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except OSError as error:
        raise disk_problem(str(path), path, str(error)) from error
