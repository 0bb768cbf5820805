"""A new hub whose settings are known before it is made."""

import argparse
import shutil
import sys
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from hub.cli.program import parser
from hub.trust.vault import Vault


def options(home: Path, *words: str) -> argparse.Namespace:
    """The command line of `init`."""
    return parser().parse_args(["init", "--home", str(home), *words])


async def init(home: Path, *words: str) -> None:
    """The command runs."""
    chosen = options(home, *words)
    await chosen.command(chosen)


async def test_a_hub_begins_with_the_database_that_its_settings_name(tmp_path: Path) -> None:
    """A database elsewhere is named by a secret, which is neither a flag nor in the environment."""
    file, home, database = tmp_path / "hub.toml", tmp_path / "hub", tmp_path / "elsewhere.db"
    file.write_text(f'company = "Acme"\n[database]\nurl = "sqlite+aiosqlite:///{database}"\n')
    await init(home, "--settings", str(file))
    assert database.exists()
    assert not (home / "data" / "hub.db").exists()
    assert (home / "hub.toml").read_text() == file.read_text()


async def test_every_key_that_nobody_can_make_again_is_there_from_the_first_moment(
    tmp_path: Path,
) -> None:
    """The page has `trust` carried away before the first start: it must open what is sealed later."""
    await init(tmp_path / "hub")
    carried = tmp_path / "carried"
    shutil.copytree(tmp_path / "hub" / "trust", carried)
    sealed = Vault.load_or_create(tmp_path / "hub" / "trust").seal(b"secret", b"ann")
    assert Vault.load_or_create(carried).open(sealed, b"ann") == b"secret"


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("compny = 1\n", (), "settings_invalid"),
        ('company = "Acme"\n', ("--name", "hub.acme.example"), "usage"),
        (None, (), "file_unreadable"),
    ],
)
async def test_settings_that_do_not_fit_make_no_hub(
    tmp_path: Path, text: str | None, words: tuple[str, ...], code: str
) -> None:
    """Half a hub would have an authority that nobody meant."""
    file, home = tmp_path / "hub.toml", tmp_path / "hub"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Rejected) as caught:
        await init(home, "--settings", str(file), *words)
    assert caught.value.code == code
    assert not home.exists()


async def test_a_hub_on_sql_server_without_its_extra_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback about a module is no answer to somebody who has written a setting."""
    monkeypatch.setitem(sys.modules, "aioodbc", None)
    file = tmp_path / "hub.toml"
    file.write_text('[database]\nurl = "mssql+aioodbc://f:x@sql.example/f"\n')
    with pytest.raises(Rejected, match=r"aioodbc.*fieldmesh\[sqlserver\]"):
        await init(tmp_path / "hub", "--settings", str(file))


@pytest.mark.parametrize(
    "url", ["sql.acme.example", "mssql+pyodbc://f:secret@sql.example/f", "ms+x://f"]
)
async def test_an_address_that_is_no_database_is_a_setting_that_is_wrong(
    tmp_path: Path, url: str
) -> None:
    """And the answer tells no password."""
    file = tmp_path / "hub.toml"
    file.write_text(f'[database]\nurl = "{url}"\n')
    with pytest.raises(Rejected, match=r"^database\.url: ") as caught:
        await init(tmp_path / "hub", "--settings", str(file))
    assert caught.value.code == "settings_invalid"
    assert "secret" not in str(caught.value)


async def test_a_hub_on_sql_server_without_the_library_of_its_driver_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package alone is not enough: the driver and its manager come from elsewhere."""
    (tmp_path / "aioodbc.py").write_text('raise ImportError("libodbc.so.2: no such file")\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "aioodbc", raising=False)
    file = tmp_path / "hub.toml"
    file.write_text('[database]\nurl = "mssql+aioodbc://f:x@sql.example/f"\n')
    with pytest.raises(Rejected, match=r"database\.url: .*libodbc\.so\.2") as caught:
        await init(tmp_path / "hub", "--settings", str(file))
    assert caught.value.code == "settings_invalid"
