"""Names under which people sign in: kept in small letters, taken however they are typed."""

from collections.abc import Container


def folded(login: str) -> str:
    """The login as a new one is kept."""
    return login.strip().casefold()


def as_kept(login: str, kept: Container[str]) -> str:
    """The login of ``kept`` that is meant: the same, or the one in small letters; neither = as it was typed."""
    small = folded(login)
    return small if login not in kept and small in kept else login
