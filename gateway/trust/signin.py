"""Whether a person's password is right, without asking the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from fieldmesh.basics.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_password(verifiers: Sequence[tuple[str, str]], password: str) -> str:
    """The person whose password it is.

    Takes CPU time on purpose (argon2id): call it in a thread.

    Args:
        verifiers: (person, argon2id verifier) of everyone with that login name here.
        password: what was typed.

    Raises:
        Rejected: ``sign_in_refused``, whatever the reason.
    """
    hasher = PasswordHasher()
    for person, verifier in verifiers:
        try:
            hasher.verify(verifier, password)
        except (VerificationError, InvalidHashError):
            continue
        return person
    raise Rejected("sign_in_refused")
