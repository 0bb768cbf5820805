"""Wrong passwords are counted, so that nobody tries out a colleague's at the keyboard.

Whoever has the device's disk needs no keyboard: against them stands argon2id alone (`keyring`).
"""

import json
import math

from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service.files import write_durably

MOST_WRONG = 10
PAUSE_S = 15 * 60
_SECOND_US = 1_000_000


def open_keyring(home: Home, login: str, password: str, clock: Clock) -> bytes:
    """The database key; after ten wrong passwords in a row the name rests for a quarter of an hour.

    Durability: the count survives a restart of the program.

    Raises:
        Rejected: `sign_in_refused`.
        Retry: `sign_in_locked`, whatever the password is.
    """
    path = home.attempts
    wrong = _read(home)
    count, newest = wrong.get(login, (0, 0))
    now = clock.now()
    left_s = PAUSE_S - max(0, now - newest) / _SECOND_US
    if left_s <= 0:
        count = 0
    if count >= MOST_WRONG:
        if newest > now:
            # The clock was ahead when that happened: the quarter of an hour begins now.
            wrong[login] = (count, now)
            write_durably(path, json.dumps(wrong).encode())
        minutes = math.ceil(left_s / 60)
        raise Retry("sign_in_locked", place="sign-in", delay_s=left_s, minutes=minutes)
    try:
        key = Keyring(home).open(login, password)
    except Rejected as refusal:
        if refusal.code == "sign_in_refused":
            wrong[login] = (count + 1, clock.now())
            write_durably(path, json.dumps(wrong).encode())
        raise
    if wrong.pop(login, None) is not None:
        write_durably(path, json.dumps(wrong).encode())
    return key


def _read(home: Home) -> dict[str, tuple[int, int]]:
    """Login → wrong passwords in a row, and when the last was; a damaged file counts as empty."""
    try:
        held = json.loads(home.attempts.read_bytes())
        return {str(login): (int(count), int(at)) for login, (count, at) in held.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
