"""Sealed secrets: nobody opens them without the key, or in another's place."""

from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from hub.trust.vault import Vault


def test_a_secret_opens_for_whom_it_was_sealed_and_after_a_restart(tmp_path: Path) -> None:
    """A restart that lost the key would lock everybody out who has a second factor."""
    sealed = Vault.load_or_create(tmp_path).seal(b"secret", b"ann")
    again = Vault.load_or_create(tmp_path)
    assert again.open(sealed, b"ann") == b"secret"
    for wrong, about in (
        (sealed, b"bob"),
        (sealed[:-4] + "AAAA", b"ann"),
        ("", b"ann"),
        ("?", b"ann"),
    ):
        with pytest.raises(Rejected, match="too old"):
            again.open(wrong, about)


def test_a_copy_of_the_database_does_not_tell_the_secret(tmp_path: Path) -> None:
    """Who steals a backup of the database alone must not make codes."""
    sealed = Vault.load_or_create(tmp_path / "one").seal(b"secret", b"ann")
    with pytest.raises(Rejected, match="too old"):
        Vault.load_or_create(tmp_path / "other").open(sealed, b"ann")
