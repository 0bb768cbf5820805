"""The settings of other doors: those of the guide hold, and a hub without the extra says what is missing."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.extras import extra_for
from hub.config import HubHome, load_settings
from hub.desk.admission import DIRECTORY, SINGLE_SIGN_ON, Source
from hub.trust import openid
from hub.trust.directory import Directory
from tests.house.sources import text

GUIDE = "docs/guide/sign-in.md"
BLOCK = re.compile(r"(?:^    .+\n|^\n(?=    ))+", re.MULTILINE)


def test_the_settings_of_the_guide_are_taken(tmp_path: Path) -> None:
    """An administrator copies them, and has a hub that does not start."""
    blocks = [one for one in BLOCK.findall(text(GUIDE)) if one.lstrip().startswith("[")]
    merged: dict[str, list[str]] = {}
    for line in "".join(blocks).splitlines():
        if line.strip().startswith("["):
            lines = merged.setdefault(line.strip(), [])
        elif line.strip():
            lines.append(line.strip())
    home = HubHome(tmp_path)
    content = "\n".join("\n".join((name, *lines)) for name, lines in merged.items())
    home.settings_file.write_text(content, "utf-8")
    found = load_settings(home).settings
    assert len(blocks) == 5
    assert (found.kerberos.realm, found.openid.second_factor) == ("ACME.EXAMPLE", True)
    assert len(found.directory.posts) == 3
    Source(DIRECTORY, found.directory.posts)
    Source(SINGLE_SIGN_ON, found.openid.posts)
    openid.Provider(found.openid, SystemClock())
    Directory(found.directory)


@pytest.mark.parametrize(("module", "package"), [("openid", "joserfc"), ("directory", "ldap3")])
def test_a_hub_without_the_extra_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    """A traceback about a module is no answer to somebody who has written a setting."""
    for name in (module, "id_token", "ldap_line"):
        monkeypatch.delitem(sys.modules, f"hub.trust.{name}", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with (
        pytest.raises(Rejected, match=rf"{package}.*fieldmesh\[directory\]"),
        extra_for(module, "directory"),
    ):
        import_module(f"hub.trust.{module}")
