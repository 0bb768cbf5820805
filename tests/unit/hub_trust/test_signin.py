"""Passwords."""

import pytest

from fieldmesh.basics.errors import Rejected
from hub.trust.signin import is_password, make_verifier


def test_a_verifier_knows_its_password_and_no_other() -> None:
    """Without it nobody, or everybody, could sign in."""
    verifier = make_verifier("correct horse")
    assert verifier.startswith("$argon2id$")
    assert is_password(verifier, "correct horse")
    assert not is_password(verifier, "correct horsf")


def test_a_short_password_is_refused() -> None:
    """Without it a stolen device could be opened by guessing."""
    with pytest.raises(Rejected):
        make_verifier("short")


def test_a_damaged_verifier_lets_nobody_in() -> None:
    """Without it a damaged row would be an open door, or a crash."""
    assert not is_password("nonsense", "correct horse")
