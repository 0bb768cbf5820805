"""Somebody whom another system has recognised: a directory, or a sign-on provider."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Who it is.

    Attributes:
        login: as they sign in there.
        person: full name; empty = not told.
        mail: address; empty = not told.
        groups: names of the groups that they are in.
    """

    login: str
    person: str = ""
    mail: str = ""
    groups: frozenset[str] = frozenset()
