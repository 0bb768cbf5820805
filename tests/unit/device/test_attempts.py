"""Passwords can't be tried out at the keyboard, and the person who knows theirs loses nothing but time."""

from pathlib import Path

import pytest

from device_agent.storage.attempts import MOST_WRONG, PAUSE_S, open_keyring
from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import FieldmeshError

KEY = bytes(range(32))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A device of ann's, with cheap argon2id."""
    monkeypatch.setattr("device_agent.storage.keyring.MEMORY_KIB", 8)
    monkeypatch.setattr("device_agent.storage.keyring.PASSES", 1)
    home = Home(tmp_path)
    for login in ("ann", "ben"):
        Keyring(home).add(login, "right", KEY)
    return home


def refused(home: Home, clock: ManualClock, password: str) -> FieldmeshError:
    """How ann's sign-in was refused."""
    with pytest.raises(FieldmeshError) as caught:
        open_keyring(home, "ann", password, clock)
    return caught.value


def test_a_name_rests_after_many_wrong_passwords_and_is_good_again_afterwards(home: Home) -> None:
    """Also the right password waits: otherwise trying would go on. Others on the device are not touched."""
    clock = ManualClock()
    for _ in range(MOST_WRONG):
        assert refused(home, clock, "wrong").code == "sign_in_refused"
    locked = refused(home, clock, "right")
    assert (locked.code, locked.fields["minutes"]) == ("sign_in_locked", PAUSE_S // 60)
    assert open_keyring(home, "ben", "right", clock) == KEY
    clock.advance(PAUSE_S * 1_000_000)
    assert open_keyring(home, "ann", "right", clock) == KEY


def test_a_clock_that_was_ahead_locks_nobody_out_for_longer(home: Home) -> None:
    """It is set right by three days: who knows the password waits for a quarter of an hour, not for three days."""
    clock = ManualClock()
    for _ in range(MOST_WRONG):
        assert refused(home, clock, "wrong").code == "sign_in_refused"
    clock.advance(-3 * 86_400 * 1_000_000)
    assert refused(home, clock, "right").fields["minutes"] == PAUSE_S // 60
    clock.advance(PAUSE_S * 1_000_000)
    assert open_keyring(home, "ann", "right", clock) == KEY


def test_the_right_password_forgets_the_wrong_ones(home: Home) -> None:
    """Who mistypes now and then is never locked out."""
    clock = ManualClock()
    for _ in range(MOST_WRONG - 1):
        assert refused(home, clock, "wrong").code == "sign_in_refused"
    assert open_keyring(home, "ann", "right", clock) == KEY
    assert refused(home, clock, "wrong").code == "sign_in_refused"
    assert open_keyring(home, "ann", "right", clock) == KEY
    home.attempts.write_text("damaged")
    assert open_keyring(home, "ann", "right", clock) == KEY
