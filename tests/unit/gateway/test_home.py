"""The folder of a gateway is its own user's, wherever it stands."""

from pathlib import Path

import pytest

from gateway.app.home import Home

OTHERS = 0o077


@pytest.mark.parametrize("made_before", [False, True])
def test_nobody_else_on_the_machine_reads_what_a_gateway_holds(
    tmp_path: Path, *, made_before: bool
) -> None:
    """Its database has the region's rows and the verifiers of passwords; earlier releases left it open."""
    home = Home(tmp_path / "gateway")
    if made_before:
        home.database.parent.mkdir(parents=True)
    home.make()
    private = [home.database.parent, home.identity, home.spool, home.blobs, home.run]
    if not made_before:
        private.append(home.path)
    assert [path for path in private if path.stat().st_mode & OTHERS] == []
