"""The database key, wrapped once per person by a key from their password.

`identity/keyring.json` holds, per login, an argon2id salt with its parameters and the sealed key.
Nobody can read the database without one of these passwords. The parameters stand in the file, so
that they can grow later without locking anyone out.

Source: OWASP password storage, argon2id m = 19 MiB, t = 2, p = 1: small enough for a phone, and
it keeps the agent within its memory limit.
"""

import json
import os
from dataclasses import asdict, dataclass

from argon2.low_level import Type, hash_secret_raw

from device_agent.storage.home import Home
from device_agent.storage.sealed import KEY_BYTES, seal, unseal
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.files import write_durably

MEMORY_KIB = 19 * 1024
PASSES = 2
SALT_BYTES = 16
MOST_PASSWORD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One person's way to the database key."""

    salt: str
    memory_kib: int
    passes: int
    wrapped: str
    verifier_sha256: str


class Keyring:
    """Who can open the database of this device, and with what."""

    def __init__(self, home: Home) -> None:
        """The keyring of a home folder; reads nothing yet."""
        self._path = home.keyring

    def logins(self) -> list[str]:
        """Names that have a password here, in order."""
        return sorted(self._load())

    def add(self, login: str, password: str, key: bytes, *, verifier_sha256: str = "") -> None:
        """The person's password opens the database from now on; an earlier one no longer does.

        Args:
            login: name of the person.
            password: in the clear; never stored.
            key: the database key, 32 bytes.
            verifier_sha256: hex digest of the head-office verifier that the password was
                checked against; empty when there was none.
        """
        salt = os.urandom(SALT_BYTES)
        wrapping = _derive(password, salt, MEMORY_KIB, PASSES)
        entry = Entry(
            salt=salt.hex(),
            memory_kib=MEMORY_KIB,
            passes=PASSES,
            wrapped=seal(wrapping, key, f"keyring {login}").hex(),
            verifier_sha256=verifier_sha256,
        )
        entries = self._load()
        entries[login] = entry
        self._save(entries)

    def open(self, login: str, password: str) -> bytes:
        """The database key.

        Raises:
            Rejected: `sign_in_refused` for an unknown name or a wrong password; which of the two
                is not told.
        """
        entry = self._load().get(login)
        if entry is None:
            _derive(password, b"\0" * SALT_BYTES, MEMORY_KIB, PASSES)
            raise Rejected("sign_in_refused", place="sign-in")
        wrapping = _derive(password, bytes.fromhex(entry.salt), entry.memory_kib, entry.passes)
        try:
            return unseal(wrapping, bytes.fromhex(entry.wrapped), f"keyring {login}")
        except Rejected:
            raise Rejected("sign_in_refused", place="sign-in") from None

    def verifier_sha256(self, login: str) -> str:
        """Digest of the verifier that the person's password was last checked against."""
        entry = self._load().get(login)
        return entry.verifier_sha256 if entry else ""

    def remove(self, login: str) -> None:
        """The person's password opens nothing here any more. Repeating is harmless."""
        entries = self._load()
        if entries.pop(login, None) is not None:
            self._save(entries)

    def _load(self) -> dict[str, Entry]:
        try:
            raw = json.loads(self._path.read_text("utf-8"))
            return {login: Entry(**entry) for login, entry in raw["people"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError):
            raise Rejected("device_home_damaged", place=str(self._path)) from None

    def _save(self, entries: dict[str, Entry]) -> None:
        people = {login: asdict(entry) for login, entry in sorted(entries.items())}
        text = json.dumps({"format": 1, "people": people}, indent=1, ensure_ascii=False)
        write_durably(self._path, text.encode())


def _derive(password: str, salt: bytes, memory_kib: int, passes: int) -> bytes:
    secret = password.encode()
    if len(secret) > MOST_PASSWORD_BYTES:
        raise Rejected("sign_in_refused", place="sign-in")
    return hash_secret_raw(
        secret,
        salt,
        time_cost=passes,
        memory_cost=memory_kib,
        parallelism=1,
        hash_len=KEY_BYTES,
        type=Type.ID,
    )
