"""Settings come from the right place, carry units, and refuse what nobody knows."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.config import describe, load, load_with_origins, show


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Inner:
    """A table of the file."""

    port: int = field(default=1, metadata={"help": "Where."})
    key: str = field(default="", metadata={"help": "A secret.", "secret": True})


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a made-up node."""

    wait_s: float = 1.0
    most_bytes: int = 10
    names: tuple[str, ...] = ()
    flag: bool = False
    colour: Colour = Colour.RED
    folder: Path | None = None
    inner: Inner = field(default_factory=Inner)


def written(tmp_path: Path, text: str) -> Path:
    """A settings file."""
    path = tmp_path / "a.toml"
    path.write_text(text, "utf-8")
    return path


def test_later_sources_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's flag must beat a forgotten line in a file."""
    monkeypatch.setenv("T_INNER__PORT", "3")
    monkeypatch.setenv("T_WAIT_S", "3s")
    file = written(tmp_path, 'wait_s = "2s"\nmost_bytes = "2KiB"\n[inner]\nport = 2\n')
    loaded = load_with_origins(Settings, file, "T_", {"wait_s": 4.0, "most_bytes": None})
    assert loaded.settings.wait_s == 4.0
    assert loaded.settings.inner.port == 3
    assert loaded.settings.most_bytes == 2048
    assert loaded.origins == {
        "wait_s": "flag",
        "inner.port": "T_INNER__PORT",
        "most_bytes": str(file),
    }


def test_values_of_every_kind_are_read(tmp_path: Path) -> None:
    """A kind that is not understood would only be noticed on the day it is needed."""
    file = written(
        tmp_path,
        'names = ["a", "b"]\nflag = true\ncolour = "blue"\nfolder = "/x"\nwait_s = "250ms"\n',
    )
    settings = load(Settings, file)
    assert settings.names == ("a", "b")
    assert settings.flag
    assert settings.colour is Colour.BLUE
    assert settings.folder == Path("/x")
    assert settings.wait_s == 0.25


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("wait = 3", "did you mean wait_s?"),
        ('[inner]\nprot = "1"', "did you mean inner.port?"),
        ('wait_s = "3MiB"', "unknown unit MiB"),
        ('most_bytes = "many"', "a size such as"),
        ("flag = 3", "true or false"),
        ('colour = "green"', "one of red, blue"),
        ("most_bytes = 1.5", "a size such as"),
        ("wait_s = [", "settings"),
    ],
)
def test_what_nobody_knows_is_refused_with_words(tmp_path: Path, text: str, word: str) -> None:
    """A misspelt limit that is silently ignored is a limit that is not there."""
    with pytest.raises(Rejected) as caught:
        load(Settings, written(tmp_path, text))
    assert caught.value.code == "settings_invalid"
    assert word in str(caught.value).lower() or word in str(caught.value)
    assert "a.toml" in str(caught.value)


def test_secrets_are_masked_and_come_from_files_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everyone on the machine may read a process's environment."""
    settings = load(Settings, written(tmp_path, '[inner]\nkey = "hidden"'), "T_")
    assert settings.inner.key == "hidden"
    assert show(settings)["inner.key"] == {"value": "***", "origin": "set"}
    monkeypatch.setenv("T_INNER__KEY", "from the environment")
    with pytest.raises(Rejected) as caught:
        load(Settings, tmp_path / "a.toml", "T_")
    assert "T_INNER__KEY" in str(caught.value)
    assert "from the environment" not in str(caught.value)


def test_a_misspelt_name_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the file: it would be a limit that is not there."""
    monkeypatch.setenv("T_INNER__PROT", "1")
    with pytest.raises(Rejected) as caught:
        load(Settings, None, "T_")
    assert "T_INNER__PROT" in str(caught.value)
    assert "did you mean inner.port?" in str(caught.value)


def test_every_setting_is_described() -> None:
    """The page of settings is made from this."""
    found = {setting.key: setting for setting in describe(Settings)}
    assert found["wait_s"].kind == 'a duration such as "30s"'
    assert found["inner.port"].help == "Where."
    assert found["inner.key"].secret
