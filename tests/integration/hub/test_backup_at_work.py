"""A backup while photos come in: it is whole, and can be put back."""

from pathlib import Path

import pytest

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.service import files
from hub.cli.program import parser
from hub.config import HubHome, HubSettings
from hub.fleet.office import make_office
from hub.fleet.running import last_backup
from hub.storage import backup
from hub.storage.backup import take_backup, unpack_backup


def nothing(_done: int, _all: int) -> None:
    """Nobody watches."""


async def home_with_photos(folder: Path) -> HubHome:
    """A hub with a whole photo, one that is half here, and one that goes while the backup is taken."""
    office = await make_office(folder, HubSettings(), 'company = "Acme"\n')
    await office.database.close()
    home = HubHome(folder)
    for name in ("aa/whole", "bb/half.part", "cc/gone"):
        files.write_durably(home.blobs / name, b"photo")
    files.write_durably(home.trust / ".authority.pem.x1", b"half")
    return home


async def test_photos_that_come_or_go_meanwhile_spoil_no_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: a branch that uploads photos does not leave the company without its nightly backup."""
    home = await home_with_photos(tmp_path / "hub")
    half, gone = home.blobs / "bb/half.part", home.blobs / "cc/gone"
    listed = backup._under

    def listed_then_changed(folder: Path, prefix: str) -> list[tuple[str, Path]]:
        found = listed(folder, prefix)
        if folder == home.blobs:
            half.replace(half.with_suffix(""))
            gone.unlink()
        return found

    monkeypatch.setattr(backup, "_under", listed_then_changed)
    taken = take_backup(home, tmp_path / "backup.tar", taken_at=1, step=nothing)
    unpack_backup(tmp_path / "backup.tar", tmp_path / "back", step=nothing)
    assert [name for name in taken.files if name.startswith("blobs/")] == ["blobs/aa/whole"]
    assert not [name for name in taken.files if "/." in name]
    assert (tmp_path / "back/blobs/aa/whole").read_bytes() == b"photo"


async def test_the_manifest_says_what_the_archive_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: a file that grows while it is read makes no backup that can't be put back."""
    home = await home_with_photos(tmp_path / "hub")
    whole = home.blobs / "aa/whole"
    info = backup.tarfile.TarFile.gettarinfo

    def grown(archive: backup.tarfile.TarFile, **more: object) -> object:
        if more["arcname"] == "blobs/aa/whole":
            whole.write_bytes(b"a larger photo")
        return info(archive, **more)

    monkeypatch.setattr(backup.tarfile.TarFile, "gettarinfo", grown)
    take_backup(home, tmp_path / "backup.tar", taken_at=1, step=nothing)
    held = unpack_backup(tmp_path / "backup.tar", tmp_path / "back", step=nothing)
    assert "blobs/aa/whole" in held.files


async def test_the_running_hub_hears_of_a_backup_and_only_of_one_that_was_made(
    tmp_path: Path,
) -> None:
    """A timer that nobody has switched on fails never: the alert has to look at the backup itself."""
    home = await home_with_photos(tmp_path / "hub")
    words = ["backup", str(tmp_path / "one.tar"), "--home", str(home.folder), "--json"]
    options = parser(words).parse_args(words)
    assert last_backup(home) == 0
    before = SystemClock().now()
    await options.command(options)
    taken = last_backup(home)
    assert before <= taken <= SystemClock().now()
    with pytest.raises(Rejected, match="exists already"):
        await options.command(options)
    assert last_backup(home) == taken
