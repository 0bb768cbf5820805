"""Files beside the database: sealed, durable, and safe to cut at any byte."""

from pathlib import Path

import pytest

from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from device_agent.storage.parts import DownloadFolder
from device_agent.storage.sealed import new_key, seal, unseal
from fieldmesh.basics.errors import Rejected, Retry

ID = b"d" * 16


def test_what_is_sealed_is_read_only_at_its_place(tmp_path: Path) -> None:
    """Else pieces could be exchanged for one another."""
    del tmp_path
    key = new_key()
    sealed = seal(key, b"content", "here")
    assert unseal(key, sealed, "here") == b"content"
    for wrong in ((new_key(), sealed, "here"), (key, sealed, "there"), (key, sealed[:-1], "here")):
        with pytest.raises(Rejected, match="amaged"):
            unseal(*wrong)


def test_only_the_right_password_opens_the_keyring(tmp_path: Path) -> None:
    """The key is never in the file in the clear, and a removed person has none."""
    home, key = Home(tmp_path), new_key()
    keyring = Keyring(home)
    keyring.add("ana", "secret", key)
    keyring.add("boris", "other", key)
    assert keyring.open("ana", "secret") == key
    assert keyring.open("boris", "other") == key
    assert key.hex() not in home.keyring.read_text()
    for login, password in (("ana", "other"), ("nobody", "secret"), ("ana", "x" * 5000)):
        with pytest.raises(Rejected) as caught:
            keyring.open(login, password)
        assert caught.value.code == "sign_in_refused"
    keyring.remove("ana")
    assert keyring.logins() == ["boris"]


@pytest.mark.parametrize("cut", [1, 3, 30, 200])
def test_a_download_cut_at_any_byte_keeps_what_is_whole(tmp_path: Path, cut: int) -> None:
    """After a kill the beginning that can be read counts, and is gone on from."""
    home, key = Home(tmp_path), new_key()
    parts = DownloadFolder(home, key).begin(ID, size_bytes=1000, small_bytes=0)
    parts.append(b"a" * 100)
    parts.append(b"b" * 150)
    path = next(home.download.glob("*.parts"))
    content = path.read_bytes()
    assert b"aaaa" not in content
    path.write_bytes(content[:-cut])
    found = DownloadFolder(home, key).unfinished()
    assert found is not None
    assert found.download_id == ID
    assert found.held_bytes == (100 if cut < 180 else 0)
    found.append(b"c" * 5)
    again = DownloadFolder(home, key).unfinished()
    assert again is not None
    assert b"".join(again.pieces()) == b"a" * (found.held_bytes - 5) + b"c" * 5
    again.forget()
    assert DownloadFolder(home, key).unfinished() is None


def test_two_syncs_at_once_are_refused(tmp_path: Path) -> None:
    """Two processes would both pack and swap."""
    home = Home(tmp_path)
    with home.sync_lock(), pytest.raises(Retry) as caught, home.sync_lock():
        pass
    assert caught.value.code == "sync_running"


def test_erasing_leaves_only_the_settings(tmp_path: Path) -> None:
    """A wiped device tells nothing."""
    home = Home(tmp_path)
    Keyring(home).add("ana", "secret", new_key())
    for path in (home.settings, home.data / "1.db", home.rescue / "x", home.photos / "y"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    home.erase()
    assert [path.name for path in tmp_path.iterdir()] == ["device.toml"]
    home.erase()
