"""Somebody whom another system has recognised: a directory, or a sign-on provider."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionThere:
    """A session at a sign-on provider.

    Attributes:
        subject: the person, as the provider calls them.
        session: the session's name; empty = the provider gives none, or all of the person's are meant.
    """

    subject: str
    session: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who it is.

    Attributes:
        login: as they sign in there.
        person: full name; empty = not told.
        mail: address; empty = not told.
        groups: names of the groups that they are in.
        there: their session at the other system, by which it may be ended; None = it has none.
    """

    login: str
    person: str = ""
    mail: str = ""
    groups: frozenset[str] = frozenset()
    there: SessionThere | None = None
