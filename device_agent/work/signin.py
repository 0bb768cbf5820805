"""Who may open the database, checked without a network.

A person's password unwraps the database key (`storage/keyring`). Who may be given a password here
is what head office says: verifiers (argon2id) come with enrolment and with every full sync.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from device_agent.storage.database import Connection
from device_agent.storage.keyring import Keyring
from fieldmesh.basics.errors import Rejected


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom head office lets sign in here."""

    login: str
    person: str
    verifier: str


def people(connection: Connection) -> list[Person]:
    """Whom head office lets sign in here, as of the last full sync."""
    rows = connection.execute("SELECT login, person, verifier FROM sign_in ORDER BY login")
    return [Person(*row) for row in rows]


def checked_verifier(known: Iterable[Person], login: str, password: str) -> str:
    """Digest of the verifier that the password was checked against; "" when none is known yet.

    Before anybody is assigned to the position there is nobody to check against: the password then
    only protects the key.

    Raises:
        Rejected: `sign_in_refused`: head office knows the people here, and this is none of them.
    """
    verifiers = {person.login: person.verifier for person in known}
    if not verifiers:
        return ""
    verifier = verifiers.get(login, "")
    try:
        PasswordHasher().verify(verifier, password)
    except (VerificationError, InvalidHashError):
        raise Rejected("sign_in_refused", place="sign-in") from None
    return hashlib.sha256(verifier.encode()).hexdigest()


def has_new_password(known: Iterable[Person], keyring: Keyring, login: str) -> bool:
    """Whether head office has a newer password of this person than the keyring."""
    held = keyring.verifier_sha256(login)
    for person in known:
        if person.login == login:
            return held not in {"", hashlib.sha256(person.verifier.encode()).hexdigest()}
    return False


def withdraw(known: Iterable[Person], keyring: Keyring) -> list[str]:
    """People who may no longer sign in have no key any more. Returns their names.

    As long as nobody who may sign in has a key, nothing is taken away: else what waits on the
    device could never be uploaded (promise 1).
    """
    allowed = {person.login for person in known}
    holders = set(keyring.logins())
    if not allowed & holders:
        return []
    gone = sorted(holders - allowed)
    for login in gone:
        keyring.remove(login)
    return gone
