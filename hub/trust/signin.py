"""People's passwords: argon2id verifiers, which travel so that sign-in works offline; and tokens, kept as hashes."""

import hashlib
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fieldmesh.basics.errors import Rejected

LEAST_CHARACTERS = 8
MOST_CHARACTERS = 128
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
"""RFC 9106, second recommended option with one lane: a phone does it in about half a second."""


def make_verifier(password: str) -> str:
    """The verifier (PHC string) of a password.

    Raises:
        Rejected: `password_too_short` or `password_too_long`.
    """
    text = unicodedata.normalize("NFC", password)
    if len(text) < LEAST_CHARACTERS:
        raise Rejected("password_too_short", place="password", least=LEAST_CHARACTERS)
    if len(text) > MOST_CHARACTERS:
        raise Rejected("password_too_long", place="password", most=MOST_CHARACTERS)
    return _HASHER.hash(text)


def is_password(verifier: str, password: str) -> bool:
    """Whether the password is the one of the verifier."""
    try:
        return _HASHER.verify(verifier, unicodedata.normalize("NFC", password[:MOST_CHARACTERS]))
    except (VerificationError, InvalidHashError):
        return False


def token_hash(token: str) -> str:
    """What is kept of a token that chance has made; of bytes that are no text too, which anybody can send."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
